"""An HTTP/1.1 client: requests on connections that are kept for the next one, bodies read piece by piece.

    async with await http.get("https://example.org/data.json") as response:
        print(response.status, await response.json())

It follows redirects, decodes gzip and deflate while the body arrives, and verifies whom it talks to (tls.py).
Nothing blocks the loop.
"""

import json as json_module
from time import ticks_add, ticks_ms

from . import pool
from .body import CHUNKED, UNTIL_CLOSE, Body
from .connection import connect
from .head import body_length, build_request, read_response
from .sinks import Memory
from .url import parse

_REDIRECTS = (301, 302, 303, 307, 308)
_IDEMPOTENT = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")  # may be sent twice (RFC 9110, section 9.2.2)
_SECRET_WORDS = ("auth", "cookie", "token", "secret", "key", "password", "session")


class HTTPError(RuntimeError):
    """The server answered, but not with what was asked for. With a status the text begins "HTTP 404".

    `status` (int) and `reason` are the server's; status is 0 when what it sent is no valid HTTP.
    `location` is where a redirect that was not followed points to, or None.
    """

    def __init__(self, message, status=0, reason="", location=None):
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.location = location


async def request(
    method,
    url,
    headers=None,
    body=None,
    timeout_ms=10000,
    buffer_size=4096,
    name=None,
    json=None,
    redirects=5,
    compressed=False,
    verify=True,
    total_ms=None,
    max_size=None,
):
    """Send a request; returns a Response as soon as its head has arrived, whatever the status.

    headers: a dict of str. body: None, str (sent as UTF-8), bytes-like, or an iterator (plain or async) of
    bytes-like pieces, which are sent as they come. json: what is sent as JSON in the place of a body.
    timeout_ms: for each wait (to look up, to connect, to send, to receive the next bytes); total_ms: for all,
    the body's reading included. None waits for ever. buffer_size: bytes that are read at a time. name: what
    messages call the request instead of its URL, when that holds a secret. redirects: how many are followed.
    compressed: ask for gzip or deflate; what comes compressed is decoded in any case, unless the caller has
    given an Accept-Encoding. verify False: do not check who the server is (https). max_size: of the body,
    bytes.

    Raises ValueError or TypeError for arguments that cannot be sent, OSError when the server cannot be
    reached or breaks the connection, of it tls.TLSError when it cannot be trusted, TimeoutError (asyncio's),
    HTTPError when the answer is no valid HTTP, or one that must not be followed.
    """
    if timeout_ms is not None and timeout_ms <= 0 or total_ms is not None and total_ms <= 0:
        raise ValueError("timeout_ms and total_ms must be above 0, or None to wait for ever")
    if buffer_size <= 0:
        raise ValueError("buffer_size (chunk_size) must be above 0")
    headers = _checked(headers)
    if json is not None:
        body = json_module.dumps(json)
        headers.setdefault("Content-Type", "application/json")
    if isinstance(body, str):
        body = body.encode()
    address = parse(url)
    one = _Request(method, headers, body, timeout_ms, buffer_size, compressed, verify, max_size)
    one.ends = None if total_ms is None else ticks_add(ticks_ms(), total_ms)
    while True:
        response = await one.send(address, name or str(address))
        location = response.headers.get("location")
        if response.status not in _REDIRECTS or location is None or redirects == 0:
            return response
        redirects -= 1
        try:
            address = one.redirect(address, response, location)
        finally:
            response.close()


async def get(url, headers=None, **options):
    """request() with GET."""
    return await request("GET", url, headers, **options)


async def post(url, body=None, headers=None, **options):
    """request() with POST; `json=` sends an object as JSON."""
    return await request("POST", url, headers, body, **options)


