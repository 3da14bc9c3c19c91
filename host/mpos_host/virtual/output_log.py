"""What the board has sent, for the host to look at without touching the serial port."""

from __future__ import annotations

import threading


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
            raise TimeoutError(f"the board did not print {text[:200]!r} ({why}); it printed: {tail!r}")
        return seen[: found + len(wanted)].decode("utf-8", "replace")

    def lines(self, timeout: float, since: int) -> tuple[str, int]:
        """Wait for the end of a line; returns all whole lines from `since` on and the position behind them.

        ("", since) if none ended within `timeout` seconds or before the board died.
        """
        with self._changed:
            self._changed.wait_for(lambda: b"\n" in self._since(since) or self._down is not None, timeout)
            seen = self._since(since)
            end = seen.rfind(b"\n") + 1
            if not end:
                return "", since
            return seen[:end].decode("utf-8", "replace"), self._end - len(seen) + end

    def _since(self, position: int) -> bytes:
        start = max(0, position - (self._end - len(self._data)))
        return bytes(self._data[start:])
