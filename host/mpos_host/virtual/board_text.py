"""What the VM prints, made to look as it does on a board's serial line."""

from __future__ import annotations

# From board_sys.py of the firmware: then a length (<I), then that many bytes.
RAW_MARK = b"\xff\xfe\x1bRAW"


class BoardText:
    """Turns what the VM writes into what a board sends: CR LF at line ends, but bytes as they are.

    The VM writes LF where a board's port writes CR LF, and what goes through `sys.stdout.buffer` comes in the
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
