"""Takes the messages of tests/device/reporting.py out of what a board prints.

A frame is the byte 0x1E, a line of JSON, an optional body, the byte 0x1F. A board that dies in the middle of
one leaves it open: what it had is then output like any other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

_BEGIN, _END = "\x1e", "\x1f"

_LINE = 200  # characters that a line of interest has at most


class MessageReader:
    """Feed it the output piece by piece; it calls `on_message(message, body)` for each frame.

    `output` is all the rest, `tail` the end of that: what came last and the line before it.
    """

    def __init__(self, on_message: Callable[[dict[str, Any], str], None]):
        self.tail = ""
        self._on_message = on_message
        self._plain: list[str] = []
        self._frame: list[str] | None = None  # the pieces of the frame that is open

    def feed(self, text: str) -> None:
        """Take what came next; frames may be cut anywhere."""
        while text:
            if self._frame is None:
                plain, begin, text = text.partition(_BEGIN)
                self._plain.append(plain)
                self.tail = self.tail[-_LINE:] + plain
                if begin:
                    self._frame = []
            else:
                inside, end, text = text.partition(_END)
                self._frame.append(inside)
                if end:
                    frame, self._frame = "".join(self._frame), None
                    self._take(frame)

    @property
    def output(self) -> str:
        """What was printed outside of frames so far."""
        return "".join([*self._plain, *(self._frame or [])]).replace("\r\n", "\n")

    def _take(self, frame: str) -> None:
        head, _, body = frame.partition("\n")
        try:
            message = json.loads(head)
        except ValueError:
            message = None
        if isinstance(message, dict):
            self._on_message(message, body)
        else:
            self._plain.append(frame)  # not ours: somebody prints these bytes
