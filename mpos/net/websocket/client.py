"""An open WebSocket, which `connect` (opening.py) gives.

    async with connect("ws://192.168.1.2/live") as ws:
        await ws.send("hello")
        async for message in ws:
            print(message)

A task of its own reads, so that pings are answered while the app is busy. It stops reading while the app has
not taken what came: the server is slowed down, and nothing is dropped.
"""

import time
from asyncio import Event, Lock
from asyncio import TimeoutError as AsyncioTimeoutError

from ...task_manager import TaskManager
from .frames import (
    BINARY,
    CLOSE,
    CONT,
    NOTHING,
    PING,
    PONG,
    TEXT,
    FrameParser,
    FrameWriter,
    build_close,
    check_control,
    parse_close,
    utf8,
)
from .names import (
    WebSocketConnectionClosedException,
    WebSocketProtocolException,
    WebSocketTimeoutException,
)

_MAX_PENDING_PONGS = 16  # a server that pings more and reads nothing gets the last ones (section 5.5.3)


class WebSocket:
    """An open WebSocket; `connect` makes it. One task receives, any may send.

    `subprotocol` is the one that the server chose (None: none), `response_headers` are those of its answer.
    `close_code` and `close_reason` are the server's after the end (1005: it gave none, 1006: it hung up).
    `last_ping` and `last_pong` are time.time() of the last one that was sent and that came, 0 for none.
    """

    ping_payload = b""  # of the pings that are sent by themselves

    def __init__(self, connection, answer, window, parser, options):
        interval_ms, self._ping_timeout_ms, self._close_timeout_ms, max_queue, make_mask, control = options
        self.subprotocol = answer.subprotocol
        self.response_headers = answer.headers
        self.close_code = None
        self.close_reason = ""
        self.last_ping = 0
        self.last_pong = 0
        self._connection = connection
        self._window = window
        self._max_size = parser[0]
        self._parser = FrameParser(parser[0], window > 0, parser[2], parser[3])
        self._writer = FrameWriter(connection.write, make_mask)
        self._lock = Lock()  # held while a frame is written
        self._max_queue = max_queue
        self._control = control
        self._queue = []  # events that have come: (opcode, data, bytes)
        self._queued = 0  # their bytes
        self._arrived = Event()
        self._room = Event()
        self._receiving = False
        self._full = False  # the reader waits for room in the queue
        self._held = False  # and has done so since a pong is waited for
        self._heard = 0  # how often something has come
        self._pongs = []
        self._pong_came = Event()
        self._closing = False  # a close frame has been sent, or is being sent
        self._over = Event()
        self._failure = None  # what ended the connection, if it was no close frame
        self._tasks = [TaskManager.create_task(self._read(), "websocket reader")]
        if interval_ms:
            self._tasks.append(TaskManager.create_task(self._keep_alive(interval_ms), "websocket pings"))

    # -- Receiving

    async def recv(self):
        """The next message: str for a text, bytes for a binary one.

        Raises WebSocketConnectionClosedException when there will be none, with the server's `code` and
        `reason`; OSError, WebSocketProtocolException or WebSocketTimeoutException when that was why it ended.
        """
        return (await self.next_event())[1]

    async def next_event(self):
        """As recv(), but (opcode, data): ABNF.OPCODE_TEXT or OPCODE_BINARY; with `control` OPCODE_PING and
        OPCODE_PONG too; with `fragments` a message in several comes as OPCODE_CONT with (bytes, fin) each."""
        while not self._queue:
            if self._over.is_set():
                raise self._failure or self._closed()
            if self._receiving:
                raise RuntimeError("two tasks receive from one WebSocket")
            self._receiving = True
            self._arrived.clear()
            try:
                await self._arrived.wait()
            finally:
                self._receiving = False
        opcode, data, size = self._queue.pop(0)
        self._queued -= size
        self._room.set()
        return opcode, data

    def __aiter__(self):
        """`async for message in ws` ends when the server closes with 1000 or 1001, and raises what recv()
        raises for any other end."""
        return self

    async def __anext__(self):
        try:
            return await self.recv()
        except WebSocketConnectionClosedException as error:
            if error.code in (1000, 1001, 1005):
                raise StopAsyncIteration
            raise

    async def _read(self):
        connection = self._connection
        parser = self._parser
        failure = None
        try:
            while not connection.eof:
                if connection.came:
                    parser.took(connection.came)
                    connection.came = 0
                elif connection.start < connection.end:
                    connection.start = parser.feed(connection.view, connection.start, connection.end)
                else:
                    await connection.more(parser.room())
                    self._heard += 1
                    continue
                if parser.event == NOTHING:
                    continue
                if parser.event <= BINARY:
                    await self._deliver(parser)
                elif await self._answer(parser.event, parser.data):
                    return
            self.close_code = 1006
        except WebSocketProtocolException as error:
            failure = error
            self.close_code = error.code
            await self._say_goodbye(build_close(error.code, str(error)[:100]))
        except Exception as error:
            failure = error
            self.close_code = 1006
        finally:
            self._end(failure)

    async def _deliver(self, parser):
        opcode = parser.event
        data = parser.data
        if self._closing:
            return
        size = len(data)
        if opcode == CONT:
            data = (data, parser.fin)
        elif parser.compressed:
            from .inflate import inflate

            data = await inflate(data, self._window, self._max_size, _pause)
            if opcode == TEXT:
                if utf8(data, 0, len(data), 0):
                    raise WebSocketProtocolException("a text that is no UTF-8", 1007)
                data = str(data, "utf-8")
            size = len(data)
        await self._put(opcode, data, size)

    async def _put(self, opcode, data, size):
        while self._queue and not self._closing and not self._fits(size):
            self._full = self._held = True
            self._room.clear()
            await self._room.wait()
        self._full = False
        self._queue.append((opcode, data, size))
        self._queued += size
        self._arrived.set()

    def _fits(self, size):
        if len(self._queue) >= self._max_queue:
            return False
        return self._max_size is None or self._queued + size <= self._max_size

    async def _answer(self, opcode, data):
        """What a control frame asks for. True when it was the end."""
        if opcode == CLOSE:
            code, reason = parse_close(data)
            self.close_code = code
            self.close_reason = reason
            await self._say_goodbye(data[:2])
            return True
        if opcode == PING:
            self._pongs.append(data)
            if len(self._pongs) > _MAX_PENDING_PONGS:
                self._pongs.pop(0)
            if len(self._pongs) == 1 and not self._closing:
                # Not written here: a server that reads nothing before we have read would wait for ever.
                self._forget_done()
                self._tasks.append(TaskManager.create_task(self._send_pongs(), "websocket pong"))
        else:
            self.last_pong = time.time()
            self._pong_came.set()
        if self._control:
            await self._put(opcode, data, len(data))
        return False

    async def _send_pongs(self):
        try:
            while self._pongs and not self._closing:
                await self._send_frame(PONG, self._pongs[0])
                self._pongs.pop(0)
        except (OSError, WebSocketConnectionClosedException):
            pass  # the reader sees the end of the connection, too

    def _forget_done(self):
        self._tasks = [task for task in self._tasks if not task.done()]

    # -- Sending

    async def send(self, message):
        """Send a str as a text, anything bytes-like as a binary message; a list, tuple or generator of such
        in fragments. Returns when the system has taken it: a server that reads slowly slows the sender down.

        A send that is cancelled or fails in the middle ends the connection. Raises what recv() raises.
        """
        if isinstance(message, (str, bytes, bytearray, memoryview)):
            await self.send_frame(TEXT if isinstance(message, str) else BINARY, message)
            return
        if not hasattr(message, "__next__") and not isinstance(message, (list, tuple)):
            raise TypeError("a message is str or bytes-like, not %s" % type(message).__name__)
        async with self._lock:
            opcode = waiting = None
            for part in message:
                if opcode is None:
                    opcode = TEXT if isinstance(part, str) else BINARY
                else:
                    await self._write(opcode, waiting, False)
                    opcode = CONT
                waiting = part
            if opcode is None:
                raise ValueError("a message in fragments needs at least one")
            await self._write(opcode, waiting, True)

    async def send_frame(self, opcode, data):
        """Send one message or control frame: `opcode` of ABNF, `data` str or bytes-like."""
        if opcode >= CLOSE:
            data = check_control(data)
            if opcode == CLOSE:
                raise ValueError("a close frame is sent by close()")
        await self._send_frame(opcode, data)

    async def ping(self, data=b""):
        """Send a ping with up to 125 bytes. `last_pong` moves when the answer is there."""
        await self.send_frame(PING, data)
        self.last_ping = time.time()

    async def _send_frame(self, opcode, data):
        self._check_open()
        async with self._lock:
            await self._write(opcode, data, True)

    async def _write(self, opcode, data, fin):
        self._check_open()
        if isinstance(data, str):
            data = data.encode()
        try:
            await self._writer.send(opcode, data, fin)
        except BaseException as error:
            # Half a frame may be on its way: nothing can follow it.
            self._end(error if isinstance(error, OSError) else None)
            raise

    def _check_open(self):
        if self._over.is_set():
            raise self._failure or self._closed()
        if self._closing:
            raise WebSocketConnectionClosedException("the connection is being closed")

    # -- Pings

    async def _keep_alive(self, interval_ms):
        written = -1
        while True:
            await TaskManager.sleep_ms(interval_ms)
            if self._lock.locked():
                # A large message is on its way: it shows as well whether the server takes anything.
                if self._writer.written == written:
                    break
                written = self._writer.written
                continue
            written = -1
            self._pong_came.clear()
            try:
                await TaskManager.wait_for_ms(self.ping(self.ping_payload), self._ping_timeout_ms)
                if self._ping_timeout_ms is not None and not await self._is_answered():
                    break
            except AsyncioTimeoutError:
                break
            except (OSError, WebSocketConnectionClosedException):
                return
        self._end(WebSocketTimeoutException("ping/pong timed out: %s" % self._connection.name))

    async def _is_answered(self):
        """Wait for the pong. It may lie behind what else the server has sent, and what the app has not taken:
        False when nothing has come for `ping_timeout_ms`."""
        while True:
            heard = self._heard
            self._held = self._full
            try:
                await TaskManager.wait_for_ms(self._pong_came.wait(), self._ping_timeout_ms)
                return True
            except AsyncioTimeoutError:
                if heard == self._heard and not self._held:
                    return False

    # -- The end

    async def close(self, code=1000, reason="", timeout_ms=None):
        """Close it: say so to the server and wait for its answer, for `timeout_ms` (None: `close_timeout_ms`
        of connect) at most. What has come before can still be received. Closing again does nothing. Raises
        ValueError for a code or reason that none may be."""
        payload = build_close(code, reason)
        if timeout_ms is not None:
            self._close_timeout_ms = timeout_ms
        if self._over.is_set():
            return
        try:
            if not self._closing:
                await self._within_close_timeout(self._send_close(payload))
            self._room.set()
            await self._within_close_timeout(self._over.wait())
        except (OSError, AsyncioTimeoutError, WebSocketConnectionClosedException):
            pass  # the server is gone, or will not answer: there is nothing more to say to it
        finally:
            self._end(None)

    def abort(self):
        """Close the socket at once and end all tasks. Needs no loop; safe to call again."""
        self._end(None)

    def is_open(self):
        """Whether messages can be sent."""
        return not (self._closing or self._over.is_set())

    async def _send_close(self, payload):
        async with self._lock:
            if not self._closing:
                self._check_open()
                self._closing = True
                await self._writer.send(CLOSE, payload)

    async def _say_goodbye(self, payload):
        """Called by the reader: send a close frame, unless that was done, and wait for the server to hang up,
        as it should be the first to (section 7.1.1)."""
        try:
            if not self._closing:
                await self._within_close_timeout(self._send_close(payload))
            await self._within_close_timeout(self._drain())
        except (OSError, AsyncioTimeoutError, WebSocketConnectionClosedException):
            pass

    async def _drain(self):
        connection = self._connection
        while not connection.eof:
            connection.start = connection.end
            await connection.more()

    def _within_close_timeout(self, awaitable):
        return TaskManager.wait_for_ms(awaitable, self._close_timeout_ms)

    def _end(self, failure):
        """Called by what ends the connection first: close the socket, end the tasks, wake who waits."""
        if not self._over.is_set():
            if self.close_code is None:
                self.close_code = 1006
            self._failure = failure
            self._over.set()
        self._closing = True
        self._arrived.set()
        self._room.set()
        tasks = self._tasks
        self._tasks = []
        try:
            current = TaskManager.current_task()
        except RuntimeError:
            current = None
        for task in tasks:
            if task is not current and not task.done():
                task.cancel()
        self._connection.close()

    def _closed(self):
        code = self.close_code
        text = "the connection is closed: %d %s" % (code, self.close_reason)
        return WebSocketConnectionClosedException(text.strip(), code, self.close_reason)


async def _pause():
    await TaskManager.sleep_ms(0)
