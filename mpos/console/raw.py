"""The raw REPL: how programs (mpremote, our own tools) send code and tell output from errors.

Protocol: MicroPython's documentation, "The MicroPython Interactive Interpreter Mode", raw and raw-paste mode.
"""

from micropython import const

from . import is_executing
from .held_output import HeldOutput

_CTRL_A = const(1)
_CTRL_B = const(2)
_CTRL_C = const(3)
_CTRL_D = const(4)
_CTRL_E = const(5)
_STOPS = (b"\x01", b"\x02", b"\x03", b"\x04")
_PASTE_STOPS = (b"\x03", b"\x04")

# Raw-paste: the host may send two windows before it must wait. Together they fit the 260 bytes that a board
# keeps for input that nobody has read yet.
_WINDOW = const(128)


class Raw:
    """Collects a command from the bytes of the host and frames how it ended."""

    kind = "exec"

    def __init__(self, console):
        self._console = console
        self._output = HeldOutput(is_executing)
        self._output.hold()
        self._pasting = False
        self._window = 0
        self._forget()
        self._banner()

    def feed(self, chunk, start):
        """Take bytes from `start` on; returns where it stopped. `ready` tells that a command is complete."""
        end = len(chunk)
        for stop in _PASTE_STOPS if self._pasting else _STOPS:
            position = chunk.find(stop, start, end)
            if position >= 0:
                end = position
        if end > start:
            self._add(chunk[start:end])
            return end
        if self._pasting:
            self._end_paste(chunk[start])
        else:
            self._control(chunk[start])
        return start + 1

    def take(self):
        """The source of the complete command, which is forgotten here.

        Raises:
            MemoryError: it did not fit the heap.
            KeyboardInterrupt: the host gave up in the middle of it.
        """
        source = self._source
        failure = self._failure
        self._forget()
        if failure is not None:
            raise failure
        return bytes(source)

    def finished(self, error):
        """Show how the command ended: None, or the exception that ended it."""
        console = self._console
        console.write("\x04")
        if error is not None:
            console.report(error)
        console.write("\x04" if console.reset_requested else "\x04>")

    def leave(self):
        """The raw REPL is over: show what was held back."""
        self._output.release(self._console.write_text)

    def _forget(self):
        self.ready = False
        self._source = bytearray()
        self._failure = None

    def _banner(self):
        self._console.write("raw REPL; CTRL-B to exit\r\n>")

    def _add(self, data):
        if self._failure is None:
            try:
                self._source.extend(data)
            except MemoryError as error:
                self._source = bytearray()
                self._failure = error
                if self._pasting:
                    self._console.write("\x04")  # Asks the host to stop; it answers with a Ctrl-D.
        if self._pasting and self._failure is None:
            self._window -= len(data)
            while self._window <= 0:
                self._window += _WINDOW
                self._console.write("\x01")

    def _control(self, byte):
        if byte == _CTRL_D:
            # A program that does not paste can tell answers from what the app prints, and wants to see it.
            self._output.release(self._console.write_text)
            self._console.write("OK")
            if self._source or self._failure:
                self.ready = True
            else:
                self._console.write("\r\n")
                self._console.request_reset()
            return
        request = self._source
        self._forget()
        if byte == _CTRL_B:
            self._console.write("\r\n")
            self._console.enter_friendly()
        elif byte == _CTRL_A:
            if len(request) != 2 or request[0] != _CTRL_E:
                self._banner()
            elif request[1] == 65:  # "A" for raw-paste; no other request is known.
                self._pasting = True
                self._window = _WINDOW
                self._output.hold()
                self._console.write(b"R\x01\x80\x00\x01")
            else:
                self._console.write(b"R\x00>")

    def _end_paste(self, byte):
        self._pasting = False
        self.ready = True
        if self._failure is None:
            self._console.write("\x04")
            if byte == _CTRL_C:
                self._failure = KeyboardInterrupt()
