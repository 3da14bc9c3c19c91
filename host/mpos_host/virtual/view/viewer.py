"""One page that looks: what it is sent, in the order and at the rate in which it takes it."""

from __future__ import annotations

import asyncio
import json
import struct
from collections import deque
from typing import Any

from aiohttp import web

from mpos_host.virtual.panel.areas import ALL, Area, cut, merged

_MOST_NEWS = 500  # messages for a page that does not read; then the oldest are dropped
_IN_FLIGHT = 2  # pictures that the page has not said to have shown: more would only be late


class Viewer:
    """`pixels` is the screen as the server knows it. `run()` sends until the page is gone."""

    def __init__(self, socket: web.WebSocketResponse, pixels: bytearray):
        self._socket = socket
        self._pixels = pixels
        self._areas: list[Area] = [ALL]
        self._in_flight = 0
        self._news: deque[dict[str, Any]] = deque(maxlen=_MOST_NEWS)
        self._wake = asyncio.Event()
        self.finger: tuple[int, int] | None = None  # where it holds the screen down

    def tell(self, kind: str, **news: Any) -> None:
        """Send a JSON message: `{"kind": kind, ...}`."""
        self._news.append({"kind": kind, **news})
        self._wake.set()

    def draw(self, areas: list[Area]) -> None:
        """These areas of the screen have changed."""
        self._areas = merged(self._areas + areas)
        self._wake.set()

    def shown(self) -> None:
        """The page has drawn a picture."""
        self._in_flight = max(0, self._in_flight - 1)
        self._wake.set()

    async def run(self) -> None:
        """Raises ConnectionError when the page is gone."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._news:
                await self._socket.send_str(json.dumps(self._news.popleft()))
            if self._areas and self._in_flight < _IN_FLIGHT:
                areas, self._areas = self._areas, []
                self._in_flight += 1
                await self._socket.send_bytes(picture(self._pixels, areas))


def picture(pixels: bytes | bytearray, areas: list[Area]) -> bytes:
    """A picture message: u16 count, u16 x, y, width, height of each area (little-endian), their pixels."""
    numbers = [number for area in areas for number in area.box]
    return struct.pack(f"<H{len(numbers)}H", len(areas), *numbers) + b"".join(
        cut(pixels, area) for area in areas
    )
