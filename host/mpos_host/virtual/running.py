"""The virtual boards of this user that run now, in whichever program: for commands beside it."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

from mpos_host.project import UserError
from mpos_host.virtual.panel.client import PanelClient
from mpos_host.virtual.scratch import LOCK, PREFIX

PORT_FILE = "port"  # in a board's folder: the name of its port
PANEL_SOCKET = "panel"  # there too


def running_boards() -> dict[str, PanelClient]:
    """Their panels, by the names of their ports."""
    found = {}
    for folder in sorted(Path(tempfile.gettempdir()).glob(PREFIX + "*")):
        try:
            status = folder.lstat()
            if status.st_uid != os.getuid() or status.st_mode & 0o077 or _is_dead(folder):
                continue
            port = (folder / PORT_FILE).read_text()
        except OSError:
            continue  # it ends, or it is no board's
        found[port] = PanelClient(str(folder / PANEL_SOCKET) + ".control")
    return found


def running_panel(port: str | None, command: str) -> PanelClient:
    """The panel of the virtual board at `port`, or of the only one that runs.

    Raises UserError if there is none, or several and no port is given.
    """
    boards = running_boards()
    if port is not None:
        if port not in boards:
            raise UserError(f"mpos {command} is for a virtual board that runs, and none does at {port}", 2)
        return boards[port]
    if not boards:
        raise UserError(f"mpos {command} is for a virtual board that runs: start one with `mpos run APP`", 2)
    if len(boards) > 1:
        raise UserError(f"several virtual boards run: say --port {' or --port '.join(boards)}", 2)
    return next(iter(boards.values()))


def _is_dead(folder: Path) -> bool:
    """Nobody holds its lock. Raises OSError if there is none."""
    lock = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(lock)
