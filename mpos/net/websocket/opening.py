"""`connect`: looks the server up, connects, shakes hands, and gives the WebSocket that is open then."""

from ..connection import connect as open_connection
from ..url import parse
from .client import WebSocket
from .handshake import headers_of, shake_hands
from .names import WebSocketBadStatusException

_SCHEMES = ("ws", "wss")
_MAX_REDIRECTS = 3
_SECRET_HEADERS = ("authorization", "cookie", "proxy-authorization")


class connect:
    """`async with connect(url) as ws:` or `ws = await connect(url)`, which the caller closes.

    url: ws:// or wss://, percent-encoded. headers: dict of further headers, or a list of "Name: value".
    subprotocols: list of str, the server may choose one (`ws.subprotocol`). origin: the header Origin.
    compression: "deflate" to be sent compressed messages; None, the default, saves heap and time.
    verify: whether the certificate of a wss:// server is checked. open_timeout_ms: for each wait until it is
    open. ping_interval_ms, ping_timeout_ms: a ping is sent so often, and the connection given up when
    there is no answer for so long; None: no pings, no limit. close_timeout_ms: how long close() waits for the
    server. max_size: bytes of a message (None: no limit). max_queue: messages that are kept until recv(),
    and no more bytes than max_size; then the server has to wait. buffer_size: bytes read at a time.
    make_mask: function that gets 4 and returns as many bytes, in the place of os.urandom.
    check_utf8: False leaves out the check of texts. fragments, control: see WebSocket.next_event().

    Raises ValueError or TypeError for arguments that cannot be right, OSError (TLSError) when the server
    cannot be reached or trusted, TimeoutError (asyncio's), WebSocketException when it does not agree to a
    WebSocket.
    """

    def __init__(
        self,
        url,
        headers=None,
        subprotocols=None,
        origin=None,
        compression=None,
        verify=True,
        open_timeout_ms=10000,
        ping_interval_ms=20000,
        ping_timeout_ms=20000,
        close_timeout_ms=3000,
        max_size=1 << 20,
        max_queue=8,
        buffer_size=4096,
        make_mask=None,
        check_utf8=True,
        fragments=False,
        control=False,
    ):
        if compression not in (None, "deflate"):
            raise ValueError('compression is %r: "deflate" or None' % (compression,))
        if compression and fragments:
            raise ValueError("fragments of compressed messages cannot be had: leave compression out")
        if max_queue < 1:
            raise ValueError("max_queue must be 1 or more")
        if isinstance(subprotocols, str):
            raise TypeError("subprotocols must be a list of str")
        self._address = parse(url, _SCHEMES)
        self._headers = headers_of(headers)
        if origin is not None:
            self._headers["Origin"] = origin
        self._subprotocols = subprotocols
        self._compression = compression
        self._verify = verify
        self._open_timeout_ms = open_timeout_ms
        self._buffer_size = buffer_size
        self._parser = (max_size, bool(compression), fragments, check_utf8)
        self._options = (ping_interval_ms, ping_timeout_ms, close_timeout_ms, max_queue, make_mask, control)
        self._ws = None

    def __iter__(self):  # what `await` calls
        return self.open()

    async def __aenter__(self):
        self._ws = await self.open()
        return self._ws

    async def __aexit__(self, exc_type, exc_value, traceback):
        ws = self._ws
        self._ws = None
        try:
            if exc_type is None or issubclass(exc_type, Exception):
                await ws.close()
        finally:
            ws.abort()

    async def open(self):
        """What `await` does."""
        offer = None
        if self._compression:
            from .inflate import OFFER as offer
        address = self._address
        headers = self._headers
        for _ in range(_MAX_REDIRECTS):
            try:
                return await self._open_at(address, headers, offer)
            except WebSocketBadStatusException as error:
                location = error.headers.get("location")
                if error.status_code not in (301, 302, 303, 307, 308) or not location:
                    raise
                old = address
                address = _redirected(old, location, error)
                if address.netloc != old.netloc:
                    headers = {n: v for n, v in headers.items() if n.lower() not in _SECRET_HEADERS}
        return await self._open_at(address, headers, offer)

    async def _open_at(self, address, headers, offer):
        connection = await open_connection(
            address.host,
            address.port,
            address.redacted(),
            self._open_timeout_ms,
            self._buffer_size,
            address.secure,
            self._verify,
        )
        try:
            answer = await shake_hands(connection, address, headers, self._subprotocols, offer)
            window = 0
            if answer.extensions:
                from .inflate import accepted_window

                window = accepted_window(answer.extensions)
            connection.wait_for_ever()
            return WebSocket(connection, answer, window, self._parser, self._options)
        except BaseException:
            connection.close()
            raise


def _redirected(address, location, error):
    """Where the redirect `location` leads from `address`. Raises `error` where it may not lead."""
    if location.startswith("http"):
        location = "ws" + location[4:]
    if location.startswith("ws:") or location.startswith("wss:"):
        target = parse(location, _SCHEMES)
    else:
        target = address.join(location)
    if address.secure and not target.secure:
        raise error
    return target
