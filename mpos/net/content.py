"""Takes the gzip or deflate coding (RFC 9110, section 8.4.1) off a body while it arrives.

MicroPython's decompressor pulls its input and cannot be continued after it ran out of it. So it is only asked
for as much as the input that is there gives for certain: a byte of output takes 6 bytes at most, and the
tables of a block, which may come first, some 600.
"""

import io
from asyncio import sleep_ms

from micropython import const

CODINGS = "gzip, deflate"

_TABLES = const(700)
_PER_BYTE = const(6)


def is_known(coding):
    """Whether a body of that Content-Encoding can be decoded here."""
    try:
        import deflate  # noqa: F401 - some firmware lacks it
    except ImportError:
        return False
    return coding in ("gzip", "x-gzip", "deflate")


class Decoder:
    """A body like Body, read through one that is compressed. Its pieces are in `view`, from `offset` on.

    take() raises ValueError for what cannot be decompressed.
    """

    def __init__(self, body, connection, coding):
        self._body = body
        self._connection = connection
        self._coding = coding
        self._output = bytearray(len(connection.buffer))
        self.view = memoryview(self._output)
        self.offset = 0
        self.received = 0
        self._input = io.BytesIO()
        self._available = 0  # bytes of the input that have not been used
        self._stream = None
        self._input_ended = False
        self._ended = False
        self._fresh = True

    def take(self, limit=-1):
        """As Body.take(); -1 asks for this object's more()."""
        while not self._ended:
            if self._input_ended or self._available > _TABLES + _PER_BYTE:
                if not self._fresh:
                    return -1  # a few bytes can become millions: others get a turn after each piece
                size = len(self._output)
                if not self._input_ended:
                    size = min(size, (self._available - _TABLES) // _PER_BYTE)
                if 0 < limit < size:
                    size = limit
                count = self._inflate(size)
                if count:
                    self._fresh = False
                    self.received += count
                    return count
                self._ended = True
            elif not self._feed():
                return -1
        return self._expect_end()

    def more(self):
        """Awaitable, as Connection.more()."""
        if not self._fresh:
            self._fresh = True
            return sleep_ms(0)
        return self._connection.more()

    def is_complete(self):
        return self._ended and self._body.is_complete()

    def _feed(self):
        """Move the next piece of the compressed body into the input; False when it must be waited for."""
        count = self._body.take()
        if count < 0:
            return False
        if count == 0:
            self._input_ended = True
            return True
        rest = self._input.read(self._available)
        self._input.seek(0)
        self._input.write(rest)
        self._input.write(self._connection.view[self._body.offset : self._body.offset + count])
        self._input.seek(0)
        self._available = len(rest) + count
        return True

    def _inflate(self, size):
        if not self._available and self._stream is None:
            return 0  # no body at all
        before = self._input.tell()
        try:
            if self._stream is None:
                self._stream = self._open()
            count = self._stream.readinto(memoryview(self._output)[:size])
        except (EOFError, OSError, ValueError):
            raise ValueError("the %s coding of the body is damaged" % self._coding)
        self._available -= self._input.tell() - before
        if self._available < 0:
            raise ValueError("the %s coding of the body is damaged" % self._coding)
        return count

    def _open(self):
        import deflate

        if self._coding != "deflate":
            return deflate.DeflateIO(self._input, deflate.GZIP)
        # It means zlib's format (RFC 1950); some servers send what is inside that alone.
        head = self._input.read(2)
        self._input.seek(0)
        zlib = len(head) == 2 and head[0] & 15 == 8 and (head[0] << 8 | head[1]) % 31 == 0
        return deflate.DeflateIO(self._input, deflate.ZLIB if zlib else deflate.RAW, 15)

    def _expect_end(self):
        """After the compressed data: the body must end, too."""
        while not self._available:
            if self._input_ended:
                return 0
            if not self._feed():
                return -1
        raise ValueError("there is something after the %s coding of the body" % self._coding)
