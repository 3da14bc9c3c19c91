"""One TCP connection on asyncio's poller that never blocks the loop, with one buffer that is reused.

This is the only place that makes sockets, so the place for a resolver and for TLS. Errors name what was
asked for and what to do, as they end up on a screen.
"""

import errno
import socket
from asyncio import core

from .deadline import Deadline

_MAX_LINE = 8192  # bytes; servers commonly allow no more than this for a whole head
_CONNECTED = (106, 127)  # EISCONN of Linux and of ESP-IDF's newlib; the errno module has no such name
_EPIPE = 32
_UNREACHABLE = (errno.EHOSTUNREACH, 100, 101, 114, 115)  # and ENETDOWN, ENETUNREACH, Linux and newlib
_NO_SOCKET = (23, 24)  # ENFILE, EMFILE

_IPPROTO_TCP = 6
_TCP_NODELAY = 1


class Connection:
    """A connection and its read buffer: `buffer[start:end]` has arrived and is not used yet.

    `eof` is set when the peer has sent all it will, `fresh` by each more(). `name` is used in messages.
    """

    def __init__(self, name, timeout_ms, buffer_size):
        self.name = name
        self.buffer = bytearray(buffer_size)
        self.view = memoryview(self.buffer)
        self.start = 0
        self.end = 0
        self.eof = False
        self.fresh = False
        self.timeout_ms = timeout_ms
        self._socket = None
        self._line = b""  # the part of a line that has arrived so far
        self._doing = ""  # what a timeout interrupts, for its message
        self._deadline = Deadline(self._timed_out)
        self._filled = False  # these two: how far more() has come
        self._others_ran = False
        self._done = StopIteration()  # reused, so that more() allocates nothing

    def close(self):
        """Close the socket. A task that still reads from it gets an OSError. Closing again does nothing."""
        sock = self._socket
        if sock is None:
            return
        self._socket = None
        self._deadline.wake(self._closed)
        self._deadline.clear()
        poller = core._io_queue
        if id(sock) in poller.map:  # the waiting coroutine was thrown away without a cancellation
            poller._dequeue(sock)
        sock.close()

    def more(self):
        """Awaitable: when the buffer is used up, fill it with what has arrived, waiting for it if need be.

        Sets `eof` when there is nothing more. Other tasks always get a turn, however fast the peer sends.
        Like asyncio.sleep_ms() it must be awaited at once. It is no coroutine, as each would be garbage.
        """
        if self._deadline.waiting():
            raise RuntimeError("%s: two tasks read it at the same time" % self.name)
        self._doing = "sent nothing"
        self._filled = self.start < self.end
        self._others_ran = False
        return self

    def __iter__(self):
        return self

    def __next__(self):
        """Called by `await`: returning suspends the task until it is queued again, StopIteration ends it."""
        if not self._filled and not self._fill():
            self._others_ran = True
            self._deadline.set(self.timeout_ms)
            core._io_queue.queue_read(self._socket)
            return None
        if not self._others_ran:
            self._others_ran = True
            core._task_queue.push(core.cur_task)
            return None
        self.fresh = True
        self._done.__traceback__ = None
        raise self._done

    def _fill(self):
        self._deadline.clear()
        if self._socket is None:
            raise self._closed()
        try:
            count = self._socket.readinto(self.buffer)
        except OSError as error:
            raise self._failed(error) from None
        if count is None:
            return False
        self.start = 0
        self.end = count
        self.eof = count == 0
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
                count = self._socket.write(data[sent:])
            except OSError as error:
                raise self._failed(error) from None
            if count is None:
                await self._writable()
            else:
                sent += count

    async def open(self, family, kind, protocol, address):
        """Make the socket and connect it; the arguments are those of an entry of getaddrinfo()."""
        self._doing = "did not accept the connection"
        try:
            self._socket = sock = socket.socket(family, kind, protocol)
            sock.setblocking(False)
            sock.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)  # or a small body waits 40 ms behind its head
            sock.connect(address)
            return
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise self._failed(error) from None
        await self._writable()
        try:
            sock.connect(address)  # asked again, the system says how the first one ended
        except OSError as error:
            if error.errno in _CONNECTED:
                return
            # lwIP forgets why a connection failed: it only says that there is none.
            if error.errno == errno.ENOTCONN:
                error = OSError(errno.ECONNREFUSED)
            raise self._failed(error) from None

    def _writable(self):
        # A generator: the only way to yield to the loop from MicroPython code.
        self._deadline.set(self.timeout_ms)
        try:
            yield core._io_queue.queue_write(self._socket)
        finally:
            self._deadline.clear()

    def _timed_out(self):
        return core.TimeoutError(
            "%s %s for %d ms: try again later" % (self.name, self._doing, self.timeout_ms)
        )

    def _closed(self):
        return OSError(errno.ECONNABORTED, "%s: the connection was closed on this side" % self.name)

    def _failed(self, error):
        code = error.errno
        if code == errno.ECONNREFUSED:
            text = "connection refused: is the server running, and the port right?"
        elif code in _UNREACHABLE:
            text = "cannot be reached: is the network connected?"
        elif code in (errno.ECONNRESET, errno.ECONNABORTED, _EPIPE):
            text = "the server broke the connection: try again"
        elif code in _NO_SOCKET:
            text = "too many connections are open: close another one"
        else:
            text = "the connection failed"
        return OSError(code, "%s: %s" % (self.name, text))


async def connect(host, port, name, timeout_ms, buffer_size):
    """Open a connection to `host`, an IPv4 address or a name; `name` is what messages call it.

    Raises OSError when it cannot be made, TimeoutError after `timeout_ms`.
    """
    family, kind, protocol, _, address = _resolve(host, port, name)
    connection = Connection(name, timeout_ms, buffer_size)
    try:
        await connection.open(family, kind, protocol, address)
    except BaseException:
        connection.close()
        raise
    return connection


def _resolve(host, port, name):
    """One entry of getaddrinfo(). For a number or localhost it asks nobody; for a name it blocks the loop
    until the name server has answered.
    """
    if host == "localhost":
        host = "127.0.0.1"
    try:
        return socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)[0]
    except (OSError, IndexError):
        raise OSError(
            errno.EHOSTUNREACH,
            "%s: the name %s was not found: is it right, and the network connected?" % (name, host),
        ) from None
