"""Frames (RFC 6455, section 5): FrameParser takes a server's apart, FrameWriter makes the client's.

The parser knows no socket: it is fed what has arrived, cut anywhere. Everything is bounded: what a server
announces is checked before room is made for it.
"""

import os

from .names import WebSocketProtocolException

try:
    from .native import mask, utf8
except (ValueError, SyntaxError, ImportError):  # machine code for another target, or no emitter for it
    from .portable import mask, utf8

NOTHING = -1  # as an event: more has to arrive
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

_MAX_CONTROL = 125  # bytes
_FIRST_BLOCK = 512  # bytes, of a message in fragments
_ROOM = 2048  # bytes of payload that are masked and written at a time, a multiple of 4
_DIRECT = 4096  # bytes: more than these are not read by way of the connection's buffer
_KEPT = 65536  # bytes at most of the block in which a message was put together
_AT_ONCE = 16384  # bytes that are read and checked in one step of the loop
_HEAD = 16  # where the payload begins in the writer's buffer, so that it can be masked by words
_CLOSE_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014)


class FrameParser:
    """After each feed(), `event` is NOTHING or an opcode, and `data` its message or payload.

    TEXT comes with a str, all others with bytes; `compressed` says that the data has still to be inflated
    (it is bytes then). With `fragments` each frame of a message in several is handed out as it comes, as
    CONT with bytes, and `fin` says which is the last.
    """

    def __init__(self, max_size, deflate=False, fragments=False, check_utf8=True):
        """`max_size` in bytes of a message (before it is inflated), None for no limit."""
        self.event = NOTHING
        self.data = None
        self.fin = True
        self.compressed = False
        self._max_size = max_size
        self._deflate = deflate
        self._fragments = fragments
        self._check_utf8 = check_utf8
        self._head = bytearray(10)
        self._have = 0  # bytes of it that have arrived
        self._head_size = 2
        self._in_head = True
        self._opcode = 0  # of the frame
        self._remaining = 0  # bytes of its payload
        self._message = 0  # opcode of the message that has begun, or 0
        self._utf8 = 0
        self._block = None  # what has arrived of a message that lies not in one piece
        self._used = 0
        self._control = bytearray(_MAX_CONTROL)
        self._control_used = 0

    def feed(self, view, start, end):
        """Take what belongs to the next event from view[start:end] (a memoryview); returns where the rest
        begins. Raises WebSocketProtocolException, after which the parser is of no use any more."""
        self.event = NOTHING
        if self._in_head:
            start = self._take_head(view, start, end)
            if self._in_head:
                return start
        count = min(self._remaining, end - start)
        if count == 0 and self._remaining:
            return start
        stop = start + count
        self._remaining -= count
        if self._opcode >= CLOSE:
            used = self._control_used
            self._control[used : used + count] = view[start:stop]
            self._control_used = used + count
        else:
            self._take_data(view, start, stop)
        if not self._remaining:
            self._in_head = True
            if self._opcode >= CLOSE:
                self.event = self._opcode
                self.data = bytes(memoryview(self._control)[: self._control_used])
        return stop

    def room(self):
        """Where the next bytes of a large message belong (a memoryview), or None. They may be put there by
        the one who reads them, who then calls took() instead of feed()."""
        if self._in_head or self._opcode >= CLOSE or self._remaining < _DIRECT:
            return None
        used = self._used
        self._make_room(used + self._remaining, used + self._remaining)
        return memoryview(self._block)[used : used + min(self._remaining, _AT_ONCE)]

    def took(self, count):
        """`count` bytes have been put into room(). As feed()."""
        self.event = NOTHING
        start = self._used
        self._used = stop = start + count
        self._remaining -= count
        text = self._check_text(self._block, start, stop)
        if not self._remaining:
            self._in_head = True
            if self.fin or self._fragments:
                self._finish(memoryview(self._block)[:stop], text)

    def _take_head(self, view, start, end):
        head = self._head
        have = self._have
        while have < self._head_size:
            if start == end:
                self._have = have
                return start
            head[have] = view[start]
            start += 1
            have += 1
            if have == 2:
                self._check_head(head[0], head[1])
        self._have = 0
        self._head_size = 2
        self._in_head = False
        length = head[1]
        if length >= 126:
            length = 0
            for at in range(2, have):
                length = length << 8 | head[at]
        self._remaining = length
        if self._opcode >= CLOSE:
            self._control_used = 0
            return start
        if self._max_size is not None and self._used + length > self._max_size:
            raise WebSocketProtocolException(
                "a message of more than %d bytes: raise max_size" % self._max_size, 1009
            )
        return start

    def _check_head(self, first, second):
        opcode = first & 15
        fin = first >= 128
        reserved = first & 0x70
        if second & 128:
            raise WebSocketProtocolException("a masked frame from the server")
        if opcode >= CLOSE:
            if opcode > PONG:
                raise WebSocketProtocolException("a frame of the unknown opcode %d" % opcode)
            if not fin or second > _MAX_CONTROL:
                raise WebSocketProtocolException("a control frame of more than 125 bytes, or in fragments")
        elif opcode > BINARY:
            raise WebSocketProtocolException("a frame of the unknown opcode %d" % opcode)
        elif opcode == CONT and not self._message:
            raise WebSocketProtocolException("a fragment that continues no message")
        elif opcode != CONT and self._message:
            raise WebSocketProtocolException("a message inside of the fragments of another one")
        elif opcode != CONT:
            self._message = opcode
            self._utf8 = 0
            self._used = 0
            self.compressed = self._deflate and reserved == 0x40
            if self.compressed:
                reserved = 0
        if reserved:
            raise WebSocketProtocolException("a frame with reserved bits")
        self._opcode = opcode
        if opcode < CLOSE:
            self.fin = fin
        if second & 127 >= 126:
            self._head_size = 4 if second & 127 == 126 else 10

    def _take_data(self, view, start, stop):
        text = self._check_text(view, start, stop)
        if self._remaining == 0 and self._used == 0 and (self.fin or self._fragments):
            self._block = None
            self._finish(view[start:stop], text)
            return
        end = self._used + stop - start
        self._make_room(end, end + self._remaining)
        self._block[self._used : end] = view[start:stop]
        self._used = end
        if self._remaining == 0 and (self.fin or self._fragments):
            self._finish(memoryview(self._block)[:end], text)

    def _check_text(self, view, start, stop):
        """Whether the message is a text; what has come of one is checked."""
        text = self._message == TEXT and not self.compressed
        if text and self._check_utf8:
            self._utf8 = utf8(view, start, stop, self._utf8)
            if self._utf8 < 0:
                raise _no_utf8()
        return text

    def _make_room(self, needed, announced):
        have = 0 if self._block is None else len(self._block)
        if self._block is not None and needed <= have:
            return
        size = announced if self.fin and not have else max(announced, 2 * have, _FIRST_BLOCK)
        if self._max_size is not None and size > self._max_size:
            size = max(self._max_size, announced)
        try:
            new = bytearray(size)
        except (MemoryError, OverflowError):
            raise _no_memory(size) from None
        if self._used:
            new[: self._used] = memoryview(self._block)[: self._used]
        self._block = new

    def _finish(self, piece, text):
        """The message, or with `fragments` a part of it, is complete."""
        whole = self._opcode != CONT and self.fin
        if self.fin and text and self._utf8:
            raise _no_utf8()
        try:
            if self._fragments and not whole:
                self.event = CONT
                self.data = bytes(piece)
            else:
                self.event = self._message
                self.data = str(piece, "utf-8") if text else bytes(piece)
        except UnicodeError:
            raise _no_utf8() from None
        except MemoryError:
            raise _no_memory(len(piece)) from None
        if self.fin:
            self._message = 0
        self._used = 0
        # Kept for the next large one, until a small one comes: a new block costs more than filling it.
        if self._block is not None and len(self._block) > _KEPT:
            self._block = None


