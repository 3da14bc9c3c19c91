"""The virtual board: a MicroPython VM with a serial port, a flash and a panel, played by processes of this computer."""

from mpos_host.virtual.board import BoardError, VirtualBoard
from mpos_host.virtual.flash import Flash, FlashError

__all__ = ["BoardError", "Flash", "FlashError", "VirtualBoard"]
