"""The virtual board: a MicroPython VM with serial port, flash and panel, played by this computer."""

from mpos_host.virtual.board import BoardError, VirtualBoard
from mpos_host.virtual.flash import Flash, FlashError

__all__ = ["BoardError", "Flash", "FlashError", "VirtualBoard"]
