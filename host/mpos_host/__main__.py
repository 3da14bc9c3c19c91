"""`python -m mpos_host` is the command `mpos`."""

import sys

from mpos_host.cli import main

sys.exit(main())
