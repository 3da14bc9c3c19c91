"""One connection, with TLS or without, that never blocks the loop, with one buffer that is reused.

This is what all clients stand on: it looks the name up, connects, and does the TLS handshake. Errors name
what was asked for and what to do, as they end up on a screen.
"""

import errno
import socket
from asyncio import TimeoutError
from time import ticks_diff, ticks_ms

from ..loop.deadline import Deadline, forget, queue_again, queue_read, readable, writable
from .url import literal

_MAX_LINE = 8192  # bytes; servers commonly allow no more than this for a whole head
_CONNECTED = (106, 127)  # EISCONN of Linux and of ESP-IDF's newlib; the errno module has no such name
_EPIPE = 32
_UNREACHABLE = (errno.EHOSTUNREACH, 100, 101, 114, 115)  # and ENETDOWN, ENETUNREACH, Linux and newlib
_NO_SOCKET = (23, 24)  # ENFILE, EMFILE

_IPPROTO_TCP = 6
_TCP_NODELAY = 1

# How many issuers a chain may need one after the other before it is trusted.
_MAX_HANDSHAKES = 3


async def connect(
    host, port, name=None, timeout_ms=10000, buffer_size=4096, secure=False, verify=True, ends=None
):
    """Open a connection to `host`, a name or an address; returns a Connection.

    name: what messages call it. timeout_ms: for each wait, here and later; None waits for ever.
    buffer_size: bytes that are read at a time. secure: with TLS; verify False does not check who the server
    is. ends: ticks_ms() by which all is to be over, here and later, or None.

    Raises OSError when it cannot be made, of it TLSError when the server cannot be trusted; TimeoutError
    (asyncio's) when it takes too long, MemoryError.
    """
    name = name or "%s:%d" % (host, port)
    if secure and verify:
        from .tls import TLSError, check_clock

        try:
            check_clock()
        except TLSError as error:
            raise TLSError(error.errno, "%s: %s" % (name, error.args[1]))
    connection = Connection(name, timeout_ms, buffer_size, ends)
    addresses = literal(host) or await _look_up(host, connection)
    for number in range(len(addresses)):
        try:
            await _open(connection, addresses[number], host, port, secure, verify)
            return connection
        except BaseException as error:
            connection.close()
            # The next address may do, unless it is known that this server must not be talked to.
            last = number == len(addresses) - 1
            if last or not isinstance(error, (OSError, TimeoutError)) or connection.refused:
                raise


async def _look_up(host, connection):
    from .resolver import resolve  # only now: addresses need none of it

    try:
        return await resolve(host, connection.wait_ms())
    except TimeoutError as error:
        raise TimeoutError("%s: %s" % (connection.name, error))
    except OSError as error:
        raise OSError(error.errno, "%s: %s" % (connection.name, error.args[-1]))


async def _open(connection, address, host, port, secure, verify):
    family, kind, protocol, _, place = socket.getaddrinfo(address, port, 0, socket.SOCK_STREAM)[0]
    for _ in range(_MAX_HANDSHAKES):
        await connection.open(family, kind, protocol, place)
        if not secure or await connection.start_tls(host, verify):
            return
        connection.close()
    raise connection.untrusted()