class _Request:
    """What is the same in each of the exchanges that redirects make of one request."""

    def __init__(self, method, headers, body, timeout_ms, buffer_size, compressed, verify, max_size):
        self.method = method
        self.headers = headers
        self.body = body
        self.timeout_ms = timeout_ms
        self.buffer_size = buffer_size
        self.compressed = compressed
        self.verify = verify
        self.max_size = max_size
        self.ends = None

    async def send(self, address, name):
        key = (address.scheme, address.host, address.port, self.verify)
        connection = pool.take(key)
        while connection is not None:
            connection.reuse(name, self.timeout_ms, self.buffer_size, self.ends)
            try:
                return await self._exchange(connection, address, key)
            except OSError:
                # The server has closed it just now. A request that may have been carried out is not repeated.
                if connection.has_received or self.method not in _IDEMPOTENT or self._is_stream():
                    raise
            connection = pool.take(key)
        head = self._head(address)  # what cannot be sent is said before anything is connected
        connection = await connect(
            address.host,
            address.port,
            name,
            self.timeout_ms,
            self.buffer_size,
            address.secure,
            self.verify,
            self.ends,
        )
        return await self._exchange(connection, address, key, head)

    async def _exchange(self, connection, address, key, head=None):
        response = Response(connection, key, self.max_size)
        try:
            await connection.write(head or self._head(address))
            if self._is_stream():
                await self._send_pieces(connection)
            elif self.body:
                await connection.write(self.body)
            await response._read_head(self.method, self.headers)
            return response
        except ValueError as error:
            connection.close()
            raise response._malformed(error) from None
        except BaseException:
            connection.close()
            raise

    def _head(self, address):
        codings = "identity"
        if self.compressed:
            from .content import CODINGS, is_known

            if is_known("gzip"):
                codings = CODINGS
        size = self.body
        if size is not None:
            size = CHUNKED if self._is_stream() else len(size)
        return build_request(self.method, address, self.headers, size, codings)

    def _is_stream(self):
        return self.body is not None and not isinstance(self.body, (bytes, bytearray, memoryview))

    async def _send_pieces(self, connection):
        if hasattr(self.body, "__aiter__"):
            async for piece in self.body:
                await self._send_piece(connection, piece)
        else:
            for piece in self.body:
                await self._send_piece(connection, piece)
        await connection.write(b"0\r\n\r\n")

    async def _send_piece(self, connection, piece):
        if len(piece):  # an empty one would be the end
            await connection.write(b"%x\r\n" % len(piece))
            await connection.write(piece)
            await connection.write(b"\r\n")

    def redirect(self, address, response, location):
        """Where the next exchange goes to; what must not be sent there is left out from now on."""
        status = response.status
        try:
            target = address.join(location)
        except ValueError:
            raise response._error("the redirect leads to an address that cannot be used", location) from None
        if address.secure and not target.secure:
            raise response._error("the redirect leads from https to http, which is refused", location)
        if status == 303 and self.method != "HEAD" or status in (301, 302) and self.method == "POST":
            self.method = "GET"
            self.body = None
            self._drop(lambda name: name.startswith("content-"))
        elif self._is_stream():
            raise response._error("a body that was sent as a stream cannot be sent again", location)
        if (target.scheme, target.host, target.port) != (address.scheme, address.host, address.port):
            self._drop(lambda name: name == "host" or _is_secret(name))
        return target

    def _drop(self, is_unwanted):
        self.headers = {name: value for name, value in self.headers.items() if not is_unwanted(name.lower())}


def _checked(headers):
    if headers is not None and not isinstance(headers, dict):
        raise TypeError("headers must be a dict, not %s" % type(headers).__name__)
    return dict(headers or {})


def _is_secret(name):
    for word in _SECRET_WORDS:
        if word in name:
            return True
    return False


def _has(headers, wanted):
    for name in headers:
        if name.lower() == wanted:
            return True
    return False


