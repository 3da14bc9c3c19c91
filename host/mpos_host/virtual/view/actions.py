"""What a viewer, or a command beside `mpos run`, may have the board do: JSON, `{"do": NAME, ...}`."""

from __future__ import annotations

import asyncio
from typing import Any

from mpos_host.project import UserError
from mpos_host.virtual.board import VirtualBoard
from mpos_host.virtual.panel.areas import HEIGHT, WIDTH, straight
from mpos_host.virtual.panel.key_codes import key_code
from mpos_host.virtual.view.own_console import OwnConsole
from mpos_host.virtual.view.panel_line import PanelLine


class Actions:
    """`do(request)` does one and returns its answer (JSON)."""

    def __init__(self, board: VirtualBoard, panel: PanelLine, console: OwnConsole):
        self._board = board
        self._panel = panel
        self._console = console
        self.is_paused = False

    async def do(self, request: dict[str, Any]) -> Any:
        """Raises UserError if it cannot be done."""
        arguments = dict(request)
        name = arguments.pop("do", None)
        method = getattr(self, f"_do_{name}", None)
        if method is None:
            raise UserError(f"the live view cannot do {name!r}")
        try:
            return await method(**arguments)
        except (TypeError, ValueError, OverflowError) as error:
            raise UserError(f"{name}: {error}") from None

    async def _do_touch(self, x: int, y: int, pressed: bool) -> None:
        await self._panel.ask(do="touch", samples=[[x, y, pressed]], live=True)

    async def _do_tap(self, x: int, y: int) -> None:
        point = _on_screen(x, y)
        await self._panel.ask(do="touch", samples=[[*point, True], [*point, False]])

    async def _do_drag(self, x1: int, y1: int, x2: int, y2: int) -> None:
        start, end = _on_screen(x1, y1), _on_screen(x2, y2)
        samples = [[*point, True] for point in straight(*start, *end)] + [[*end, False]]
        await self._panel.ask(do="touch", samples=samples)

    async def _do_key(self, key: str) -> None:
        """A key by LVGL's name for it, or a character."""
        await self._panel.ask(do="keys", codes=[key_code(key)])

    async def _do_texts(self) -> list[str]:
        return (await self._panel.ask(do="texts"))["texts"]

    async def _do_tree(self) -> list[dict[str, Any]]:
        return await self._panel.ask(do="tree")

    async def _do_pause(self, on: bool) -> None:
        await self._panel.ask(do="pause", on=bool(on))
        self.is_paused = bool(on)

    async def _do_reset(self) -> None:
        """Press the reset button."""
        self.is_paused = False
        await asyncio.to_thread(self._board.reset)

    async def _do_restart(self) -> None:
        """Start the app again: a soft reset, or by the button if the board does not answer."""
        await self._do_pause(False)
        try:
            await asyncio.to_thread(self._console.restart)
        except UserError:
            await self._do_reset()

    async def _do_line(self, line: str) -> str:
        """Run a line in the console; what it prints."""
        return await asyncio.to_thread(self._console.run, line)


def _on_screen(x: int, y: int) -> tuple[int, int]:
    if not (0 <= x < WIDTH and 0 <= y < HEIGHT):
        raise UserError(f"({x}, {y}) is not on the screen of {WIDTH} x {HEIGHT} pixels")
    return int(x), int(y)