class Connection:
    """A connection and its read buffer: `buffer[start:end]` has arrived and is not used yet.

    `eof` is set when the peer has sent all it will, `fresh` by each more(). `has_received`: anything since
    open() or reuse(). `name` is used in messages.
    """

    def __init__(self, name, timeout_ms, buffer_size, ends=None):
        self.name = name
        self.buffer = bytearray(buffer_size)
        self.view = memoryview(self.buffer)
        self.start = 0
        self.end = 0
        self.eof = False
        self.fresh = False
        self.has_received = False
        self.timeout_ms = timeout_ms
        self.ends = ends
        self.refused = False  # the TLS handshake has failed: another address of the server is no way out
        self._socket = None
        self._stream = None  # the socket, or TLS over it
        self._secured = True  # False until the TLS handshake is over
        self._refusal = None
        self._line = b""  # the part of a line that has arrived so far
        self._doing = ""  # what a timeout interrupts, for its message
        self._deadline = Deadline(self._timed_out)
        self._write_deadline = Deadline(self._timed_out)  # one task may read while another one writes
        self.came = 0
        self._into = None
        self._filled = False  # these two: how far more() has come
        self._others_ran = False
        self._done = StopIteration()  # reused, so that more() allocates nothing

    def close(self):
        """Close the socket. A task that still reads from it gets an OSError. Closing again does nothing."""
        sock = self._socket
        if sock is None:
            return
        stream = self._stream
        self._socket = self._stream = None
        for deadline in (self._deadline, self._write_deadline):
            deadline.wake(self._closed)
            deadline.clear()
        forget(sock)
        if stream is not sock:
            stream.close()
        sock.close()

    def is_open(self):
        """Whether close() has not been called yet."""
        return self._socket is not None

    def is_idle(self):
        """Whether nothing has come since the last use, not even the end: it can be used again."""
        if self._socket is None or self.eof or self.start < self.end:
            return False
        try:
            return self._stream.readinto(self.buffer, 1) is None
        except (OSError, ValueError):
            return False

    def wait_for_ever(self):
        """From now on a wait has no limit, for protocols that have a check of their own."""
        self.timeout_ms = None

    def reuse(self, name, timeout_ms, buffer_size, ends):
        """Begin anew with the same peer; the arguments are those of connect()."""
        if len(self.buffer) != buffer_size:
            self.buffer = bytearray(buffer_size)
            self.view = memoryview(self.buffer)
        self.name = name
        self.timeout_ms = timeout_ms
        self.ends = ends
        self.start = self.end = 0
        self.fresh = self.has_received = False

    def wait_ms(self):
        """How long the next wait may be: `timeout_ms`, or what is left of all."""
        timeout_ms = self.timeout_ms
        if self.ends is None:
            return timeout_ms
        left = max(0, ticks_diff(self.ends, ticks_ms()))
        return left if timeout_ms is None else min(left, timeout_ms)

    def more(self, into=None):
        """Awaitable: when the buffer is used up, fill it with what has arrived, waiting for it if need be.

        With `into`, a memoryview, what has arrived goes there instead, and `came` says how many bytes; it is
        0 where that cannot be (TLS), and the buffer is filled as without.

        Sets `eof` when there is nothing more. Other tasks always get a turn, however fast the peer sends.
        Like asyncio.sleep_ms() it must be awaited at once. It is no coroutine, as each would be garbage.
        """
        if self._deadline.waiting():
            raise RuntimeError("%s: two tasks read it at the same time" % self.name)
        self._doing = "sent nothing"
        self._filled = self.start < self.end
        self._others_ran = False
        self._into = into if self._stream is self._socket else None
        self.came = 0
        return self

    def __iter__(self):
        return self

    def __next__(self):
        """Called by `await`: returning suspends the task until it is queued again, StopIteration ends it."""
        if not self._filled and not self._fill():
            self._others_ran = True
            self._deadline.set(self.wait_ms())
            queue_read(self._socket)
            return None
        if not self._others_ran:
            self._others_ran = True
            queue_again()
            return None
        self.fresh = True
        self._done.__traceback__ = None
        raise self._done

    def _fill(self):
        self._deadline.clear()
        if self._socket is None:
            raise self._closed()
        into = self._into
        try:
            count = self._stream.readinto(self.buffer if into is None else into)
        except (OSError, ValueError) as error:
            raise self._failed(error) from None
        if count is None:
            return False
        self.start = 0
        self.end = count if into is None else 0
        self.came = 0 if into is None else count
        self.eof = count == 0
        self.has_received = self.has_received or count > 0
        self._filled = True
        return True

    def line(self):
        """The next line as bytes without its line end (CRLF or LF), or None when more() is needed first.

        Raises ValueError when the line passes 8192 bytes.
        """
        start = self.start
        at = self.buffer.find(b"\n", start, self.end)
        stop = self.end if at < 0 else at
        line = self._line + bytes(self.view[start:stop]) if self._line else bytes(self.view[start:stop])
        if len(line) > _MAX_LINE:
            raise ValueError("a line of more than %d bytes" % _MAX_LINE)
        if at < 0:
            self._line = line
            self.start = self.end
            return None
        self._line = b""
        self.start = at + 1
        return line[:-1] if line.endswith(b"\r") else line

    async def write(self, data):
        """Send all of `data` (bytes-like). Raises OSError, TimeoutError when the peer does not take it."""
        self._doing = "took no data"
        data = memoryview(data)
        sent = 0
        while sent < len(data):
            if self._socket is None:
                raise self._closed()
            try:
                count = self._stream.write(data[sent:])
            except (OSError, ValueError) as error:
                raise self._failed(error) from None
            if count is not None:
                self._secured = True
                sent += count
            elif self._secured:
                await writable(self._socket, self._write_deadline, self.wait_ms())
            else:  # in the handshake, which waits for the server
                await readable(self._socket, self._deadline, self.wait_ms())

    async def open(self, family, kind, protocol, address):
        """Make the socket and connect it; the arguments are those of an entry of getaddrinfo()."""
        self._doing = "did not accept the connection"
        self.start = self.end = 0
        self.eof = False
        self._secured = True
        try:
            self._socket = self._stream = sock = socket.socket(family, kind, protocol)
            sock.setblocking(False)
            sock.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)  # or a small body waits 40 ms behind its head
            sock.connect(address)
            return
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise self._failed(error) from None
        await writable(sock, self._deadline, self.wait_ms())
        try:
            sock.connect(address)  # asked again, the system says how the first one ended
        except OSError as error:
            if error.errno in _CONNECTED:
                return
            # lwIP forgets why a connection failed: it only says that there is none.
            if error.errno == errno.ENOTCONN:
                error = OSError(errno.ECONNREFUSED)
            raise self._failed(error) from None

    async def start_tls(self, host, verify):
        """Begin TLS on the open connection, and wait until the server's certificate has been checked.

        False: its issuer was not known, and is now; open it once more. Raises TLSError when it is refused.
        """
        from . import tls

        self._doing = "did not answer in the TLS handshake"
        self._host = host
        self._secured = False
        self._stream = tls.wrap(self._socket, host, verify)
        if not verify:
            return True  # what is left of the handshake comes with the first write()
        while True:
            tls.begin_step()
            try:
                # There is no call for a handshake alone; a server that speaks first may send a byte.
                count = self._stream.readinto(self.buffer, 1)
                if count == 0:
                    raise OSError(errno.ECONNRESET)
                self.end = count or 0
            except (OSError, ValueError) as error:
                self._refusal = self._failed(error)
                if tls.load_issuer():
                    return False
                raise self._refusal
            if tls.has_verified():
                return True
            await readable(self._socket, self._deadline, self.wait_ms())

    def untrusted(self):
        """What the last TLS handshake failed with."""
        return self._refusal

    def _timed_out(self):
        if self.ends is not None and ticks_diff(self.ends, ticks_ms()) <= 0:
            return TimeoutError("%s took longer than it may in all: try again later" % self.name)
        return TimeoutError("%s %s for %d ms: try again later" % (self.name, self._doing, self.timeout_ms))

    def _closed(self):
        return OSError(errno.ECONNABORTED, "%s: the connection was closed on this side" % self.name)

    def _failed(self, error):
        if not self._secured:
            failure = self._failed_handshake(error)
            if failure is not None:
                return failure
        code = error.errno
        if code == errno.ECONNREFUSED:
            text = "connection refused: is the server running, and the port right?"
        elif code in _UNREACHABLE:
            text = "cannot be reached: is the network connected?"
        elif code in (errno.ECONNRESET, errno.ECONNABORTED, _EPIPE) or code < -255:
            code = errno.ECONNRESET if code < 0 else code
            text = "the server broke the connection: try again"
        elif code in _NO_SOCKET:
            text = "too many connections are open: close another one"
        else:
            text = "the connection failed"
        return OSError(code, "%s: %s" % (self.name, text))

    def _failed_handshake(self, error):
        """What the TLS handshake failed with; None when it was the connection itself."""
        from . import tls

        if isinstance(error, OSError) and error.errno > -256 and error.errno != errno.ENOMEM:
            return None
        failure = tls.failure(error, self._host)
        if isinstance(failure, MemoryError):
            return failure
        self.refused = isinstance(failure, tls.TLSError)
        return type(failure)(failure.errno, "%s: %s" % (self.name, failure.args[1]))
