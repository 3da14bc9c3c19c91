"""One line of text edited on a terminal that understands the usual escape sequences (VT100)."""

from micropython import const

_HISTORY = const(10)

_BACKSPACE = const(8)
_TAB = const(9)
_NEWLINE = const(10)
_RETURN = const(13)
_ESCAPE = const(27)
_DELETE = const(127)

_INDENT = b"    "

# The letter of a key's escape sequence, or the digit before its "~"; and at the same place the control
# character that does the same.
_KEYS = b"ABCDHF14783"
_CONTROLS = b"\x10\x0e\x06\x02\x01\x05\x01\x05\x01\x05\x04"


class Line:
    """The line being typed: `text` (a bytearray of UTF-8) with a cursor. `write` sends to the terminal."""

    def __init__(self, write):
        self._write = write
        self._history = []
        self._escape = None
        self._last = 0
        self.clear()

    def clear(self):
        """Forget what was typed."""
        self.text = bytearray()
        self._cursor = 0
        self._recalled = -1  # Which line of the history is shown; -1 is none.

    def start(self, prompt):
        """Begin a new line."""
        self.clear()
        self._write(prompt)

    def take(self):
        """The line as bytes, which also goes into the history."""
        text = bytes(self.text)
        self.clear()
        if text.strip() and (not self._history or self._history[0] != text):
            self._history.insert(0, text)
            del self._history[_HISTORY:]
        return text

    def feed(self, byte):
        """Take one byte; returns True at the end of the line."""
        last = self._last
        self._last = byte
        if self._escape is not None:
            self._continue_escape(byte)
        elif byte == _RETURN or byte == _NEWLINE:
            if byte == _NEWLINE and last == _RETURN:
                return False  # The second half of a line end.
            self._write("\r\n")
            return True
        elif byte == _ESCAPE:
            self._escape = b""
        elif byte == _BACKSPACE or byte == _DELETE:
            if self._cursor:
                self._move(-1)
                self._delete()
        elif byte == _TAB:
            self._insert(_INDENT)
        elif byte >= 32:
            self._insert(bytes((byte,)))
        else:
            self._control(byte)
        return False

    def _continue_escape(self, byte):
        """Take a byte of an escape sequence: Escape, "[" or "O", numbers, and the byte that ends it."""
        sequence = self._escape
        if not sequence and byte in b"[O":
            self._escape = bytes((byte,))
        elif sequence and 48 <= byte <= 59 and len(sequence) < 8:
            self._escape = sequence + bytes((byte,))
        else:
            self._escape = None
            if len(sequence) == 1:
                key = byte
            elif len(sequence) == 2 and byte == 126:
                key = sequence[1]
            else:
                return
            place = _KEYS.find(bytes((key,)))
            if place >= 0:
                self._control(_CONTROLS[place])

    def _control(self, byte):
        if byte == 1:  # Ctrl-A, Home.
            self._move_to(0)
        elif byte == 2 and self._cursor:  # Ctrl-B, left.
            self._move(-1)
        elif byte == 4:  # Ctrl-D, Delete.
            self._delete()
        elif byte == 5:  # Ctrl-E, End.
            self._move_to(len(self.text))
        elif byte == 6 and self._cursor < len(self.text):  # Ctrl-F, right.
            self._move(1)
        elif byte == 11:  # Ctrl-K: cut the rest.
            self._replace_rest(b"")
        elif byte == 14:  # Ctrl-N, down.
            self._recall(self._recalled - 1)
        elif byte == 16:  # Ctrl-P, up.
            self._recall(self._recalled + 1)
        elif byte == 21:  # Ctrl-U: cut what is before.
            rest = self.text[self._cursor :]
            self._move_to(0)
            self._replace_rest(rest)

    def _recall(self, number):
        if -1 <= number < len(self._history):
            self._move_to(0)
            self._replace_rest(self._history[number] if number >= 0 else b"")
            self._move_to(len(self.text))
            self._recalled = number

    def _insert(self, data):
        if self._cursor == len(self.text):
            self.text.extend(data)
            self._cursor += len(data)
            self._write(data)
        else:
            rest = self.text[self._cursor :]
            self._replace_rest(data + rest)
            self._move_to(self._cursor + len(data))

    def _delete(self):
        """Delete the character under the cursor."""
        rest = self._cursor + 1
        while rest < len(self.text) and _continues(self.text[rest]):
            rest += 1
        self._replace_rest(self.text[rest:])

    def _replace_rest(self, data):
        """Put `data` in the place of what is behind the cursor, which stays where it is."""
        self.text = self.text[: self._cursor] + data
        self._write(b"\x1b[K" + data)
        columns = _columns(data)
        if columns:
            self._write("\x1b[%dD" % columns)

    def _move(self, step):
        """Move the cursor by one character."""
        target = self._cursor + step
        while 0 < target < len(self.text) and _continues(self.text[target]):
            target += step
        self._move_to(target)

    def _move_to(self, target):
        cursor = self._cursor
        columns = _columns(self.text[min(cursor, target) : max(cursor, target)])
        if columns:
            self._write("\x1b[%d%s" % (columns, "C" if target > cursor else "D"))
        self._cursor = target


def _continues(byte):
    """Whether this byte belongs to the UTF-8 character before it."""
    return byte & 0xC0 == 0x80


def _columns(data):
    count = 0
    for byte in data:
        if not _continues(byte):
            count += 1
    return count
