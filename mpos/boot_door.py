"""The boot's door: a board whose app crashes, hangs or resets it at each start is started without the app.

It opens for a Ctrl-C before the console's prompt is there, for a file `/no_app` (make and remove it with
mpremote: `touch :/no_app`, `rm :/no_app`), and after three starts in a row that were over before the loop had
run for ten seconds. Those are counted in a file, which is written when an app starts and removed ten seconds
later, or at the first command on the console: somebody who gets in needs no door.
"""

import os

from micropython import const

from .task_manager import TaskManager

_COUNT_FILE = "/app_starts"
_CLOSED_FILE = "/no_app"
_STARTS = const(3)
_PROVEN_MS = const(10000)


class BootDoor:
    """Decides at boot whether the app may start."""

    def __init__(self):
        self.interrupted = False
        """Set when a Ctrl-C came during the boot."""
        self._counts = False

    def why_open(self):
        """Why the app must not start and how to go on; None: it may, and this start counts from now on."""
        if self.interrupted:
            return "Ctrl-C came while the board booted. Reset it to start the app."
        if _exists(_CLOSED_FILE):
            return "There is a file %s. Remove it and reset the board to start the app." % _CLOSED_FILE
        starts = _read()
        if starts >= _STARTS:
            _remove()
            return (
                "In its last %d starts the board did not run for %d s. Bring a better version onto it"
                " (mpos deploy), or reset it to try once more." % (_STARTS, _PROVEN_MS // 1000)
            )
        self._counts = True
        _write(starts + 1)
        return None

    async def watch(self):
        """The app has started: when this returns it has proven itself."""
        await TaskManager.sleep_ms(_PROVEN_MS)
        self.prove()

    def prove(self):
        """The board is in order: its starts are counted from the beginning."""
        if self._counts:
            self._counts = False
            _remove()


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def _read():
    try:
        with open(_COUNT_FILE) as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


def _write(starts):
    try:
        with open(_COUNT_FILE, "w") as file:
            file.write(str(starts))
    except OSError:
        pass  # The flash is full: the app starts, uncounted.


def _remove():
    try:
        os.remove(_COUNT_FILE)
    except OSError:
        pass
