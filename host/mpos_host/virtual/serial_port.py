"""The board's serial port: a pseudo-terminal that mpremote opens as it would a board's USB port."""

from __future__ import annotations

import array
import fcntl
import os
import pty
import termios
import tty

from mpos_host.virtual.awake_clock import AwakeClock


class SerialPort:
    """The pseudo-terminal. `name` is what mpremote connects to, `fd` the board's end (non-blocking).

    The other end is kept open here too, so that the board's end does not report a hang-up when mpremote
    leaves. Output is bounded, as on a board: some KiB wait for a reader. A reader that reads, however slowly,
    gets everything (the VM is held up meanwhile); when nobody has read for half a second, output is thrown
    away until somebody reads again. Half a second by `clock`: a reader that the host gave no time is none
    that does not read.
    """

    LIMIT = 4096  # beside the 4 KiB of the terminal itself; more would make a Ctrl-C seem slow
    PATIENCE_S = 0.5

    def __init__(self, clock: AwakeClock) -> None:
        self._clock = clock
        self.fd, self._peer = pty.openpty()
        try:
            tty.setraw(self._peer, termios.TCSANOW)
            self.name = os.ttyname(self._peer)
            os.set_blocking(self.fd, False)
        except BaseException:
            self.close()
            raise
        self._waiting = bytearray()
        self._read_at = clock.now
        self._nobody_reads = False

    def close(self) -> None:
        """Hang up. May be called twice."""
        for descriptor in {self.fd, self._peer} - {-1}:
            os.close(descriptor)
        self.fd = self._peer = -1

    @property
    def is_in_use(self) -> bool:
        """Whether a tool has it open for itself, as pyserial does it (flock)."""
        try:
            fcntl.flock(self._peer, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._peer, fcntl.LOCK_UN)
        return False

    def receive(self) -> bytes:
        """What the host has sent; empty if nothing."""
        try:
            return os.read(self.fd, 4096)
        except BlockingIOError:
            return b""

    def send(self, data: bytes) -> None:
        """Queue bytes for the host and pass on what it takes."""
        if self._nobody_reads:
            if self._unread():
                return
            self._nobody_reads = False
        if not self._waiting:
            self._read_at = self._clock.now
        self._waiting += data
        self.flush()

    def flush(self) -> None:
        """Pass on what waits, as far as the host takes it; throw it away when nobody reads."""
        while self._waiting:
            try:
                count = os.write(self.fd, self._waiting[:4096])
            except BlockingIOError:
                break
            del self._waiting[:count]
            self._read_at = self._clock.now
        if self.is_full and self._clock.now - self._read_at >= self.PATIENCE_S:
            self._waiting.clear()
            self._nobody_reads = True

    @property
    def has_output(self) -> bool:
        return bool(self._waiting)

    @property
    def is_full(self) -> bool:
        """True if the VM has to be held up."""
        return len(self._waiting) >= self.LIMIT

    def _unread(self) -> int:
        """Bytes the terminal holds for a reader (one that opens it with pyserial throws them away)."""
        return bytes_to_read(self._peer)


def bytes_to_read(descriptor: int) -> int:
    """How much could be read from a pipe or terminal; for a pipe either end will do."""
    count = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, count)
    return count[0]
