"""`os` as a board has it: without what leads to the host."""

from uos import *  # noqa: F403

del system, getenv, putenv, unsetenv, VfsPosix  # noqa: F821
