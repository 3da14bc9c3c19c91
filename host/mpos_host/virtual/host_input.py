"""What the host sends to the board: bytes for the VM's stdin, and Ctrl-C, which is an interrupt or a byte."""

from __future__ import annotations

import os

from mpos_host.virtual.vm import VmProcess

_CTRL_C = b"\x03"
_RETRY_S = 0.002  # while the VM is between prompt and code, or about to raise an interrupt
# Of the VM's processor time; then a Ctrl-C becomes a byte: compiling a large script takes that long at most.
_PATIENCE_S = 2.0
_PIECE = 4096


class HostInput:
    """Holds what the VM has not taken yet, in order.

    A Ctrl-C that arrives while the VM runs code interrupts it out of turn, as the interrupt of a board's port
    does. At a prompt it is a byte, and so it is while code has switched it off with micropython.kbd_intr(-1).
    In between (a command has been sent, and runs in a moment) it waits for the VM to be either.
    """

    LIMIT = 64 * 1024

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._tried_at: float | None = None  # the VM's processor time since when the Ctrl-C at the head waits
        self._interrupting = False  # an interrupt is stored in the VM and not raised yet

    @property
    def is_full(self) -> bool:
        return len(self._bytes) >= self.LIMIT

    @property
    def awaits_room(self) -> bool:
        """True if there are bytes for as soon as the VM's stdin takes them."""
        return bool(self._bytes) and self._tried_at is None

    @property
    def retry_s(self) -> float | None:
        """In how many seconds `send` wants to be called again; None if not. There is no event for it."""
        return _RETRY_S if self._tried_at is not None or self._interrupting else None

    def clear(self) -> None:
        """Forget everything: the board was reset."""
        self._bytes.clear()
        self.forget_interrupts()

    def forget_interrupts(self) -> None:
        """The VM they were for has ended."""
        self._tried_at = None
        self._interrupting = False

    def receive(self, data: bytes, running: VmProcess | None) -> None:
        """Take what the host sent. `running`: the VM, if it is so far that it may be interrupted."""
        first, *rest = data.split(_CTRL_C)
        self._bytes += first
        for piece in rest:
            if running is None or not self._interrupt(running):
                self._bytes += _CTRL_C
            self._bytes += piece

    def send(self, vm: VmProcess) -> None:
        """Pass on what the VM takes now."""
        while self._bytes:
            if self._bytes[:1] == _CTRL_C:
                if not self._send_ctrl_c(vm):
                    break
                continue
            end = self._bytes.find(_CTRL_C)
            if not self._write(vm, bytes(self._bytes[: end if end >= 0 else None][:_PIECE])):
                break

    def see_interrupt_through(self, vm: VmProcess) -> None:
        """Wake a VM that began to wait just after an interrupt was stored."""
        if self._interrupting:
            self._interrupting = vm.is_interrupt_pending()
            if self._interrupting:
                vm.wake()

    def _interrupt(self, vm: VmProcess) -> bool:
        if not vm.interrupt():
            return False
        self._interrupting = True
        return True

    def _send_ctrl_c(self, vm: VmProcess) -> bool:
        """Deliver the Ctrl-C at the head; False if the VM is between prompt and code."""
        # Looked at before the attempt: code that starts right after one that was too early may wait as well,
        # and then it is code that waits for this Ctrl-C.
        waits = vm.unread_input() == 0 and vm.waits_for_input()
        if self._interrupt(vm):
            del self._bytes[:1]
        elif waits or (self._tried_at is not None and vm.processor_time() - self._tried_at > _PATIENCE_S):
            if not self._write(vm, _CTRL_C):
                return False
        else:
            if self._tried_at is None:
                self._tried_at = vm.processor_time()
            return False
        self._tried_at = None
        return True

    def _write(self, vm: VmProcess, piece: bytes) -> bool:
        try:
            count = os.write(vm.stdin, piece)
        except (BlockingIOError, BrokenPipeError):  # full; or the VM has ended, which is seen in its turn
            return False
        del self._bytes[:count]
        return count == len(piece)
