"""How far a deployment is, for somebody who waits for it: on stderr, and only when it takes longer."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

_EVERY_S = 2.0


def show_progress() -> Callable[[int, int], None]:
    """A `progress` for `mpos_host.board.deploy.deploy`."""
    said_at = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal said_at
        now = time.monotonic()
        if now - said_at >= _EVERY_S:
            said_at = now
            print(f"mpos: {done} of {total} files sent", file=sys.stderr, flush=True)

    return progress
