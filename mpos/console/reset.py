"""The console's soft reset, as Ctrl-D in the built-in REPL does it: a friendly one runs main.py afterwards, a
raw one does not and stays raw, which mpremote relies on.

Only the built-in REPL can do the raw kind: which of the two it was is a variable of its C code. Boards have
`os.dupterm`, on which keys can be typed into it: there the loop is stopped, and the REPL that comes next
finds the keys that make it reset. Elsewhere SystemExit is raised, which is a reset on every port.
"""

import io

_CTRL_A_CTRL_D = b"\x01\x04"
_CTRL_B_CTRL_D = b"\x02\x04"


class _Keys(io.IOBase):
    """A terminal on which somebody has typed some keys and nobody reads."""

    def __init__(self, keys):
        self._keys = keys

    def readinto(self, buffer):
        if not self._keys:
            return None
        buffer[0] = self._keys[0]
        self._keys = self._keys[1:]
        return 1

    def write(self, data):
        return len(data)

    def ioctl(self, request, argument):
        return 0


def soft_reset(raw):
    """Reset, of which kind `raw` says. Returns where the built-in REPL will do it once the loop has ended.

    Raises:
        SystemExit: a reset on ports without `os.dupterm`.
    """
    try:
        from os import dupterm
    except ImportError:
        raise SystemExit
    from mpos import TaskManager

    dupterm(_Keys(_CTRL_A_CTRL_D if raw else _CTRL_B_CTRL_D))
    TaskManager.stop()
