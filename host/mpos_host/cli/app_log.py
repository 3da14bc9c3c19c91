"""The app's part of what a board sends: without the talk of tools that use the console beside it.

The protocol is that of MicroPython's raw REPL, with the frames of `mpos_host.board.device` in it.
"""

from __future__ import annotations

import re

_RAW = "raw REPL; CTRL-B to exit"

# What begins a talk, and which part of it comes then.
_BEGIN = re.compile(rf"(?P<prompt>{_RAW}\r?\n)|(?P<frame>(?:OK)?\x02)|(?P<errors>\x04)|(?P<pasting>R\x01)")

# The parts that are not the app's: how each ends, and which comes then.
_PARTS = {
    "frame": ("\x03", "app"),
    "pasting": ("\x04", "output"),
    "output": ("\x04", "errors"),
    "errors": ("\x04", "prompt"),
}

# What the friendly REPL shows when a tool gives the console back.
_BANNER = re.compile(r'^(MicroPython [^\n]*|Type "help\(\)"[^\n]*)$')
_PROMPTS = re.compile(r"^(>>> ?)+")


class AppLog:
    """Give `feed()` what the board sends, a line or more at a time; it returns what of it is the app's.

    Empty lines are returned with what follows them.
    """

    def __init__(self) -> None:
        self._part = "app"
        self._blank = ""  # empty lines, until it is known whose they are
        self._own = False  # the last line was the console's

    def feed(self, text: str) -> str:
        """The app's part of `text`, as whole lines where `text` has whole lines."""
        shown = ""
        while text:
            if self._part == "prompt":
                text = text.removeprefix(">")
                self._part = "app"
            elif self._part == "app":
                begin = _BEGIN.search(text)
                end = begin.start() if begin else len(text)
                shown += text[:end]
                text = text[begin.end() :] if begin else ""
                if begin and begin.lastgroup:
                    self._part = begin.lastgroup
            else:
                text = self._skip(text)
        return self._without_banner(shown)

    def _skip(self, text: str) -> str:
        """Drop the rest of the part; one that was cut short ends where the raw REPL is entered anew."""
        ending, following = _PARTS[self._part]
        before, ended, after = text.partition(ending)
        if _RAW in before:
            self._part = "app"
            return text[text.index(_RAW) :]
        if ended:
            self._part = following
        return after

    def _without_banner(self, text: str) -> str:
        """Drop the console's own lines, and the empty ones around them."""
        shown = ""
        for line in text.replace("\r\n", "\n").splitlines(keepends=True):
            line, prompts = _PROMPTS.subn("", line)
            if _BANNER.match(line.rstrip("\n")) or (prompts and line in ("", "\n")):
                self._blank, self._own = "", True
            elif line != "\n":
                shown += self._blank + line
                self._blank, self._own = "", False
            elif not self._own:
                self._blank += line
        return shown
