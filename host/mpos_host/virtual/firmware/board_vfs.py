"""`vfs` as a board has it: without what leads to the host."""

from vfs import *  # noqa: F403

del VfsPosix  # noqa: F821
