"""`python -m mpos_host` is the command `mpos`."""

import sys

from mpos_host.cli.main import main

sys.exit(main())
