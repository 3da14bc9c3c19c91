"""Looking at the processes that a program starts, and waiting for their end."""

from __future__ import annotations

import os
import select
from pathlib import Path
from typing import IO


def read_until(stream: IO[str] | None, text: str) -> str:
    """Read lines up to one with `text`, and return that; the test's own limit ends one that never comes."""
    assert stream is not None
    for line in stream:
        if text in line:
            return line
    raise AssertionError(f"{text!r} was not printed")


def handles_of_children(pid: int) -> list[int]:
    """A pidfd for each child of any thread of the process `pid`."""
    return [
        os.pidfd_open(int(child))
        for thread in Path(f"/proc/{pid}/task").iterdir()
        for child in (thread / "children").read_text().split()
    ]


def wait_gone(handles: list[int], seconds: float = 30) -> None:
    """Wait for the end of the processes behind these pidfds, and close them."""
    for handle in handles:
        ended, _, _ = select.select([handle], [], [], seconds)
        os.close(handle)
        assert ended, "a process is still there"
