"""What the host sends to the board: bytes for the VM's stdin, and Ctrl-C, which is an interrupt or a byte."""

from __future__ import annotations

import os
import time

from mpos_host.virtual.vm import VmProcess

_CTRL_C = b"\x03"
_RETRY_S = 0.002  # an interrupt is about to be raised, or a Ctrl-C about to be read
_LATER_S = 0.02  # nobody has read the Ctrl-C for a while
_SOON_S = 0.2
_PIECE = 4096


class HostInput:
    """Holds what the VM has not taken yet, in order.

    A Ctrl-C that arrives while the VM runs code interrupts it out of turn, as the interrupt of a board's port
    does. At a prompt it is a byte, and so it is while code has switched it off with micropython.kbd_intr(-1).
    A byte that nobody has read yet when Ctrl-C is switched on interrupts as well: the VM had been between
    prompt and code, or the loop has switched it on for code that holds it.
    """

    LIMIT = 64 * 1024

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._unread_since: float | None = None  # since when a Ctrl-C is in the VM's stdin
        self._interrupting = False  # an interrupt is stored in the VM and not raised yet

    @property
    def is_full(self) -> bool:
        return len(self._bytes) >= self.LIMIT

    @property
    def awaits_room(self) -> bool:
        """True if there are bytes for as soon as the VM's stdin takes them."""
        return bool(self._bytes)

    @property
    def retry_s(self) -> float | None:
        """In how many seconds `see_interrupt_through` wants to be called again; None if not. There is no
        event for it."""
        if self._interrupting:
            return _RETRY_S
        if self._unread_since is None:
            return None
        return _RETRY_S if time.monotonic() - self._unread_since < _SOON_S else _LATER_S

    def clear(self) -> None:
        """Forget everything: the board was reset."""
        self._bytes.clear()
        self.forget_interrupts()

    def forget_interrupts(self) -> None:
        """The VM they were for has ended."""
        self._unread_since = None
        self._interrupting = False

    def receive(self, data: bytes, running: VmProcess | None) -> None:
        """Take what the host sent. `running`: the VM, if it is so far that it may be interrupted."""
        first, *rest = data.split(_CTRL_C)
        self._bytes += first
        for piece in rest:
            if running is not None and running.interrupt():
                self._interrupting = True
            else:
                self._bytes += _CTRL_C
            self._bytes += piece

    def send(self, vm: VmProcess) -> None:
        """Pass on what the VM takes now."""
        while self._bytes:
            piece = bytes(self._bytes[:_PIECE])
            try:
                count = os.write(vm.stdin, piece)
            except (BlockingIOError, BrokenPipeError):  # full; or the VM has ended, which is seen in its turn
                return
            del self._bytes[:count]
            if _CTRL_C in piece[:count]:
                self._unread_since = time.monotonic()

    def see_interrupt_through(self, vm: VmProcess) -> None:
        """Wake a VM that began to wait just after an interrupt was stored, and make one of a Ctrl-C that it
        has not read."""
        if self._interrupting:
            self._interrupting = vm.is_interrupt_pending()
            if self._interrupting:
                vm.wake()
        elif self._unread_since is not None:
            if vm.unread_input() == 0:
                self._unread_since = None
            elif vm.interrupt_unread():
                self._interrupting = True
