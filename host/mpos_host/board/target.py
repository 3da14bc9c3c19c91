"""A board that is in use, whichever kind it is: the command line and the tests go through this.

A virtual board (and lvgl_micropython's desktop binary) is started here and ends here; a real board is used
as it is found at its port.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpos_host.board.device import Device
from mpos_host.board.ports import connected, find_again
from mpos_host.project import Board, UserError

if TYPE_CHECKING:
    from mpos_host.virtual.board import VirtualBoard
    from mpos_host.virtual.panel.client import PanelClient


# Seconds for the port of a board that was reset: USB takes one or two.
_COME_BACK = 10

_SMALLEST_HEAP = 64 * 1024  # bytes; the virtual board's firmware takes 45 KB of it


class Target:
    """`board` at `port`, or played by a process of this computer. A context manager.

    `binary` is lvgl_micropython's unix binary, for the board unix_sdl. `heap` and `flash` are sizes like
    256k or 4M, for boards that are processes. `log` gets what the board prints on its own.

    Raises `UserError` for a combination that cannot be.
    """

    def __init__(
        self,
        board: Board,
        port: str | None = None,
        binary: str | None = None,
        heap: str | None = None,
        flash: str | None = None,
        log: Callable[[str], None] | None = None,
    ):
        self.board = board
        self.virtual: VirtualBoard | None = None
        self.log = log
        self._port = port
        self._usb = next((one for one in connected() if one.device == port), None)
        self._device: Device | None = None
        if port is None and not board.is_process:
            raise UserError(f"which port is {board.name} at? Say --port; `mpos boards` lists them", 2)
        if port is None:
            self._options = _process_options(board, binary, heap, flash)
        elif binary or heap or flash:
            raise UserError(
                "--binary, --heap and --flash are for boards that are processes, not for --port", 2
            )

    def __enter__(self) -> Target:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the process that plays the board, if one does."""
        if self._port is None and self.virtual is None:
            from mpos_host.virtual.board import VirtualBoard

            self.virtual = VirtualBoard(**self._options)

    def close(self) -> None:
        """Give the port back and end the process that plays the board."""
        virtual, self.virtual = self.virtual, None
        try:
            self.disconnect()
        finally:
            if virtual is not None:
                virtual.close()

    @property
    def port(self) -> str:
        """What mpremote connects to."""
        if self._port is not None:
            return self._port
        assert self.virtual is not None, "start() first"
        return self.virtual.port

    @property
    def device(self) -> Device:
        """The console, connected when first used."""
        if self._device is None:
            self._device = Device(self.port, self.exit_reason, self.log)
        return self._device

    @property
    def panel(self) -> PanelClient:
        """The virtual board's screen and touch. Raises `UserError` on other boards."""
        panel = self.virtual.panel if self.virtual is not None else None
        if panel is None:
            raise UserError(
                f"{self.board.name} has no panel that the host can see: only the virtual board has"
            )
        return panel

    @property
    def abilities(self) -> frozenset[str]:
        """What tests can ask for with REQUIRES: the board's name; "process" or "hardware"; "panel", whose
        screen and touch the host has; "idle", where no driver polls while nothing moves."""
        process = self._port is None
        abilities = {self.board.name, "process" if process else "hardware"}
        if process and self.board.name == "virtual":
            abilities.add("panel")
        if self.board.facts.get("display", {}).get("driver") != "sdl_display":
            abilities.add("idle")  # SDL's events are fetched by a timer of 5 ms
        return frozenset(abilities)

    def exit_reason(self) -> str | None:
        """Why the process that plays the board died; None while it lives and for a real board."""
        return self.virtual.exit_reason if self.virtual is not None else None

    def disconnect(self) -> None:
        """Let others use the port."""
        device, self._device = self._device, None
        if device is not None:
            device.close()

    def restart(self) -> None:
        """A board that has just been switched on: for one that is a process, a new process, same flash.

        A real board is reset by its reset line, if its port has one, and its port may get another name by
        that. Raises UserError if the port does not come back.
        """
        if self.virtual is not None:
            self.disconnect()
            self.virtual.reset()
            return
        if self._device is not None:
            self._device.pulse_reset_line()
        self.disconnect()
        if self._usb is not None:
            self._port = find_again(self._usb, _COME_BACK).device


def parse_size(text: str) -> int:
    """Bytes of a size like 65536, 256k or 4M."""
    match = re.fullmatch(r"(\d+)([kKmM]?)", text)
    if not match:
        raise UserError(f"{text!r} is no size: say it like 256k or 4M", 2)
    return int(match[1]) << {"": 0, "k": 10, "m": 20}[match[2].lower()]


def _process_options(board: Board, binary: str | None, heap: str | None, flash: str | None) -> dict[str, Any]:
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"):
        raise UserError(
            "the virtual board runs on Linux x86_64 only (its parts exist for nothing else); "
            "a real board works from here: --board NAME --port PORT"
        )
    options: dict[str, Any] = {}
    if board.name == "virtual":
        if binary is not None:
            raise UserError("the virtual board needs no --binary; did you mean --board unix_sdl?", 2)
    elif binary is None:
        raise UserError(f"{board.name} needs --binary PATH, lvgl_micropython's unix binary", 2)
    elif not Path(binary).is_file():
        raise UserError(f"there is no file {binary}: --binary names lvgl_micropython's unix binary", 2)
    else:
        options["binary"] = str(Path(binary).resolve())
    if heap is not None:
        if parse_size(heap) < _SMALLEST_HEAP:
            raise UserError(f"a heap of {heap} is too small for the virtual board: say 256k or more", 2)
        options["heap"] = heap
    if flash is not None or "flash" in board.facts:
        from mpos_host.virtual.flash import BLOCK_SIZE, MIN_SIZE

        size = flash or str(board.facts["flash"].get("size", "4M"))
        options["flash_size"] = parse_size(size)
        if options["flash_size"] % BLOCK_SIZE or options["flash_size"] < MIN_SIZE:
            raise UserError(f"a flash of {size} cannot be: say 64k or more, a multiple of 4k", 2)
    return options
