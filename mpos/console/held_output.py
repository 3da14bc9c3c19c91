"""What the app prints while a program talks to the raw REPL is held back until that is over.

mpremote takes each byte between two commands for an answer: a line that an app prints there ends its session.
So `print` keeps such lines, and they are shown when the program has left. What a command itself prints goes
through at once. `sys.stdout.write` and other threads are not held: they take care of themselves.
"""

import _thread
import builtins
import io

from micropython import const

_LIMIT = const(2048)

_print = print


class HeldOutput:
    """`is_own()` tells whether the code that runs is the command's."""

    def __init__(self, is_own):
        self._is_own = is_own
        self._thread = _thread.get_ident()
        self._text = None
        self._lost = 0

    def hold(self):
        """Begin, or go on."""
        builtins.print = self._hold_print

    def release(self, write):
        """End; the text so far goes to `write`."""
        builtins.print = _print
        text, self._text = self._text, None
        if self._lost:
            write("(%d characters of output were lost here)\n" % self._lost)
            self._lost = 0
        if text is not None:
            write(text.getvalue())

    def _hold_print(self, *values, **options):
        if not self._is_own() and "file" not in options and _thread.get_ident() == self._thread:
            try:
                self._keep(values, options)
                return
            except MemoryError:
                pass  # Printing it directly needs none.
        _print(*values, **options)

    def _keep(self, values, options):
        text = self._text
        if text is not None and text.tell() > _LIMIT:
            self._lost += text.tell()
            text = None
        if text is None:
            text = self._text = io.StringIO()
        _print(*values, file=text, **options)