class Response:
    """What the server answered: `status` (int), `reason`, `headers`, `length`, and the body to be read.

    The names in `headers` are in lower case; lines of the same name are joined by ", ". `length` is the size
    of the body in bytes, or None if the server does not say or compresses it. The connection is let go of
    when the body has been read to its end, by close(), at the end of `async with`, and when a read fails.

    Reading raises OSError when the connection breaks or the body ends early, TimeoutError when nothing
    arrives for `timeout_ms`, HTTPError when the body is malformed.
    """

    def __init__(self, connection, key, max_size=None):
        self.status = 0
        self.reason = ""
        self.headers = {}
        self.length = None
        self.view = connection.view
        self.name = connection.name
        self._connection = connection
        self._key = key  # of the pool
        self._keeps = False
        self._released = False
        self._max_size = max_size
        self._body = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, exc_type, exc_value, traceback):
        self.close()

    def close(self):
        """Give up what has not been read. May be called at any time, also twice."""
        connection = self._connection
        if self._released:
            return
        self._released = True
        if self._keeps and self._body.is_complete() and connection.is_open() and not connection.eof:
            pool.give(self._key, connection)
        else:
            connection.close()

    def raise_for_status(self, show_location=True):
        """Raise HTTPError unless the status says success (2xx).

        `show_location` False keeps the address of a redirect out of the message: it may hold a secret.
        """
        status = self.status
        if 200 <= status < 300:
            return
        location = self.headers.get("location")
        if location is not None and status in _REDIRECTS:
            advice = "it leads further than redirects are followed"
            if show_location:
                advice += ", to " + location
        elif status == 304:
            advice = "nothing new since the copy that the request named"
        elif status in (401, 403):
            advice = "the server wants (other) credentials"
        elif status < 500:
            advice = "is the address right?"
        else:
            advice = "the server failed: try again later"
        raise self._error(advice, location)

    async def json(self):
        """All of the body, decoded from JSON. Raises ValueError when it is none."""
        return json_module.loads(await self.read())

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

    async def _read_head(self, method, headers):
        connection = self._connection
        self.status, self.reason, self.headers, keeps = await read_response(connection)
        length = body_length(method, self.status, self.headers)
        if self.status == 206 and not _has(headers, "range"):
            raise self._error("a part was sent that nobody asked for")
        if self._max_size is not None and length > self._max_size:
            raise self._too_large()
        if length == UNTIL_CLOSE and self._key[0] == "https" and self._key[3] and self.status != 101:
            # The port's TLS does not tell the end that the server says from one that somebody made.
            raise self._error("its body has no length, and could be cut on the way without notice")
        self.length = length if length >= 0 else None
        self._body = Body(connection, length)
        coding = self.headers.get("content-encoding", "identity").lower()
        if length != 0 and coding not in ("", "identity") and not _has(headers, "accept-encoding"):
            self._decode(coding)
        self._keeps = keeps and self.status != 101
        if length == 0 and self.status != 101:  # 101: another protocol follows on the connection
            self.close()

    def _decode(self, coding):
        from .content import Decoder, is_known

        if self.status == 206 or not is_known(coding):
            raise self._error("its body is coded as %s, which was not asked for" % coding)
        self._body = Decoder(self._body, self._connection, coding)
        self.view = self._body.view
        self.length = None

    def _malformed(self, error):
        return HTTPError("%s: the answer is no valid HTTP: %s" % (self.name, error), self.status, self.reason)

    def _error(self, text, location=None):
        message = "HTTP %d %s: %s: %s" % (self.status, self.reason, self.name, text)
        return HTTPError(message, self.status, self.reason, location)

    def _too_large(self):
        return self._error("its body is larger than the %d bytes that are allowed" % self._max_size)

    # The pair below is for loops that must not allocate: all the others make a coroutine for each piece.
    # Who uses it closes the response on every path.

    def take(self, limit=-1):
        """The size of the next piece, at most `limit` if that is positive.

        n > 0: the piece is response.view[offset : offset + n], valid until the next more();
        0: the body has ended; -1: await response.more(), then ask again.
        """
        try:
            size = self._body.take(limit)
        except ValueError as error:
            raise self._malformed(error) from None
        if self._max_size is not None and self._body.received > self._max_size:
            raise self._too_large()
        return size

    def more(self):
        """Awaitable, once: waits until more has arrived. Other tasks always get a turn."""
        return self._body.more()

    @property
    def offset(self):
        return self._body.offset
