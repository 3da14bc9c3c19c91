"""The client part of aiohttp, as far as apps use it on a board, over this package's HTTP and WebSockets.

    async with aiohttp.ClientSession() as session:
        async with session.get("https://example.com/data.json") as response:
            print(response.status, await response.json())
        async with session.ws_connect("wss://example.com/live") as ws:
            async for message in ws:
                print(message.data)

Certificates are verified unless `ssl=False`. `import aiohttp` gives this module.
"""

import json as _json
from collections import namedtuple

from . import http

HTTPError = ClientResponseError = http.HTTPError
# For `except aiohttp.ClientError`: all that requests raise but for asyncio's TimeoutError.
ClientError = (OSError, http.HTTPError)

_UNRESERVED = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

WSMessage = namedtuple("WSMessage", ("type", "data", "extra"))


class WSMsgType:
    """What `type` of a WSMessage can be."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10
    CLOSING = 256
    CLOSED = 257
    ERROR = 258


class ClientTimeout:
    """`total`: seconds for all of a request, None for no limit; `sock_read`: for each wait."""

    def __init__(self, total=None, sock_read=None):
        self.total = total
        self.sock_read = sock_read


class ClientSession:
    """Requests with common `headers` (dict), to addresses that begin with `base_url`. `timeout` in seconds,
    or a ClientTimeout, bounds each request that says nothing else."""

    def __init__(self, base_url="", headers=None, timeout=None):
        self.closed = False
        self._base_url = base_url
        self._headers = dict(headers or {})
        self._timeout = timeout
        self._responses = []  # that may still be open

    async def __aenter__(self):
        return self

    async def __aexit__(self, exc_type, exc_value, traceback):
        await self.close()

    async def close(self):
        """Close what is still open of its responses."""
        self.closed = True
        for response in self._responses:
            response.close()
        self._responses = []

    def request(self, method, url, **options):
        """`async with` or `await` it for a ClientResponse.

        Options: params (dict for the query), data (bytes, str, or a dict for a form), json (what goes into
        json.dumps), headers (dict), ssl (False: the certificate is not checked), timeout, allow_redirects.
        """
        return _Request(self._request(method, url, **options))

    def get(self, url, **options):
        return self.request("GET", url, **options)

    def post(self, url, **options):
        return self.request("POST", url, **options)

    def put(self, url, **options):
        return self.request("PUT", url, **options)

    def patch(self, url, **options):
        return self.request("PATCH", url, **options)

    def delete(self, url, **options):
        return self.request("DELETE", url, **options)

    def head(self, url, **options):
        return self.request("HEAD", url, **options)

    def options(self, url, **options):
        return self.request("OPTIONS", url, **options)

    def ws_connect(
        self,
        url,
        ssl=None,
        headers=None,
        protocols=(),
        heartbeat=None,
        origin=None,
        compress=0,
        max_msg_size=1 << 20,
    ):
        """`async with` or `await` it for a ClientWebSocketResponse. http:// and https:// are taken, too.
        heartbeat: seconds between pings. compress: not 0 to be sent compressed messages. max_msg_size: bytes,
        0 for no limit."""
        return _Request(
            self._ws_connect(url, ssl, headers, protocols, heartbeat, origin, compress, max_msg_size)
        )

    async def _request(
        self,
        method,
        url,
        params=None,
        data=None,
        json=None,
        headers=None,
        ssl=None,
        timeout=None,
        allow_redirects=True,
    ):
        self._check_open()
        headers = self._merged(headers)
        if json is not None:
            if data is not None:
                raise ValueError("data and json: one of them")
            data = _json.dumps(json)
            _add(headers, "Content-Type", "application/json")
        elif isinstance(data, dict):
            data = _query(data)
            _add(headers, "Content-Type", "application/x-www-form-urlencoded")
        url = self._base_url + url
        if params:
            url += ("&" if "?" in url else "?") + _query(params)
        options = _times(self._timeout if timeout is None else timeout)
        options["body"] = data
        if not _verify(ssl):
            options["verify"] = False
        if not allow_redirects:
            options["redirects"] = 0
        response = ClientResponse(await http.request(method, url, headers, **options), method, url)
        self._responses = [one for one in self._responses if not one.closed]
        self._responses.append(response)
        return response

    async def _ws_connect(self, url, ssl, headers, protocols, heartbeat, origin, compress, max_msg_size):
        from .websocket import connect

        self._check_open()
        url = self._base_url + url
        if url.startswith("http"):
            url = "ws" + url[4:]
        ws = await connect(
            url,
            self._merged(headers),
            list(protocols),
            origin,
            "deflate" if compress else None,
            _verify(ssl),
            ping_interval_ms=int(heartbeat * 1000) if heartbeat else None,
            ping_timeout_ms=int(heartbeat * 500) if heartbeat else None,
            max_size=max_msg_size or None,
        )
        return ClientWebSocketResponse(ws)

    def _merged(self, headers):
        merged = dict(self._headers)
        for name, value in (headers or {}).items():
            for other in list(merged):
                if other.lower() == name.lower():
                    del merged[other]
            merged[name] = value
        return merged

    def _check_open(self):
        if self.closed:
            raise RuntimeError("Session is closed")


class _Request:
    """What session.get() returns: for `async with`, and for `await`."""

    def __init__(self, coroutine):
        self._coroutine = coroutine
        self._result = None

    def __iter__(self):
        return self._coroutine

    async def __aenter__(self):
        self._result = await self._coroutine
        return self._result

    async def __aexit__(self, exc_type, exc_value, traceback):
        await self._result._leave(exc_type)


class Headers(dict):
    """Headers by their names in any case; they are kept in lower case."""

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)

    def __contains__(self, name):
        return super().__contains__(name.lower())


class ClientResponse:
    """`status`, `reason`, `headers`, `url`, `method`; the body by read(), text(), json(), or `content`."""

    def __init__(self, response, method, url):
        self.status = response.status
        self.reason = response.reason
        self.headers = Headers()
        self.headers.update(response.headers)
        self.method = method
        self.url = url
        self.closed = False
        self.content = self
        self._response = response
        self._body = None  # what was read of it, as read() may be called again

    @property
    def ok(self):
        return self.status < 400

    @property
    def content_length(self):
        return self._response.length

    def raise_for_status(self):
        """Raise ClientResponseError for a status from 400 on."""
        if not self.ok:
            self._response.raise_for_status()

    async def read(self, count=-1):
        """All of the body; with `count`, as content.read(), up to so many bytes of it, b"" at the end."""
        if count >= 0:
            return await self._response.read(count)
        if self._body is None:
            self._body = await self._response.read()
            self.closed = True
        return self._body

    async def text(self, encoding="utf-8"):
        return str(await self.read(), encoding)

    async def json(self, **_options):
        return _json.loads(await self.read())

    def iter_chunked(self, count):
        """`async for piece in response.content.iter_chunked(n)`: bytes, at most `n` each."""
        return _Pieces(self._response, count)

    def iter_any(self):
        return _Pieces(self._response, 4096)

    def close(self):
        self.closed = True
        self._response.close()

    def release(self):
        self.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, exc_type, exc_value, traceback):
        self.close()

    async def _leave(self, _exc_type):
        self.close()


class _Pieces:
    def __init__(self, response, count):
        self._response = response
        self._count = count

    def __aiter__(self):
        return self

    async def __anext__(self):
        piece = await self._response.read(self._count)
        if not piece:
            raise StopAsyncIteration
        return piece


class ClientWebSocketResponse:
    """A WebSocket: `async for message in ws` gives WSMessages, with `type` and `data`."""

    def __init__(self, ws):
        self.protocol = ws.subprotocol
        self._ws = ws
        self._error = None

    @property
    def closed(self):
        return not self._ws.is_open()

    @property
    def close_code(self):
        return self._ws.close_code

    def exception(self):
        """What the last message of type ERROR was for, or None."""
        return self._error

    async def send_str(self, data):
        await self._ws.send(str(data))

    async def send_bytes(self, data):
        await self._ws.send_frame(WSMsgType.BINARY, data)

    async def send_json(self, data):
        await self._ws.send(_json.dumps(data))

    async def ping(self, message=b""):
        await self._ws.ping(message)

    async def receive(self):
        """The next WSMessage: TEXT with str, BINARY with bytes, CLOSED at the end, ERROR with what failed."""
        from .websocket import ConnectionClosed, WebSocketException

        try:
            opcode, data = await self._ws.next_event()
            return WSMessage(opcode, data, None)
        except ConnectionClosed as error:
            return WSMessage(WSMsgType.CLOSED, error.code, error.reason)
        except (OSError, WebSocketException) as error:
            self._error = error
            return WSMessage(WSMsgType.ERROR, error, None)

    async def receive_str(self):
        return await self._receive_data(WSMsgType.TEXT, "text")

    async def receive_bytes(self):
        return await self._receive_data(WSMsgType.BINARY, "bytes")

    async def receive_json(self):
        return _json.loads(await self.receive_str())

    async def close(self, code=1000, message=""):
        await self._ws.close(code, message)
        self._ws.abort()

    def __aiter__(self):
        return self

    async def __anext__(self):
        message = await self.receive()
        if message.type == WSMsgType.CLOSED:
            raise StopAsyncIteration
        return message

    async def _receive_data(self, kind, name):
        message = await self.receive()
        if message.type != kind:
            raise TypeError("a message of type %d came, not %s" % (message.type, name))
        return message.data

    async def _leave(self, exc_type):
        try:
            if exc_type is None or issubclass(exc_type, Exception):
                await self._ws.close()
        finally:
            self._ws.abort()


def _times(timeout):
    """A timeout in seconds, or a ClientTimeout, as options of http.request()."""
    if timeout is None:
        return {}
    if not isinstance(timeout, ClientTimeout):
        timeout = ClientTimeout(timeout)
    times = {}
    if timeout.total is not None:
        times["total_ms"] = int(timeout.total * 1000)
    if timeout.sock_read is not None:
        times["timeout_ms"] = int(timeout.sock_read * 1000)
    return times


def _verify(ssl):
    """Whether certificates are checked: `ssl` is None, a bool, or an SSLContext whose mode says it."""
    if ssl is None or ssl is True or ssl is False:
        return ssl is not False
    return ssl.verify_mode != 0


def _add(headers, name, value):
    for other in headers:
        if other.lower() == name.lower():
            return
    headers[name] = value


def _query(values):
    """`values` as they stand in a query or a form (application/x-www-form-urlencoded)."""
    return "&".join(["%s=%s" % (_quoted(name), _quoted(values[name])) for name in values])


def _quoted(value):
    return "".join([chr(c) if c in _UNRESERVED else "%%%02X" % c for c in str(value).encode()])
