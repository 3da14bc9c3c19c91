"""What the console must know about a piece of source before MicroPython compiles it.

MicroPython has no `await` outside of a function, so code that awaits is put into one. For its names to be the
namespace's all the same, every name in it is declared global: what is global anyway is not changed by that,
and a name of a function or class inside the code belongs to that as before.
"""

FUNCTION = "__stdin__"

HEADER_LINES = 2
FILE = "<stdin+2>"
"""The file name of wrapped source: its line numbers are too high by HEADER_LINES."""

_KEYWORDS = (
    " False None True __debug__ and as assert async await break class continue def del elif else except "
    "finally for from global if import in is lambda nonlocal not or pass raise return try while with yield "
)
_COMPOUND = " if while for try with def class async "
_OPEN = b"([{"
_CLOSE = b")]}"


def is_incomplete(source):
    """Whether the friendly prompt should ask for another line: something is open, or a compound statement is
    not ended by an empty line. `source` is bytes without the newline just typed."""
    if source.endswith(b"\\"):
        return True
    scan = Scan(source)
    if scan.depth > 0 or scan.quote:
        return scan.depth > 0 or len(scan.quote) == 3
    is_compound = source.startswith(b"@") or (" %s " % scan.first_word) in _COMPOUND
    return is_compound and not source.endswith(b"\n")


def wrap(source, printing=False):
    """The source of an async function FUNCTION with `source` (bytes) as its body, or with one expression
    whose value it prints as the prompt does."""
    scan = Scan(source)
    head = b"async def %s():\n global %s\n" % (FUNCTION.encode(), b",".join(scan.names) or b"_")
    if printing:
        return head + b" __repl_print__((" + source + b"\n))\n"
    pieces = [head]
    start = 0
    for line in scan.lines:
        pieces.append(source[start:line])
        pieces.append(b" ")
        start = line
    pieces.append(source[start:])
    pieces.append(b"\n pass\n")
    return b"".join(pieces)


class Scan:
    """One pass over source: `names` (set of bytes), `lines` (where each line starts, but for those inside a
    string), `depth` of open brackets, the `quote` that is still open (bytes), the `first_word` (str)."""

    def __init__(self, source):
        self.names = set()
        self.lines = [0]
        self.depth = 0
        self.quote = b""
        self.first_word = ""
        self._source = source
        position = 0
        before = 0  # The last byte that was no blank.
        while position < len(source):
            byte = source[position]
            if byte == 35:  # "#"
                position = self._comment(position)
            elif byte == 34 or byte == 39:  # Quotes.
                position = self._string(position)
            elif _is_name(byte):
                position = self._word(position, before)
            else:
                if byte in _OPEN:
                    self.depth += 1
                elif byte in _CLOSE:
                    self.depth -= 1
                position += 1
                if byte == 10 or (byte == 13 and source[position : position + 1] != b"\n"):
                    self.lines.append(position)
            if byte != 32 and byte != 9:
                before = byte

    def _comment(self, position):
        source = self._source
        while position < len(source) and source[position] not in b"\r\n":
            position += 1
        return position

    def _string(self, position):
        source = self._source
        quote = source[position : position + 1]
        if source[position : position + 3] == quote * 3:
            quote = quote * 3
        position += len(quote)
        while position < len(source):
            if source[position] == 92:  # A backslash takes the next byte with it, in raw strings as well.
                position += 2
            elif source[position : position + len(quote)] == quote:
                return position + len(quote)
            elif len(quote) == 1 and source[position] in b"\r\n":
                return position  # Not closed; the compiler will say so.
            else:
                position += 1
        self.quote = quote
        return position

    def _word(self, position, before):
        source = self._source
        start = position
        while position < len(source) and _is_name(source[position]):
            position += 1
        word = source[start:position]
        is_prefix = source[position : position + 1] in (b"'", b'"')
        if before != 46 and not is_prefix and not 48 <= word[0] <= 57:  # No attribute, b"..", number.
            try:
                text = word.decode()
            except UnicodeError:
                return position
            if start == 0:
                self.first_word = text
            if (" %s " % text) not in _KEYWORDS:
                self.names.add(word)
        return position


def _is_name(byte):
    return 97 <= byte <= 122 or 65 <= byte <= 90 or 48 <= byte <= 57 or byte == 95 or byte >= 128
