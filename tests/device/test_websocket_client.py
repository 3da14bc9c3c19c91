"""connect() and the WebSocket against real servers, and against one that breaks the protocol."""

import json

import aiohttp
from cancelling import cancel_at_each_await, interrupt_at_each_await
from websocket_tools import expect_nothing_left, frame, raised, raw, receive_all

from mpos import TaskManager
from mpos.net import tls
from mpos.net.websocket import (
    ConnectionClosed,
    WebSocketBadStatusException,
    WebSocketException,
    WebSocketProtocolException,
    WebSocketTimeoutException,
    connect,
)

TIMEOUT = 60

TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
SIZES = (0, 1, 125, 126, 127, 2047, 2048, 2049, 4096, 65535, 65536, 200000)


async def test_messages_of_all_sizes_come_back_as_they_were(websockets_url):
    async with connect(websockets_url["good"] + "/echo") as ws:
        for size in SIZES:
            for message in (bytes(range(256)) * (size // 256) + bytes(size % 256), "\u20ac" * (size // 3)):
                await ws.send(message)
                assert await ws.recv() == message, size
    assert ws.close_code == 1000


async def test_compressed_messages_are_inflated(websockets_url):
    async with connect(websockets_url["good"] + "/echo", compression="deflate") as ws:
        assert "permessage-deflate" in ws.response_headers["sec-websocket-extensions"]
        for message in ("", "a", "gr\u00fc\u00dfe " * 5000, bytes(100000)):
            await ws.send(message)
            assert await ws.recv() == message


async def test_fragments_with_pings_in_between_are_one_message(websockets_url):
    async with connect(websockets_url["good"] + "/fragments") as ws:
        assert await ws.recv() == "gr\u00fc\u00dfe \u20ac"
        assert await ws.recv() == b"abcd"


async def test_a_message_can_be_sent_in_fragments(websockets_url):
    async with connect(websockets_url["good"] + "/echo") as ws:
        await ws.send(["one ", "two ", "three"])
        assert await ws.recv() == "one two three"
        await ws.send(bytes([number]) for number in range(5))
        assert await ws.recv() == b"\0\1\2\3\4"


async def test_frames_cut_anywhere_are_put_together(websockets_url):
    data = frame(TEXT, "gr\u00fc", fin=False) + frame(PING, b"x") + frame(0, "\u00dfe " * 100)
    data += frame(BINARY, bytes(300)) + frame(CLOSE, b"\x03\xe8bye")
    for step in (1, 2, 3, 7, 100):
        for size in (1, 5, 4096):
            messages = await receive_all(raw(websockets_url, data, step), buffer_size=size)
            assert messages == ["gr\u00fc" + "\u00dfe " * 100, bytes(300)], (step, size)


async def test_pings_are_answered_while_the_app_does_not_receive(websockets_url):
    async with connect(websockets_url["good"] + "/ping") as ws:
        await TaskManager.sleep_ms(100)
        assert await ws.recv() == "pong came"


async def test_the_servers_close_code_and_reason_are_told(websockets_url):
    ws = await connect(websockets_url["good"] + "/close?code=4001&reason=enough&count=2")
    assert [await ws.recv(), await ws.recv()] == ["message 0", "message 1"]
    error = await raised(ws.recv())
    assert isinstance(error, ConnectionClosed) and (error.code, error.reason) == (4001, "enough")
    assert isinstance(await raised(ws.send("x")), ConnectionClosed)
    await ws.close()


async def test_a_loop_ends_with_a_normal_close_and_raises_for_others(websockets_url):
    assert await receive_all(websockets_url["good"] + "/close?code=1000&count=3") == [
        "message 0",
        "message 1",
        "message 2",
    ]
    assert await receive_all(websockets_url["good"] + "/close?code=1001") == []
    error = await raised(receive_all(websockets_url["good"] + "/close?code=1011"))
    assert isinstance(error, ConnectionClosed) and error.code == 1011
    error = await raised(receive_all(raw(websockets_url, frame(TEXT, "x"), stay=False)))
    assert isinstance(error, ConnectionClosed) and error.code == 1006


async def test_what_breaks_the_protocol_ends_the_connection_with_the_right_code(websockets_url):
    for code, data in (
        (1002, frame(3, "x")),
        (1002, frame(11)),
        (1002, frame(TEXT, "x", first=0x40)),
        (1002, frame(0, "x")),
        (1002, frame(TEXT, "x", fin=False) + frame(TEXT, "x")),
        (1002, frame(PING, "x", fin=False)),
        (1002, frame(PING, bytes(126))),
        (1002, b"\x81\x81\0\0\0\0a"),
        (1002, frame(CLOSE, b"x")),
        (1002, frame(CLOSE, b"\x03\xed")),
        (1002, frame(CLOSE, b"\x13\x88")),
        (1007, frame(CLOSE, b"\x03\xe8\xff")),
        (1007, frame(TEXT, b"\xff")),
        (1007, frame(TEXT, b"\xc3")),
        (1007, frame(TEXT, b"\xed\xa0\x80")),
        (1007, frame(TEXT, b"\xf4\x90\x80\x80")),
        (1007, frame(TEXT, b"\xc3", fin=False) + frame(0, b"x")),
        (1009, frame(BINARY, length=1 << 40)),
        (1009, frame(BINARY, length=1 << 63)),
        (1009, frame(BINARY, bytes(600), fin=False) + frame(0, bytes(600))),
    ):
        error = await raised(receive_all(raw(websockets_url, data), max_size=1000, close_timeout_ms=200))
        assert isinstance(error, WebSocketProtocolException) and error.code == code, (data[:20], error)


async def test_a_text_that_is_no_utf8_is_refused_before_its_end(websockets_url):
    data = frame(TEXT, b"ok\xff", fin=False)
    error = await raised(receive_all(raw(websockets_url, data), close_timeout_ms=200))
    assert error.code == 1007


async def test_a_wrong_handshake_is_refused(websockets_url):
    good = ["Upgrade: websocket", "Connection: keep-alive, Upgrade", "Sec-WebSocket-Accept: ACCEPT"]
    for lines in (
        good[1:],
        good[:1] + good[2:],
        good[:2],
        good[:2] + ["Sec-WebSocket-Accept: AAAA"],
        good + ["Sec-WebSocket-Protocol: other"],
        good + ["Sec-WebSocket-Extensions: permessage-deflate"],
    ):
        text = json.dumps(lines).replace(" ", "%20").replace('"', "%22")
        error = await raised(connect(websockets_url["bad"] + "/handshake?lines=" + text).open())
        assert isinstance(error, WebSocketException), lines
    text = json.dumps(good).replace(" ", "%20").replace('"', "%22")
    ws = await connect(websockets_url["bad"] + "/handshake?lines=" + text)
    ws.abort()
    error = await raised(connect(websockets_url["bad"] + "/handshake?status=403%20No&lines=[]").open())
    assert isinstance(error, WebSocketBadStatusException) and error.status_code == 403


async def test_redirects_are_followed_and_limited(websockets_url):
    bad = websockets_url["bad"]
    ws = await connect(bad + "/redirect?to=/silent")
    ws.abort()
    ws = await connect(bad + "/redirect?status=308%20P&to=http://HERE/silent")
    ws.abort()
    error = await raised(connect(bad + "/redirect?to=/redirect%3Fto%3D/redirect%253Fto%253D/redirect").open())
    assert isinstance(error, WebSocketBadStatusException) or isinstance(error, (OSError, WebSocketException))


async def test_a_subprotocol_is_agreed_on_and_headers_are_sent(websockets_url):
    async with connect(
        websockets_url["good"] + "/request", headers={"X-One": "1"}, subprotocols=["chat"], origin="http://me"
    ) as ws:
        assert ws.subprotocol == "chat"
        headers = json.loads(await ws.recv())
    assert headers["x-one"] == "1" and headers["origin"] == "http://me"
    for wrong in ({"Upgrade": "x"}, {"X": "a\r\nb"}, ["no colon"]):
        assert isinstance(await raised(_open(websockets_url["good"] + "/echo", wrong)), ValueError), wrong


async def _open(url, headers):
    await connect(url, headers)


async def test_wss_is_verified_by_default(websockets_url):
    url = websockets_url["secure"] + "/echo"
    error = await raised(connect(url).open())
    assert isinstance(error, tls.TLSError), error
    async with connect(url, verify=False) as ws:
        await ws.send("trusting")
        assert await ws.recv() == "trusting"
    tls.add_ca(websockets_url["ca"].encode())
    async with connect(url) as ws:
        for message in ("hello", bytes(50000)):
            await ws.send(message)
            assert await ws.recv() == message


async def test_a_server_that_answers_no_ping_is_given_up(websockets_url):
    for path in ("/silent", "/deaf"):
        ws = await connect(websockets_url["bad"] + path, ping_interval_ms=50, ping_timeout_ms=100)
        error = await raised(ws.recv())
        assert isinstance(error, WebSocketTimeoutException), error
        assert not ws.is_open()


async def test_a_server_that_takes_nothing_while_a_message_is_sent_is_given_up(websockets_url):
    ws = await connect(websockets_url["bad"] + "/deaf", ping_interval_ms=200, ping_timeout_ms=200)
    assert isinstance(await raised(_send_for_ever(ws)), (OSError, WebSocketException))
    assert not ws.is_open()


async def _send_for_ever(ws):
    message = bytes(100000)
    while True:
        await ws.send(message)


async def test_pings_are_answered_by_a_good_server_and_counted(websockets_url):
    async with connect(websockets_url["good"] + "/echo", ping_interval_ms=20, ping_timeout_ms=5000) as ws:
        while not ws.last_pong:
            await TaskManager.sleep_ms(5)
        assert ws.last_ping


async def test_a_full_queue_slows_the_server_down_and_loses_nothing(websockets_url):
    url = websockets_url["good"] + "/flood?count=400&size=50000"
    async with connect(url, max_queue=3, ping_interval_ms=50, ping_timeout_ms=100) as ws:
        await TaskManager.sleep_ms(300)
        await ws.send("now")
        for number in range(400):
            assert (await ws.recv())[:4] == number.to_bytes(4, "big")
        assert int(await ws.recv()) < 400, "the server was not slowed down"


async def test_a_send_that_is_cancelled_half_way_ends_the_connection(websockets_url):
    tasks = len(TaskManager.task_list)
    ws = await connect(websockets_url["bad"] + "/deaf")
    try:
        await TaskManager.wait_for_ms(_send_for_ever(ws), 300)
    except TaskManager.TimeoutError:
        pass
    assert not ws.is_open()
    assert isinstance(await raised(ws.recv()), ConnectionClosed)
    await TaskManager.sleep_ms(0)
    assert len(TaskManager.task_list) <= tasks


async def _use(url):
    try:
        async with connect(url, ping_interval_ms=20) as ws:
            await ws.send(bytes(5000))
            await ws.recv()
            await ws.send("x")
            await ws.recv()
    except (ConnectionClosed, OSError):
        pass


async def test_it_can_be_cancelled_and_interrupted_at_each_await(websockets_url):
    tasks = len(TaskManager.task_list) + 1  # that of the connection that asks
    for end in (cancel_at_each_await, interrupt_at_each_await):
        for path in ("/echo", "/close?code=1000", "/drop"):
            steps = await end(
                _use,
                (websockets_url["good"] + path,),
                lambda: expect_nothing_left(websockets_url, tasks),
            )
            assert steps >= 3, (path, steps)


async def test_a_server_that_does_not_answer_the_handshake_is_given_up(websockets_url):
    error = await raised(connect(websockets_url["bad"] + "/stall", open_timeout_ms=100).open())
    assert isinstance(error, TaskManager.TimeoutError)


async def test_close_does_not_wait_for_ever(websockets_url):
    ws = await connect(websockets_url["bad"] + "/silent", close_timeout_ms=100)
    await ws.close()
    assert not ws.is_open() and ws.close_code == 1006


async def test_arguments_that_cannot_be_right_are_refused():
    for arguments, kind in (
        (("http://x/",), ValueError),
        ((5,), TypeError),
        (("ws://x/", None, "chat"), TypeError),
        (("ws://x/", None, None, None, "zip"), ValueError),
    ):
        try:
            connect(*arguments)
        except kind:
            continue
        raise AssertionError(arguments)


async def test_aiohttp_requests(websockets_url):
    async with aiohttp.ClientSession(websockets_url["aiohttp"], headers={"X-One": "1"}) as session:
        async with session.get("/request", params={"a": "b c"}) as response:
            assert response.status == 200 and response.ok
            answer = await response.json()
        assert answer["query"] == {"a": "b c"} and answer["headers"]["x-one"] == "1"
        assert "json" in response.headers["Content-Type"]
        async with session.post("/request", json={"n": 1}) as response:
            answer = json.loads(await response.text())
        assert answer["body"].replace(" ", "") == '{"n":1}' and answer["method"] == "POST"
        async with session.post("/request", data={"x": "\u00fc&"}) as response:
            answer = await response.json()
        assert answer["body"] == "x=%C3%BC%26"
        async with session.get("/request?status=404") as response:
            assert response.status == 404
            try:
                response.raise_for_status()
                raise AssertionError("no error")
            except aiohttp.ClientError:
                pass


async def test_aiohttp_websockets(websockets_url):
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(websockets_url["aiohttp"] + "/echo", protocols=["chat"]) as ws:
            assert ws.protocol == "chat"
            await ws.send_str("one")
            await ws.send_bytes(b"two")
            await ws.send_json([3])
            assert await ws.receive_str() == "one"
            assert await ws.receive_bytes() == b"two"
            async for message in ws:
                assert message.type == aiohttp.WSMsgType.TEXT and json.loads(message.data) == [3]
                break
        assert ws.closed
