"""WebSocketApp: a WebSocket by callbacks that connects again by itself, as websocket-client has it."""

import random
from asyncio import CancelledError, Event
from asyncio import TimeoutError as AsyncioTimeoutError

from ...task_manager import TaskManager
from .frames import build_close
from .names import ABNF, WebSocketConnectionClosedException, WebSocketException
from .opening import connect
from .outbox import Outbox

_FIRST_DELAY_S = 4  # before the first attempt to connect again, unless `reconnect` says how long
_LONGEST_DELAY_S = 300
_GROWTH = 3
_CALLBACKS = (
    "on_open",
    "on_reconnect",
    "on_message",
    "on_error",
    "on_close",
    "on_ping",
    "on_pong",
    "on_cont_message",
    "on_data",
)


class WebSocketApp:
    """All callbacks get this object first; they may be plain or async, and run one after the other.

    header: dict, or list of "Name: value", of further headers; also a dict of callbacks by their names (or an
        object with such methods), as in `WebSocketApp(url, callbacks)`.
    on_open(ws): it is connected, each time. on_reconnect(ws): before that, when it is not the first time.
    on_message(ws, message): str or bytes. on_data(ws, data, opcode, fin): the same, before it.
    on_cont_message(ws, data, fin): with it, a message in fragments comes as these, bytes each, and not as a
        message. on_ping(ws, data), on_pong(ws, data): bytes; a ping is answered by itself.
    on_error(ws, error): a connection that failed or broke, a callback that raised. Without it, TaskManager
        reports them. on_close(ws, code, reason): once, at the end of run_forever(); None, None when the
        server gave no code.
    keep_running: set it to False to end run_forever() at the next event, as close() does at once.
    get_mask_key(n): returns n bytes (random ones without it). cookie: the header Cookie.
    subprotocols: list of str. socket is refused: the app makes its own.
    compression, max_size, max_queue, buffer_size: see `connect`.
    """

    def __init__(
        self,
        url,
        header=None,
        on_open=None,
        on_reconnect=None,
        on_message=None,
        on_error=None,
        on_close=None,
        on_ping=None,
        on_pong=None,
        on_cont_message=None,
        keep_running=True,
        get_mask_key=None,
        cookie=None,
        subprotocols=None,
        on_data=None,
        socket=None,
        compression=None,
        max_size=1 << 20,
        max_queue=8,
        buffer_size=4096,
    ):
        if socket is not None:
            raise ValueError("socket= is not supported: leave it out, WebSocketApp connects by itself")
        self.url = url
        self._name = url.partition("?")[0]  # in reports: a query may hold a secret
        self.on_open = on_open
        self.on_reconnect = on_reconnect
        self.on_message = on_message
        self.on_error = on_error
        self.on_close = on_close
        self.on_ping = on_ping
        self.on_pong = on_pong
        self.on_cont_message = on_cont_message
        self.on_data = on_data
        self.header = self._take_callbacks(header)
        self.keep_running = keep_running
        self.get_mask_key = get_mask_key
        self.cookie = cookie
        self.subprotocols = subprotocols
        self.has_errored = False
        self._options = {
            "compression": compression,
            "max_size": max_size,
            "max_queue": max_queue,
            "buffer_size": buffer_size,
        }
        self._running = False
        self._ws = None
        self._outbox = Outbox()
        self._goodbye = None  # arguments of close(), once it was called
        self._wake = Event()  # ends a wait before the next attempt
        self._ended = Event()
        self._ended.set()
        self._runner = None  # the task of run_forever()

    def _take_callbacks(self, header):
        """`header` without the callbacks that it holds, if it is a dict of such or an object with them."""
        if header is None or isinstance(header, (list, tuple)):
            return header
        if not isinstance(header, dict):
            found = {name: getattr(header, name) for name in _CALLBACKS if hasattr(header, name)}
            if not found:
                raise TypeError("header is a dict, a list of 'Name: value', or callbacks; not %r" % (header,))
            rest = None
        else:
            found = {name: value for name, value in header.items() if name in _CALLBACKS}
            rest = {name: value for name, value in header.items() if name not in _CALLBACKS}
        for name, callback in found.items():
            setattr(self, name, callback)
        return rest

    # -- Sending and closing

    def send(self, data, opcode=ABNF.OPCODE_TEXT):
        """Send `data`, a str or bytes-like, as a message. From plain code it is scheduled, in the order of
        the calls; `await` what it returns to wait until it has been sent.

        Raises WebSocketConnectionClosedException when there is no connection, ValueError for an opcode that
        is none of TEXT, BINARY, PING, PONG, and WebSocketException when 64 messages wait already: code
        that sends much awaits.
        """
        if opcode not in (ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY, ABNF.OPCODE_PING, ABNF.OPCODE_PONG):
            raise ValueError(
                "opcode %r: send() takes text (1), binary (2), ping (9) and pong (10)" % (opcode,)
            )
        if not isinstance(data, (str, bytes, bytearray, memoryview)):
            raise TypeError("a message is str or bytes-like, not %s" % type(data).__name__)
        if not self.ready():
            raise WebSocketConnectionClosedException("Connection is already closed.")
        if isinstance(data, (bytearray, memoryview)):
            data = bytes(data)  # as it is now: the caller may go on using it
        return self._outbox.put(opcode, data)

    def send_text(self, text_data):
        """send() for a str."""
        return self.send(text_data, ABNF.OPCODE_TEXT)

    def send_bytes(self, data):
        """send() for a binary message."""
        return self.send(data, ABNF.OPCODE_BINARY)

    def close(self, status=1000, reason="", timeout=3):
        """End run_forever(), after what was sent before: at once from plain code, and `await` it to wait for
        the end. `timeout`: seconds that the server may take to answer. Closing again does nothing."""
        if isinstance(reason, bytes):
            reason = reason.decode()
        build_close(status, reason)  # only to see whether it can be
        self.keep_running = False
        if self._goodbye is None:
            self._goodbye = (status, reason, None if timeout is None else int(timeout * 1000))
        self._outbox.posted.set()
        self._wake.set()
        return _Closing(self)

    def ready(self):
        """Whether it is connected."""
        return self._ws is not None and self._goodbye is None and self._ws.is_open()

    @property
    def last_ping_tm(self):
        """time.time() of the last ping that was sent, 0 for none."""
        return self._ws.last_ping if self._ws is not None else 0

    @property
    def last_pong_tm(self):
        """time.time() of the last pong that came, 0 for none."""
        return self._ws.last_pong if self._ws is not None else 0

    # -- Running

    async def run_forever(
        self,
        sockopt=None,
        sslopt=None,
        ping_interval=0,
        ping_timeout=None,
        ping_payload="",
        http_proxy_host=None,
        http_proxy_port=None,
        http_no_proxy=None,
        http_proxy_auth=None,
        http_proxy_timeout=None,
        skip_utf8_validation=False,
        host=None,
        origin=None,
        dispatcher=None,
        suppress_origin=False,
        proxy_type=None,
        reconnect=None,
    ):
        """Connect and call the callbacks until it is over: close(), or the server closes it with 1000.

        sslopt: {"cert_reqs": 0} (ssl.CERT_NONE) does not check the server's certificate.
        ping_interval, ping_timeout: seconds; 0 or None for no pings, or no limit. ping_payload: str or bytes.
        skip_utf8_validation: do not check texts. host, origin: those headers; suppress_origin: no Origin.
        reconnect: seconds before the first attempt to connect again when the connection fails or breaks; each
            further one waits longer, up to 300 s. None: 4 s. False or 0: no attempt. True or a number: again
            also when the server closes it with 1000.
        sockopt, dispatcher and those of a proxy are refused unless None.

        Returns True when there was an error, False otherwise. Raises WebSocketException for a keyword that
        cannot be used, RuntimeError when it runs already.
        """
        for name, value in (
            ("sockopt", sockopt),
            ("http_proxy_host", http_proxy_host),
            ("http_proxy_port", http_proxy_port),
            ("http_no_proxy", http_no_proxy),
            ("http_proxy_auth", http_proxy_auth),
            ("http_proxy_timeout", http_proxy_timeout),
            ("dispatcher", dispatcher),
            ("proxy_type", proxy_type),
        ):
            if value:
                raise WebSocketException("%s is not supported: leave it out" % name)
        _check_pings(ping_interval, ping_timeout)
        if self._running:
            raise RuntimeError("run_forever() runs already")
        connector = self._connector(
            sslopt,
            ping_interval,
            ping_timeout,
            skip_utf8_validation,
            host,
            None if suppress_origin else origin,
        )
        self._running = True
        self.keep_running = True
        self.has_errored = False
        self._goodbye = None
        self._wake.clear()
        self._ended.clear()
        self._runner = TaskManager.current_task()
        try:
            ended = await self._run(connector, ping_payload, reconnect)
        finally:
            self._running = False
            self._runner = None
            self._ended.set()
        await self._call(self.on_close, *ended)
        return self.has_errored

    def _connector(self, sslopt, ping_interval, ping_timeout, skip_utf8, host, origin):
        headers = self.header
        extra = {}
        if self.cookie:
            extra["Cookie"] = self.cookie
        if host:
            extra["Host"] = host
        if extra:
            from .handshake import headers_of

            headers = headers_of(headers)
            headers.update(extra)
        return connect(
            self.url,
            headers,
            self.subprotocols,
            origin,
            verify=_verify(sslopt),
            ping_interval_ms=int(ping_interval * 1000) if ping_interval else None,
            ping_timeout_ms=int(ping_timeout * 1000) if ping_timeout else None,
            make_mask=self.get_mask_key,
            check_utf8=not skip_utf8,
            fragments=self.on_cont_message is not None,
            control=True,
            **self._options,
        )

    async def _run(self, connector, ping_payload, reconnect):
        """Connect again and again; returns what on_close() gets after the last time."""
        first = _FIRST_DELAY_S if reconnect is None or reconnect is True else float(reconnect)
        delay = 0
        connected = False
        while True:
            ended = (None, None)
            clean = opened = False
            sender = None
            try:
                await self._open(connector)
                ws = self._ws
                if ws is None:
                    return ended
                opened = True
                ws.ping_payload = ping_payload
                sender = TaskManager.create_task(self._send_all(ws), "websocket sender")
                if connected:
                    await self._call(self.on_reconnect)
                connected = True
                await self._call(self.on_open)
                await self._receive(ws)
            except WebSocketConnectionClosedException as error:
                if error.code not in (1005, 1006):
                    ended = (error.code, error.reason)
                clean = error.code in (1000, 1005)
                if self.keep_running and not clean:
                    await self._fail(error)
            except Exception as error:
                await self._fail(error)
            finally:
                if sender is not None:
                    sender.cancel()
                if self._ws is not None:
                    self._ws.abort()
                    self._ws = None
            await self._fail_outbox()
            if not self.keep_running or first <= 0 or clean and reconnect is None:
                return ended
            delay = first if opened or not delay else min(_LONGEST_DELAY_S, delay * _GROWTH)
            # With jitter, or all the boards of a server that was away come back at the same moment.
            await self._sleep(int(delay * (750 + random.getrandbits(9))))
            if not self.keep_running:
                return ended

    async def _open(self, connector):
        """Have the WebSocket in _ws; None there if close() was called meanwhile."""
        task = TaskManager.create_task(self._open_now(connector), "websocket connect")
        closing = TaskManager.create_task(self._cancel_at_close(task), "websocket close")
        try:
            await task
        except CancelledError:
            if self._goodbye is None:
                raise
        finally:
            closing.cancel()
            task.cancel()

    async def _open_now(self, connector):
        self._ws = await connector.open()

    async def _cancel_at_close(self, task):
        await self._wake.wait()
        task.cancel()

    async def _sleep(self, delay_ms):
        try:
            await TaskManager.wait_for_ms(self._wake.wait(), delay_ms)
        except AsyncioTimeoutError:
            pass

    async def _receive(self, ws):
        while True:
            opcode, data = await ws.next_event()
            if opcode == ABNF.OPCODE_PING:
                await self._call(self.on_ping, data)
            elif opcode == ABNF.OPCODE_PONG:
                await self._call(self.on_pong, data)
            elif opcode == ABNF.OPCODE_CONT:
                await self._call(self.on_data, data[0], opcode, data[1])
                await self._call(self.on_cont_message, data[0], data[1])
            else:
                await self._call(self.on_data, data, opcode, True)
                await self._call(self.on_message, data)
            if not self.keep_running and self._goodbye is None:
                self.close()

    async def _send_all(self, ws):
        """Runs beside the callbacks: sends what plain code has put into the outbox, closes if asked to."""
        outbox = self._outbox
        while True:
            sending = outbox.first()
            while sending is not None:
                error = None
                try:
                    await ws.send_frame(sending.opcode, sending.data)
                except Exception as failure:
                    if not ws.is_open():
                        return  # _run() sees the same, and tells those who wait
                    error = failure
                awaited = sending.is_awaited()
                outbox.finish_first(error)
                if error is not None and not awaited:
                    await self._fail(error)
                sending = outbox.first()
            if self._goodbye is not None:
                await ws.close(*self._goodbye)
                return
            outbox.posted.clear()
            await outbox.posted.wait()

    async def _fail_outbox(self):
        """Tell that what is in the outbox cannot be sent any more."""
        error = WebSocketConnectionClosedException("messages could not be sent: the connection is closed")
        if self._outbox.give_up(error):
            await self._fail(error)

    async def _call(self, callback, *arguments):
        if callback is None:
            return
        try:
            result = callback(self, *arguments)
            if hasattr(result, "send"):
                await result
        except Exception as error:
            if callback is self.on_error:
                TaskManager.report(error, "Callback on_error of '{}' failed", self._name)
            else:
                await self._fail(error)

    async def _fail(self, error):
        self.has_errored = True
        if self.on_error is None:
            TaskManager.report(error, "WebSocket '{}' failed", self._name)
        else:
            await self._call(self.on_error, error)


class _Closing:
    """What close() returns: `await` it for the end of run_forever()."""

    def __init__(self, app):
        self._app = app

    def __iter__(self):
        # A callback runs in run_forever() itself, which would wait for its own end.
        if self._app._runner is not TaskManager.current_task():
            yield from self._app._ended.wait()


def _check_pings(interval, timeout):
    if timeout is not None and timeout <= 0:
        raise WebSocketException("Ensure ping_timeout > 0")
    if interval is not None and interval < 0:
        raise WebSocketException("Ensure ping_interval >= 0")
    if timeout and interval and interval <= timeout:
        raise WebSocketException("Ensure ping_interval > ping_timeout")


def _verify(sslopt):
    """Whether the certificate is to be checked. Raises WebSocketException for what is not supported."""
    verify = True
    for name, value in (sslopt or {}).items():
        if name == "cert_reqs":
            verify = value != 0
        elif value is not None and not (name == "check_hostname" and value):
            raise WebSocketException(
                "sslopt[%r] is not supported: CAs are added with mpos.net.tls.add_ca()" % name
            )
    return verify
