"""What the supervisor has to see in the VM's output: the end of booting, and which REPL the host is in."""

from __future__ import annotations

from collections.abc import Callable

RAW_GREETING = b"raw REPL; CTRL-B to exit\r\n"  # shared/runtime/pyexec.c
FRIENDLY_PROMPT = b">>> "
_FRIENDLY_GREETING = b"information.\r\n" + FRIENDLY_PROMPT  # the end of the banner
CTRL_A, CTRL_B, CTRL_D = b"\x01", b"\x02", b"\x04"


class BootOutput:
    """The output of a starting VM: passed on until the bootstrap prints `mark`, after boot.py and main.py.

    Then the REPL follows. With `raw` (a soft reset from the raw REPL) the VM, which always starts with the
    friendly one, is switched over by `enter_raw`, and its banner and first prompt are dropped.
    """

    def __init__(self, mark: bytes, raw: bool, enter_raw: Callable[[], None]):
        self.is_over = False
        self._awaited = mark
        self._mark = mark
        self.raw = raw
        self._enter_raw = enter_raw
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take the next output; returns what goes to the host."""
        if self.is_over:
            return data
        data = self._held + data
        self._held = b""
        shown = b""
        if self._awaited is self._mark:
            shown, found, data = data.partition(self._mark)
            if not found:
                keep = _overlap(shown, self._mark)
                self._held = shown[len(shown) - keep :]
                return shown[: len(shown) - keep]
            if not self.raw:
                self.is_over = True
                return shown + data
            self._awaited = RAW_GREETING
            self._enter_raw()
        _, found, rest = data.partition(RAW_GREETING)
        if not found:
            self._held = data
            return shown
        self.is_over = True
        return shown + RAW_GREETING + rest

    def flush(self) -> bytes:
        """What is held back, when the VM has ended."""
        held, self._held = self._held, b""
        return held


class ReplMode:
    """Follows whether the host is in the raw REPL, as a board itself knows: a soft reset depends on it.

    The host's Ctrl-A or Ctrl-B is only a request; the greeting of the REPL that follows is the answer. The
    REPL may as well be one that main.py serves (mpos/console).
    """

    def __init__(self) -> None:
        self.is_raw = False
        self._request = b""
        self._answer = b""  # the output since the request, as much as the greeting is long

    def from_host(self, data: bytes) -> None:
        a, b = data.rfind(CTRL_A), data.rfind(CTRL_B)
        if a != b:
            self._request = CTRL_A if a > b else CTRL_B

    def from_board(self, data: bytes) -> None:
        if not self._request:
            return
        greeting = RAW_GREETING if self._request == CTRL_A else _FRIENDLY_GREETING
        self._answer = self._answer[-len(greeting) :] + data
        if greeting in self._answer:
            self.is_raw = self._request == CTRL_A
            self._request = self._answer = b""


def _overlap(data: bytes, mark: bytes) -> int:
    """How many bytes at the end of `data` may be the start of `mark`."""
    for length in range(min(len(data), len(mark) - 1), 0, -1):
        if mark.startswith(data[-length:]):
            return length
    return 0
