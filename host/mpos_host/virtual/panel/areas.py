"""What has changed on the screen since a viewer was told last. It takes no more memory for a slow viewer.

Used in the panel and by the server of the live view; this module does not load LVGL.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

WIDTH, HEIGHT = 320, 240

_MOST_AREAS = 8  # then they become one
_MOST_FRAMES = 64  # older ones are not told any more

_DRAG_STEP = 8  # pixels

_ROW = WIDTH * 2  # bytes


class Area(NamedTuple):
    """Pixels, the second corner included, as in LVGL."""

    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x, y, width, height."""
        return self.x1, self.y1, self.x2 - self.x1 + 1, self.y2 - self.y1 + 1

    @classmethod
    def of_box(cls, x: int, y: int, width: int, height: int) -> Area:
        return cls(x, y, x + width - 1, y + height - 1)


ALL = Area(0, 0, WIDTH - 1, HEIGHT - 1)


class Watch:
    """All of the screen has changed for a viewer that has just come."""

    def __init__(self) -> None:
        self._areas = [ALL]
        self._frames: list[tuple[int, float]] = []

    @property
    def has_changes(self) -> bool:
        return bool(self._areas)

    def add(self, areas: list[Area], frame: int, took_ms: float) -> None:
        """`frame` has been drawn, in those areas; the timer handler had run for `took_ms` by then."""
        self._areas = merged(self._areas + areas)
        self._frames.append((frame, round(took_ms, 2)))
        del self._frames[:-_MOST_FRAMES]

    def take(self, pixels: bytes | bytearray) -> tuple[dict[str, Any], bytes]:
        """The message's head and its pixels."""
        areas, frames = self._areas, self._frames
        self._areas, self._frames = [], []
        data = b"".join(cut(pixels, area) for area in areas)
        return {"areas": [area.box for area in areas], "frames": frames, "size": len(data)}, data


def merged(areas: list[Area]) -> list[Area]:
    """The same areas without those that are inside of others; one around all if they are many."""
    kept: list[Area] = []
    for area in areas:
        if any(_contains(one, area) for one in kept):
            continue
        kept = [one for one in kept if not _contains(area, one)]
        kept.append(area)
    if len(kept) <= _MOST_AREAS:
        return kept
    left, top, right, bottom = zip(*kept, strict=True)
    return [Area(min(left), min(top), max(right), max(bottom))]


def cut(pixels: bytes | bytearray, area: Area) -> bytes:
    """The pixels of an area, row by row."""
    if area.x1 == 0 and area.x2 == WIDTH - 1:
        return bytes(pixels[area.y1 * _ROW : (area.y2 + 1) * _ROW])
    rows = range(area.y1 * _ROW, (area.y2 + 1) * _ROW, _ROW)
    return b"".join(pixels[row + area.x1 * 2 : row + area.x2 * 2 + 2] for row in rows)


def paste(pixels: bytearray, area: Area, data: bytes | bytearray | memoryview) -> None:
    """Write what `cut()` gave into the pixels of a screen."""
    _, _, width, height = area.box
    for line in range(height):
        start = (area.y1 + line) * _ROW + area.x1 * 2
        pixels[start : start + width * 2] = data[line * width * 2 : (line + 1) * width * 2]


def straight(x1: int, y1: int, x2: int, y2: int) -> list[tuple[int, int]]:
    """Points on the way from one to another, both included, that a finger would be seen at."""
    steps = max(1, math.ceil(math.dist((x1, y1), (x2, y2)) / _DRAG_STEP))
    return [
        (round(x1 + (x2 - x1) * step / steps), round(y1 + (y2 - y1) * step / steps))
        for step in range(steps + 1)
    ]


def _contains(outer: Area, inner: Area) -> bool:
    return outer.x1 <= inner.x1 and outer.y1 <= inner.y1 and outer.x2 >= inner.x2 and outer.y2 >= inner.y2
