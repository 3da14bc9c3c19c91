"""What the live view learns of a board while somebody looks: pictures, figures, the log.

Each feed is a coroutine that runs from the first viewer's arrival to the last one's departure, so that a
board that nobody looks at is asked nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from mpos_host.cli.app_log import AppLog
from mpos_host.project import UserError
from mpos_host.virtual.board import VirtualBoard
from mpos_host.virtual.panel.areas import HEIGHT, WIDTH, Area, paste
from mpos_host.virtual.view.own_console import ConsoleInUse, OwnConsole
from mpos_host.virtual.view.panel_line import changes

_CONNECT_AGAIN_S = 0.1  # the panel starts afresh with each reset
_SAMPLE_S = 1.0
_LOG_WAIT_S = 1.0
_LOG_LINES = 1000  # kept for a viewer that comes later

Tell = Callable[..., None]  # tell(kind, **news) to all viewers


class Screen:
    """A copy of what the panel shows."""

    def __init__(self, path: str):
        self._path = path
        self.pixels = bytearray(WIDTH * HEIGHT * 2)

    async def follow(
        self, draw: Callable[[list[Area]], None], tell: Tell, on_panel: Callable[[], None]
    ) -> None:
        """`draw` is called with the areas that have changed; `tell("frames")` has their numbers and times.

        `on_panel` is called when the panel is there, again when it has started afresh.
        """
        while True:
            try:
                async with changes(self._path) as stream:
                    on_panel()
                    async for head, pixels in stream:
                        areas = [Area.of_box(*box) for box in head["areas"]]
                        self._paste(areas, pixels)
                        draw(areas)
                        if head["frames"]:
                            tell("frames", frames=head["frames"])
            except OSError:
                pass  # it does not run
            await asyncio.sleep(_CONNECT_AGAIN_S)

    def _paste(self, areas: list[Area], pixels: bytes) -> None:
        start = 0
        for area in areas:
            _, _, width, height = area.box
            end = start + width * height * 2
            paste(self.pixels, area, pixels[start:end])
            start = end


async def sample(console: OwnConsole, is_paused: Callable[[], bool], tell: Tell) -> None:
    """`tell("sample")` once a second with the loop's figures, or `tell("silence")`: why there are none."""
    while True:
        if is_paused():
            tell("silence", why="paused")
        else:
            try:
                tell("sample", **await asyncio.to_thread(console.sample))
            except ConsoleInUse as error:
                tell("silence", why=str(error))
            except (UserError, OSError):
                tell("silence", why="the loop does not answer: it starts, or something holds it")
        await asyncio.sleep(_SAMPLE_S)


class Log:
    """What the app has printed, as far as it is kept."""

    def __init__(self, board: VirtualBoard):
        self._board = board
        self._app_log = AppLog()
        self._position = 0
        self.lines: deque[str] = deque(maxlen=_LOG_LINES)

    async def follow(self, tell: Tell) -> None:
        """`tell("log")` has what is new of it. And `tell("state")`, when the board dies or is up again."""
        down: str | None = None
        while True:
            since = self._position
            text, self._position = await asyncio.to_thread(self._board.next_lines, since, _LOG_WAIT_S)
            shown = self._app_log.feed(text)
            if shown:
                self.lines.extend(shown.splitlines(keepends=True))
                tell("log", text=shown)
            if self._board.exit_reason != down:
                down = self._board.exit_reason
                tell("state", down=down)
            if not text and down is not None:
                await asyncio.sleep(_LOG_WAIT_S)  # a board that is down is not waited for
