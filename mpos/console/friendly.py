"""The friendly REPL: a person types. Line editing with history, several lines, paste mode."""

from micropython import const

from .line import Line
from .source import is_incomplete

_CTRL_A = const(1)
_CTRL_B = const(2)
_CTRL_C = const(3)
_CTRL_D = const(4)
_CTRL_E = const(5)


class Friendly:
    """Collects a command from what is typed, and echoes it. The banner and the first prompt are the
    console's."""

    def __init__(self, console):
        self._console = console
        self._line = Line(console.write)
        self._restart()

    def feed(self, chunk, start):
        """Take one byte, at `start`; returns where the next one is. `ready` tells that a command is complete,
        `kind` what it is for `compile`."""
        byte = chunk[start]
        if self._pasting:
            self._paste(byte)
        elif byte <= _CTRL_E and byte and (byte == _CTRL_C or not self._line.text):
            self._control(byte)
        elif self._line.feed(byte):
            self._end_of_line()
        return start + 1

    def take(self):
        """The source of the complete command, which is forgotten here."""
        source = self._source
        self._restart()
        return source

    def finished(self, error):
        """Show the exception that ended the command, if any, and the prompt."""
        if error is not None:
            self._console.report(error)
        if not self._console.reset_requested:
            self._prompt()

    def _restart(self):
        self.ready = False
        self.kind = "single"
        self._pasting = False
        self._source = b""
        self._line.clear()

    def _prompt(self):
        self._line.start("... " if self._source else ">>> ")

    def _control(self, byte):
        """A control character on an empty line, or Ctrl-C anywhere."""
        console = self._console
        if byte == _CTRL_D and self._source:
            console.write("\r\n")
            self.ready = True
        elif byte == _CTRL_C:
            self._restart()
            console.write("\r\n")
            self._prompt()
        elif not self._source:
            console.write("\r\n")
            if byte == _CTRL_A:
                console.enter_raw()
            elif byte == _CTRL_B:
                console.enter_friendly()
            elif byte == _CTRL_D:
                console.request_reset()
            else:
                self._pasting = True
                self._source = bytearray()
                console.write("paste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ")

    def _end_of_line(self):
        text = self._line.take()
        source = self._source + b"\n" + text if self._source else text
        if not source.strip():
            self._source = b""
            self._prompt()
        elif is_incomplete(source):
            self._source = source
            self._prompt()
        else:
            self._source = source
            self.ready = True

    def _paste(self, byte):
        if byte == _CTRL_C:
            self._restart()
            self._console.write("\r\n")
            self._prompt()
        elif byte == _CTRL_D:
            self._console.write("\r\n")
            self._source = bytes(self._source)
            self.kind = "exec"
            self.ready = True
        else:
            self._source.append(byte)
            self._console.write("\r\n=== " if byte == 13 else bytes((byte,)))
