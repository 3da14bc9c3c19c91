"""Finds the body of a response in what a connection has read (framing of RFC 9112, sections 6 and 7).

Plain functions and no copies, so that a download allocates nothing per piece: take() says where in the
connection's buffer the next piece lies, and the caller awaits connection.more() when it asks for that.
"""

import errno

UNTIL_CLOSE = -1  # as `length`: the body ends where the connection does
CHUNKED = -2

_MAX_TRAILERS = 100  # lines
_SIZE, _DATA_END, _TRAILERS, _END = range(4)  # what comes next in a chunked body, outside its data


class Body:
    """The body that follows in `connection`; `length` in bytes, or UNTIL_CLOSE or CHUNKED."""

    def __init__(self, connection, length):
        self._connection = connection
        self._chunked = length == CHUNKED
        self._until_close = length == UNTIL_CLOSE
        self._remaining = max(length, 0)
        self._length = length
        self._next = _SIZE
        self._trailers = 0
        self.offset = 0
        self.received = 0

    def take(self, limit=-1):
        """The size of the next piece, at most `limit` if that is positive.

        n > 0: the piece is connection.buffer[offset : offset + n], valid until the next more();
        0: the body has ended; -1: await connection.more(), then ask again.

        Raises OSError if the body ended early, ValueError if it is malformed.
        """
        if self._chunked and not self._remaining:
            if not self._advance():
                return -1
            if self._next == _END:
                return 0
        elif not self._remaining and not self._until_close:
            return 0
        connection = self._connection
        self.offset = offset = connection.start
        count = connection.end - offset
        if count == 0:
            if not connection.eof:
                return -1
            if self._until_close:
                return 0
            raise self._ended_early()
        if not connection.fresh:
            return -1  # a server may send a thousand tiny chunks at once: others get a turn after each
        connection.fresh = False
        if count > self._remaining and not self._until_close:
            count = self._remaining
        if 0 < limit < count:
            count = limit
        if not self._until_close:
            self._remaining -= count
        connection.start = offset + count
        self.received += count
        return count

    def more(self):
        """Awaitable: until more of it has arrived."""
        return self._connection.more()

    def is_complete(self):
        """Whether the body has ended in a way that leaves the connection usable for another request."""
        if self._chunked:
            return self._next == _END
        return not self._until_close and not self._remaining

    def _advance(self):
        """Read on to the next chunk's data or the end; False when the lines have not arrived in full."""
        while self._next != _END:
            line = self._connection.line()
            if line is None:
                if self._connection.eof:
                    raise self._ended_early()
                return False
            if self._next == _DATA_END:
                if line:
                    raise ValueError("a chunk that is longer than it says")
                self._next = _SIZE
            elif self._next == _SIZE:
                self._remaining = _chunk_size(line)
                if self._remaining:
                    self._next = _DATA_END
                    return True
                self._next = _TRAILERS
            elif line:
                self._trailers += 1
                if self._trailers > _MAX_TRAILERS:
                    raise ValueError("more than %d trailer lines" % _MAX_TRAILERS)
            else:
                self._next = _END
        return True

    def _ended_early(self):
        expected = " of %d" % self._length if self._length >= 0 else ""
        return OSError(
            errno.ECONNRESET,
            "%s: the body ended early, after %d%s bytes: try again"
            % (self._connection.name, self.received, expected),
        )


def _chunk_size(line):
    digits = line.partition(b";")[0].strip()  # what follows a ; are extensions that may be ignored
    # int() alone would take signs and underscores; 12 digits are more than any device can hold.
    if not 0 < len(digits) <= 12:
        raise ValueError("chunk size %r" % line[:32])
    for code in digits:
        if not (48 <= code <= 57 or 65 <= code <= 70 or 97 <= code <= 102):
            raise ValueError("chunk size %r" % line[:32])
    return int(digits, 16)
