"""What the panel is doing, in memory that outlives it: when LVGL crashes, the parent can still say."""

from __future__ import annotations

import mmap

_SIZE = 64


class Running:
    """`name` is the function of LVGL that was called last. Make it before the fork."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SIZE)
        self._name = ""

    @property
    def name(self) -> str:
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name
        self._memory[:_SIZE] = name.encode()[:_SIZE].ljust(_SIZE, b"\0")

    def last(self) -> str:
        """In the parent: what the child did last."""
        return self._memory[:_SIZE].rstrip(b"\0").decode()
