"""A folder for a board's sockets that goes away, at the latest when the next board is made."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "mpos-board-"
LOCK = "lock"
_LONGEST = 60  # of 108 bytes that a socket's path may have (sockaddr_un)


class ScratchFolder:
    """`path`: a folder of our own under the temporary folder, removed by `close()`.

    A program that is killed cannot remove its folder. It holds a lock in it, though, so that whoever makes
    the next one can tell which are dead, and removes those.
    """

    def __init__(self) -> None:
        base = Path(tempfile.gettempdir())
        if len(os.fsencode(base)) > _LONGEST:
            base = Path("/tmp")
        _remove_dead(base)
        # The lock is there and taken before the folder has a name that another program looks at.
        building = Path(tempfile.mkdtemp(prefix="new-" + PREFIX, dir=base))
        self._lock = os.open(building / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.path = building.rename(base / building.name.removeprefix("new-"))

    def close(self) -> None:
        """Remove the folder with all that is in it. May be called twice."""
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> ScratchFolder:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _remove_dead(base: Path) -> None:
    for folder in base.glob(PREFIX + "*"):
        try:
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # gone meanwhile, or another user's
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
