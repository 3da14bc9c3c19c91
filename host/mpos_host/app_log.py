"""The app's part of what a board sends: without the talk of tools that use the console beside it."""

from __future__ import annotations

import re

# The console enters raw mode; a command begins there (MicroPython's documentation, "Raw-paste mode").
_RAW = r"raw REPL; CTRL-B to exit\r?\n"
_COMMAND = "R\x01"
_EVENT = re.compile(f"{_RAW}|{_COMMAND}")

# A command's answer has three parts, each ended by this byte: it was taken, what it printed, its errors.
_END = "\x04"
_PARTS = 3

# What the friendly REPL shows when a tool gives the console back.
_BANNER = re.compile(r'^(MicroPython v[^\n]*|Type "help\(\)"[^\n]*)$')
_PROMPTS = re.compile(r"^(>>> ?)+")


class AppLog:
    """Give `feed()` what the board sends, a line or more at a time; it returns what of it is the app's.

    An app that prints while a command's answer is under way is taken for the answer.
    """

    def __init__(self) -> None:
        self._parts = 0  # of the answer of a command that are still to come
        self._prompt = False  # a ">" comes next

    def feed(self, text: str) -> str:
        """The app's part of `text`, as whole lines where `text` has whole lines."""
        shown = ""
        while text:
            if self._parts:
                _, ended, text = text.partition(_END)
                self._parts -= bool(ended)
                self._prompt = not self._parts
                continue
            if self._prompt:
                text = text.removeprefix(">")
                self._prompt = False
            event = _EVENT.search(text)
            if event is None:
                return shown + _without_banner(text)
            shown += _without_banner(text[: event.start()])
            text = text[event.end() :]
            if event[0] == _COMMAND:
                self._parts = _PARTS
            else:
                self._prompt = True
        return shown


def _without_banner(text: str) -> str:
    """Drop the console's own lines, and the empty ones around them."""
    kept: list[str] = []
    own = False
    for line in text.replace("\r\n", "\n").splitlines(keepends=True):
        line, prompts = _PROMPTS.subn("", line)
        if _BANNER.match(line.rstrip("\n")) or (prompts and line in ("", "\n")):
            while kept and kept[-1] == "\n":
                kept.pop()
            own = True
        elif line != "\n" or not own:
            kept.append(line)
            own = False
    return "".join(kept)