class FrameWriter:
    """Writes frames to a connection, through one small buffer in which the payload is masked."""

    def __init__(self, write, make_key=None):
        """`write(data)` is awaited for each part of a frame. `make_key(4)` returns the 4 bytes of a mask;
        they are random without it."""
        self._write = write
        self._make_key = make_key or os.urandom
        self._buffer = bytearray(_HEAD + _ROOM)
        self._view = memoryview(self._buffer)
        self.written = 0  # bytes of payload so far: it moves while the other side takes something

    async def send(self, opcode, data, fin=True):
        """Send a frame with `data` (bytes-like). One at a time."""
        data = memoryview(data)
        length = len(data)
        key = self._make_key(4)
        if isinstance(key, str):
            key = key.encode()
        if len(key) != 4:
            raise ValueError("get_mask_key(4) must return 4 bytes, not %d" % len(key))
        begin = self._put_head(opcode | (128 if fin else 0), length, key)
        at = 0
        while True:
            count = min(length - at, _ROOM)
            self._buffer[_HEAD : _HEAD + count] = data[at : at + count]
            mask(self._buffer, _HEAD, count, key)
            await self._write(self._view[begin : _HEAD + count])
            at += count
            self.written += count
            if at == length:
                return
            begin = _HEAD

    def _put_head(self, first, length, key):
        """Put the head in front of the payload; returns where it begins."""
        buffer = self._buffer
        buffer[_HEAD - 4 : _HEAD] = key
        size = 0 if length < 126 else 2 if length < 65536 else 8
        begin = _HEAD - 6 - size
        buffer[begin] = first
        buffer[begin + 1] = 128 | (length if size == 0 else 126 if size == 2 else 127)
        if size:
            buffer[begin + 2 : begin + 2 + size] = length.to_bytes(size, "big")
        return begin


def parse_close(payload):
    """Code and reason of a close frame; 1005 for one without. Raises WebSocketProtocolException."""
    if not payload:
        return 1005, ""
    if len(payload) == 1:
        raise WebSocketProtocolException("a close frame of one byte")
    code = payload[0] << 8 | payload[1]
    if code not in _CLOSE_CODES and not 3000 <= code <= 4999:
        raise WebSocketProtocolException("the close code %d" % code)
    if utf8(payload, 2, len(payload), 0):
        raise _no_utf8()
    return code, str(payload[2:], "utf-8")


def build_close(code, reason):
    """The payload of a close frame. Raises ValueError for what none may hold."""
    if code not in _CLOSE_CODES and not 3000 <= code <= 4999:
        raise ValueError("%r is no close code: use 1000, or 3000 to 4999" % (code,))
    if isinstance(reason, str):
        reason = reason.encode()
    if len(reason) > _MAX_CONTROL - 2:
        raise ValueError("the reason for closing has %d bytes, 123 are allowed" % len(reason))
    return code.to_bytes(2, "big") + bytes(reason)


def check_control(data):
    """`data` of a ping as bytes. Raises ValueError if it is too long."""
    data = data.encode() if isinstance(data, str) else bytes(data)
    if len(data) > _MAX_CONTROL:
        raise ValueError("a ping of %d bytes: 125 are allowed" % len(data))
    return data


def _no_utf8():
    return WebSocketProtocolException("a text that is no UTF-8", 1007)


def _no_memory(size):
    return WebSocketProtocolException("a message for which the heap has no %d bytes" % size, 1009)
