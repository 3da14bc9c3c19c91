"""An HTTP/1.1 client: one request on one connection, the body read piece by piece.

    async with await http.request("GET", "http://192.168.1.2/data.json") as response:
        print(response.status, await response.read())

No redirects, no TLS, no compression, no second request on a connection. The one thing that can block the
loop is the lookup of a host name.
"""

from .body import Body
from .connection import connect
from .head import body_length, build_request, read_response
from .sinks import Memory
from .url import parse


async def request(method, url, headers=None, body=None, timeout_ms=10000, buffer_size=4096, name=None):
    """Send a request; returns a Response as soon as its head has arrived, whatever the status.

    `headers` is a dict of str; `body` is None, str (sent as UTF-8) or bytes-like. `timeout_ms` bounds each
    wait (to connect, to send, to receive the next bytes), not the whole request; None waits for ever.
    `buffer_size` in bytes is how much is read at a time. `name` is what messages call the request instead of
    its URL, when that holds a secret.

    Raises ValueError or TypeError for arguments that cannot be sent, OSError when the server cannot be
    reached or breaks the connection, TimeoutError (asyncio's), HTTPError when the answer is no valid HTTP.
    """
    address = parse(url)
    if timeout_ms is not None and timeout_ms <= 0:
        raise ValueError("timeout_ms must be above 0, or None to wait for ever")
    if buffer_size <= 0:
        raise ValueError("buffer_size (chunk_size) must be above 0")
    if isinstance(body, str):
        body = body.encode()
    head = build_request(method, address, headers, None if body is None else len(body))
    connection = await connect(
        address.host, address.port, name or str(address), timeout_ms, buffer_size, address.secure
    )
    try:
        response = Response(connection)
        await connection.write(head)
        if body:
            await connection.write(body)
        await response._read_head(method)
        return response
    except ValueError as error:
        connection.close()
        raise response._malformed(error) from None
    except BaseException:
        connection.close()
        raise


class HTTPError(Exception):
    """The server answered, but not with what was asked for.

    `status` (int) and `reason` are the server's; status is 0 when what it sent is no valid HTTP.
    `location` is where a redirect points to, or None.
    """

    def __init__(self, message, status=0, reason="", location=None):
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.location = location


class Response:
    """What the server answered: `status` (int), `reason`, `headers`, `length`, and the body to be read.

    The names in `headers` are in lower case; lines of the same name are joined by ", ". `length` is the size
    of the body in bytes, or None if the server does not say. The connection is closed when the body has
    been read to its end, by close(), at the end of `async with`, and when a read fails.

    Reading raises OSError when the connection breaks or the body ends early, TimeoutError when nothing
    arrives for `timeout_ms`, HTTPError when the body is malformed.
    """

    def __init__(self, connection):
        self.status = 0
        self.reason = ""
        self.headers = {}
        self.length = None
        self.view = connection.view
        self.name = connection.name
        self._connection = connection
        self._body = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, exc_type, exc_value, traceback):
        self.close()

    def close(self):
        """Give up what has not been read. May be called at any time, also twice."""
        self._connection.close()

    def raise_for_status(self, show_location=True):
        """Raise HTTPError unless the status says success (2xx).

        `show_location` False keeps the address of a redirect out of the message: it may hold a secret.
        """
        status = self.status
        if 200 <= status < 300:
            return
        location = self.headers.get("location")
        if location is not None and 300 <= status < 400:
            advice = "redirects are not followed yet: use the new address"
            if show_location:
                advice += ", " + location
        elif status == 304:
            advice = "nothing new since the copy that the request named"
        elif status in (401, 403):
            advice = "the server wants (other) credentials"
        elif status < 500:
            advice = "is the address right?"
        else:
            advice = "the server failed: try again later"
        message = "%s: %d %s: %s" % (self.name, status, self.reason, advice)
        raise HTTPError(message, status, self.reason, location)

    async def read(self, count=-1):
        """Up to `count` bytes as soon as there are some, b"" at the end; without `count` all that is left."""
        if count >= 0:
            size = await self._next(count)
            return bytes(self.view[self.offset : self.offset + size])
        try:
            left = None if self.length is None else self.length - self._body.received
            memory = Memory(left, self.name)
            size = await self._next(-1)
            while size:
                memory.write(self.view, self.offset, size)
                size = await self._next(-1)
            return memory.finish()
        finally:
            self.close()

    async def readinto(self, buffer):
        """Read up to len(buffer) bytes into `buffer`; returns how many, 0 at the end."""
        size = await self._next(len(buffer))
        memoryview(buffer)[:size] = self.view[self.offset : self.offset + size]
        return size

    def __aiter__(self):
        """`async for piece in response`: a memoryview of each piece, valid only until the next one."""
        return self

    async def __anext__(self):
        size = await self._next(-1)
        if size == 0:
            raise StopAsyncIteration
        return self.view[self.offset : self.offset + size]

    async def _next(self, limit):
        if limit == 0:
            return 0
        try:
            size = self.take(limit)
            while size < 0:
                await self.more()
                size = self.take(limit)
        except BaseException:
            self.close()
            raise
        if size == 0:
            self.close()
        return size

    async def _read_head(self, method):
        self.status, self.reason, self.headers = await read_response(self._connection)
        length = body_length(method, self.status, self.headers)
        self.length = length if length >= 0 else None
        self._body = Body(self._connection, length)
        if length == 0 and self.status != 101:  # 101: another protocol follows on the connection
            self.close()

    def _malformed(self, error):
        return HTTPError("%s: the answer is no valid HTTP: %s" % (self.name, error), self.status, self.reason)

    # The pair below is for loops that must not allocate: all the others make a coroutine for each piece.
    # Who uses it closes the response on every path.

    def take(self, limit=-1):
        """The size of the next piece, at most `limit` if that is positive.

        n > 0: the piece is response.view[offset : offset + n], valid until the next more();
        0: the body has ended; -1: await response.more(), then ask again.
        """
        try:
            return self._body.take(limit)
        except ValueError as error:
            raise self._malformed(error) from None

    def more(self):
        """Awaitable, once: waits until more has arrived. Other tasks always get a turn."""
        return self._connection.more()

    @property
    def offset(self):
        return self._body.offset
