"""Which boards are plugged in: serial ports by USB id, and finding one again after a reset."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from serial.tools import list_ports

from mpos_host import project
from mpos_host.project import Board, UserError

_PAUSE_S = 0.1


@dataclass(frozen=True)
class Port:
    """A serial port of a USB device."""

    device: str  # /dev/ttyACM0
    usb_id: str  # "303a:1001", vendor and product
    serial_number: str  # "" if it has none
    location: str  # the socket it is plugged into, like "1-3"
    description: str

    @property
    def identity(self) -> str:
        """What is the same under another port name: "SERIAL_NUMBER@LOCATION"."""
        return f"{self.serial_number}@{self.location}"

    @classmethod
    def known_as(cls, device: str, identity: str) -> Port:
        """The port that was at `device`, from its `identity`."""
        serial_number, _, location = identity.rpartition("@")
        return cls(device, "", serial_number, location, "")


def connected() -> list[Port]:
    """The serial ports of USB devices that are plugged in now."""
    ports = [
        Port(
            device=info.device,
            usb_id=f"{info.vid:04x}:{info.pid:04x}",
            serial_number=info.serial_number or "",
            location=info.location or "",
            description=info.description or "",
        )
        for info in list_ports.comports()
        if info.vid is not None and info.pid is not None
    ]
    return sorted(ports, key=lambda port: port.device)


def may_be(board: Board, port: Port) -> bool:
    """Whether `port` has a USB id that `board` reports itself under. Other boards may have the same one."""
    return port.usb_id in board.facts.get("usb", {}).get("ids", [])


def names_for(port: Port) -> list[str]:
    """The boards that the device at `port` may be, by its USB id."""
    return [name for name in project.board_names() if may_be(project.load_board(name), port)]


def find_port(
    board: Board, ports: Sequence[Port], ask: Callable[[Sequence[Port]], Port] | None = None
) -> Port:
    """The port of `ports` that `board` is at. With several, `ask` chooses.

    Raises UserError if there is none, or several and nobody to ask.
    """
    if board.is_process:
        raise UserError(
            f"{board.name} has no USB port: say --port, which `mpos run APP` shows while it runs", 2
        )
    candidates = [port for port in ports if may_be(board, port)]
    if not candidates:
        others = ", ".join(f"{port.device} ({port.usb_id} {port.description})" for port in ports) or "nothing"
        raise UserError(
            f"no {board.name} is plugged in (looked for USB {', '.join(board.facts['usb']['ids'])}; "
            f"there is: {others}). Is the cable one for data? Else say --port"
        )
    if len(candidates) == 1:
        return candidates[0]
    if ask is None:
        choice = " or --port ".join(port.device for port in candidates)
        raise UserError(f"several ports may be a {board.name}: say --port {choice}")
    return ask(candidates)


def find_again(
    port: Port, seconds: float, listing: Callable[[], Iterable[Port]] = connected, pause: float = _PAUSE_S
) -> Port:
    """Wait until the board that was at `port` is plugged in again; its port's name may be another one then.

    A board is known by its serial number, or by the socket it is in: firmware and the chip's boot loader
    report themselves under different ids and some boards have no number. Raises UserError after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        there = list(listing())
        for same in (
            [one for one in there if port.serial_number and one.serial_number == port.serial_number],
            [one for one in there if port.location and one.location == port.location],
            [one for one in there if port.identity == "@" and one.device == port.device],
        ):
            if same:
                return same[0]
        if time.monotonic() >= deadline:
            raise UserError(
                f"the board at {port.device} did not come back: waited {seconds:g} s for it to reset; "
                "unplug it, plug it in, and try again"
            )
        time.sleep(pause)
