"""The board's serial port: a pseudo-terminal for mpremote, and the text the VM prints made to look like a board's."""

from __future__ import annotations

import os
import pty
import termios
import threading
import time
import tty

RAW_MARK = (
    b"\xff\xfe\x1bRAW"  # boards/virtual/firmware/board_sys.py: then a length (<I), then that many bytes
)


class SerialPort:
    """The pseudo-terminal. `name` is what mpremote connects to, `fd` the board's end (non-blocking).

    The other end is kept open here too, so that the board's end does not report a hang-up when mpremote
    leaves. Output is bounded, as on a board: 64 KiB wait for a reader. A reader that reads, however slowly,
    gets everything (the VM is held up meanwhile); when nobody has read for half a second, what waits is
    thrown away and the VM goes on.
    """

    LIMIT = 64 * 1024
    PATIENCE_S = 0.5

    def __init__(self) -> None:
        self.fd, self._peer = pty.openpty()
        try:
            tty.setraw(self._peer, termios.TCSANOW)
            self.name = os.ttyname(self._peer)
            os.set_blocking(self.fd, False)
        except BaseException:
            self.close()
            raise
        self._waiting = bytearray()
        self._read_at = time.monotonic()

    def close(self) -> None:
        """Hang up. May be called twice."""
        for descriptor in {self.fd, self._peer} - {-1}:
            os.close(descriptor)
        self.fd = self._peer = -1

    def receive(self) -> bytes:
        """What the host has sent; empty if nothing."""
        try:
            return os.read(self.fd, 4096)
        except BlockingIOError:
            return b""

    def send(self, data: bytes) -> None:
        """Queue bytes for the host and pass on what it takes."""
        if not self._waiting:
            self._read_at = time.monotonic()
        self._waiting += data
        self.flush()

    def flush(self) -> None:
        """Pass on what waits, as far as the host takes it; throw it away when nobody reads."""
        while self._waiting:
            try:
                count = os.write(self.fd, self._waiting[:4096])
            except BlockingIOError:
                count = 0
            if not count:
                break
            del self._waiting[:count]
            self._read_at = time.monotonic()
        if self.is_full and time.monotonic() - self._read_at >= self.PATIENCE_S:
            self._waiting.clear()
            termios.tcflush(self._peer, termios.TCIFLUSH)  # and what the terminal holds: it is as old

    @property
    def has_output(self) -> bool:
        return bool(self._waiting)

    @property
    def is_full(self) -> bool:
        """True if the VM has to be held up."""
        return len(self._waiting) >= self.LIMIT


class BoardText:
    """Turns what the VM writes into what a board sends: CR LF at line ends, but bytes as they are.

    The VM writes LF where a board's port writes CR LF, and writes what goes through `sys.stdout.buffer` to the
    same pipe; the firmware puts RAW_MARK and a length before those (board_sys.py).
    """

    def __init__(self) -> None:
        self._held = b""  # the start of a mark, perhaps
        self._raw = 0  # bytes still to pass as they are
        self._after_cr = False

    @property
    def is_holding(self) -> bool:
        return bool(self._held)

    def feed(self, data: bytes) -> bytes:
        """Convert the next piece. The start of a mark at its end is held back until it is complete."""
        data = self._held + data
        self._held = b""
        out = bytearray()
        while data:
            if self._raw:
                piece, data = data[: self._raw], data[self._raw :]
                self._raw -= len(piece)
                out += piece
                self._after_cr = False
                continue
            text, data = self._split_mark(data)
            out += self._cook(text)
            if data[: len(RAW_MARK)] == RAW_MARK and len(data) >= len(RAW_MARK) + 4:
                start = len(RAW_MARK) + 4
                self._raw = int.from_bytes(data[len(RAW_MARK) : start], "little")
                data = data[start:]
            else:
                self._held, data = data, b""
        return bytes(out)

    def flush(self) -> bytes:
        """What was held back, when nothing follows."""
        held, self._held = self._held, b""
        return self._cook(held)

    @staticmethod
    def _split_mark(data: bytes) -> tuple[bytes, bytes]:
        """Cut before the first mark, or before what may be the start of one at the end."""
        at = data.find(RAW_MARK)
        if at < 0:
            at = data.rfind(RAW_MARK[:1], max(0, len(data) - len(RAW_MARK) + 1))
            if at < 0 or not RAW_MARK.startswith(data[at:]):
                at = len(data)
        return data[:at], data[at:]

    def _cook(self, text: bytes) -> bytes:
        if not text:
            return text
        # LF after CR stays: the REPL itself writes CR LF.
        cooked = text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if self._after_cr and text[:1] == b"\n":
            cooked = cooked[1:]
        self._after_cr = text[-1:] == b"\r"
        return cooked


class OutputLog:
    """The last `size` bytes of what the board sent, for whoever wants to look without reading the port.

    Thread-safe. Positions count from the board's start and only grow.
    """

    def __init__(self, size: int):
        self._size = size
        self._data = bytearray()
        self._end = 0
        self._changed = threading.Condition()
        self._down: str | None = None

    @property
    def end(self) -> int:
        """The position behind the last byte so far."""
        return self._end

    def append(self, data: bytes) -> None:
        with self._changed:
            self._data += data
            self._end += len(data)
            if len(self._data) > 2 * self._size:  # rarely: cutting the front off moves the rest
                del self._data[: -self._size]
            self._changed.notify_all()

    def text(self, since: int = 0) -> str:
        """What was sent from position `since` on, as far as it is kept."""
        with self._changed:
            return self._since(since).decode("utf-8", "replace")

    def set_down(self, why: str | None) -> None:
        """Say why nothing more will come, which ends all waits; None when the board is up again."""
        with self._changed:
            self._down = why
            self._changed.notify_all()

    def wait(self, text: str, timeout: float, since: int) -> str:
        """Wait until `text` is there, and return everything up to its end.

        Raises TimeoutError, which shows what came instead.
        """
        wanted = text.encode()
        found = -1

        def arrived() -> bool:
            nonlocal found
            found = self._since(since).find(wanted)
            return found >= 0 or self._down is not None

        with self._changed:
            self._changed.wait_for(arrived, timeout)
            seen = self._since(since)
        if found < 0:
            why = self._down or f"within {timeout:g} s"
            tail = seen[-1000:].decode("utf-8", "replace")
            raise TimeoutError(f"the board did not print {text!r} ({why}); it printed: {tail!r}")
        return seen[: found + len(wanted)].decode("utf-8", "replace")

    def _since(self, position: int) -> bytes:
        start = max(0, position - (self._end - len(self._data)))
        return bytes(self._data[start:])
