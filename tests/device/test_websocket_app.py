"""WebSocketApp: callbacks, sending from plain code, connecting again, and every keyword."""

import json
import time

import uaiowebsocket
import websocket
from cancelling import cancel_at_each_await, interrupt_at_each_await
from conditions import until
from websocket_tools import expect_nothing_left, frame, raised, raw

from mpos import TaskManager

TIMEOUT = 60


async def test_both_names_give_the_same_app_and_the_ports_own_class_stays():
    assert uaiowebsocket.WebSocketApp is websocket.WebSocketApp
    assert isinstance(websocket.websocket, type)


async def test_the_example_of_the_specification(websockets_url):
    class Listener:
        async def websocket_listener(self):
            ws = websocket.WebSocketApp(url, callbacks)
            await ws.run_forever()

        def onCreate(self):
            return TaskManager.create_task(self.websocket_listener())

    url = websockets_url["good"] + "/close?code=1000&count=2"
    messages = []
    callbacks = {"on_message": lambda ws, message: messages.append(message)}
    await TaskManager.wait_for(Listener().onCreate(), 10)
    assert messages == ["message 0", "message 1"]


async def test_callbacks_may_be_methods_of_an_object(websockets_url):
    class Callbacks:
        def __init__(self):
            self.messages = []

        async def on_message(self, ws, message):
            self.messages.append(message)

    callbacks = Callbacks()
    await websocket.WebSocketApp(websockets_url["good"] + "/close?code=1000&count=1", callbacks).run_forever()
    assert callbacks.messages == ["message 0"]


async def test_callbacks_get_the_app_first_and_come_in_order(websockets_url):
    log = []

    async def on_message(ws, message):
        assert ws is app
        await TaskManager.sleep_ms(1)
        log.append(message)
        if message == b"two":
            ws.close(4000, "done")

    def on_open(ws):
        log.append("open")
        assert ws.ready()
        ws.send("one")
        ws.send_bytes(b"two")

    app = websocket.WebSocketApp(
        websockets_url["good"] + "/echo",
        on_open=on_open,
        on_message=on_message,
        on_data=lambda ws, data, opcode, fin: log.append((opcode, fin)),
        on_close=lambda ws, code, reason: log.append(("close", code, reason)),
    )
    assert await app.run_forever() is False
    assert log == ["open", (1, True), "one", (2, True), b"two", ("close", 4000, "done")]
    assert not app.ready()
    assert isinstance(await raised(_send(app)), websocket.WebSocketConnectionClosedException)


async def _send(app):
    app.send("x")


async def test_sending_can_be_awaited_and_close_too(websockets_url):
    received = []
    app = websocket.WebSocketApp(
        websockets_url["good"] + "/echo", on_message=lambda ws, message: received.append(message)
    )
    running = TaskManager.create_task(app.run_forever())
    await until(app.ready)
    for number in range(300):
        await app.send_text(str(number))
    await app.close()
    await app.close()
    await running
    await app.close()
    assert not app.ready() and received == [str(number) for number in range(len(received))]


async def test_an_async_callback_may_await_close(websockets_url):
    async def on_open(ws):
        await ws.close()

    app = websocket.WebSocketApp(websockets_url["good"] + "/echo", on_open=on_open)
    assert await TaskManager.wait_for(app.run_forever(), 10) is False


async def test_plain_code_that_sends_without_end_is_told(websockets_url):
    errors = []

    def on_open(ws):
        try:
            for _ in range(1000):
                ws.send("x")
        except websocket.WebSocketException as error:
            errors.append(str(error))
        ws.close()

    app = websocket.WebSocketApp(websockets_url["good"] + "/echo", on_open=on_open)
    await app.run_forever()
    assert "await ws.send" in errors[0]


async def test_it_connects_again_after_a_break_and_reports_it(websockets_url):
    log = []

    def on_message(ws, message):
        log.append(message)
        if log.count("soon gone") == 3:
            ws.close()
        else:
            ws.send("go")

    app = websocket.WebSocketApp(
        websockets_url["good"] + "/drop",
        on_open=lambda ws: log.append("open"),
        on_reconnect=lambda ws: log.append("again"),
        on_message=on_message,
        on_error=lambda ws, error: log.append(type(error).__name__),
    )
    assert await app.run_forever(reconnect=0.02) is True
    broken = "WebSocketConnectionClosedException"
    log = [broken if name == "OSError" else name for name in log]
    assert log == [
        "open",
        "soon gone",
        broken,
        "again",
        "open",
        "soon gone",
        broken,
        "again",
        "open",
        "soon gone",
    ]


async def test_the_delay_grows_while_nobody_answers(websockets_url):
    times = []
    app = websocket.WebSocketApp(
        "ws://127.0.0.1:1/", on_error=lambda ws, error: times.append(time.ticks_ms())
    )
    running = TaskManager.create_task(app.run_forever(reconnect=0.02))
    await until(lambda: len(times) == 4)
    gaps = [time.ticks_diff(times[at + 1], times[at]) for at in range(3)]
    assert gaps[1] > gaps[0] and gaps[2] > gaps[1], gaps
    app.close()
    await TaskManager.wait_for(running, 5)


async def test_no_reconnect_ends_with_the_first_failure(websockets_url):
    for reconnect in (False, 0):
        errors = []
        app = websocket.WebSocketApp("ws://127.0.0.1:1/", on_error=lambda ws, error: errors.append(error))
        assert await app.run_forever(reconnect=reconnect) is True
        assert len(errors) == 1 and isinstance(errors[0], OSError)


async def test_a_normal_close_is_the_end_unless_reconnect_says_otherwise(websockets_url):
    url = websockets_url["good"] + "/close?code=1000&reason=bye"
    ends = []
    opened = []
    app = websocket.WebSocketApp(url, on_close=lambda ws, *end: ends.append(end))
    await app.run_forever()
    assert ends == [(1000, "bye")]

    def on_open(ws):
        opened.append(1)
        if len(opened) == 3:
            ws.close()

    await websocket.WebSocketApp(url, on_open=on_open).run_forever(reconnect=0.01)
    assert len(opened) == 3


async def test_close_ends_a_wait_for_the_next_attempt_and_a_connection_that_is_being_made(websockets_url):
    for url in ("ws://127.0.0.1:1/", websockets_url["bad"] + "/stall"):
        app = websocket.WebSocketApp(url, on_error=lambda ws, error: None)
        running = TaskManager.create_task(app.run_forever(reconnect=100))
        await TaskManager.sleep_ms(50)
        app.close()
        await TaskManager.wait_for(running, 5)


async def test_a_callback_that_raises_is_an_error_and_the_rest_goes_on(websockets_url):
    errors = []
    received = []

    def on_message(ws, message):
        received.append(message)
        if len(received) == 1:
            raise ValueError("in the callback")
        ws.close()

    app = websocket.WebSocketApp(
        websockets_url["good"] + "/close?code=1000&count=2",
        on_message=on_message,
        on_error=lambda ws, error: errors.append(str(error)),
    )
    assert await app.run_forever() is True
    assert errors == ["in the callback"] and len(received) == 2


async def test_without_on_error_failures_are_reported(websockets_url):
    reported = []
    TaskManager.set_exception_handler(reported.append)
    await websocket.WebSocketApp("ws://127.0.0.1:1/?token=secret").run_forever(reconnect=False)
    assert isinstance(reported[0]["exception"], OSError)
    assert "secret" not in reported[0]["name"] + str(reported[0]["exception"])


async def test_pings_and_pongs_are_told_and_a_silent_server_is_given_up(websockets_url):
    log = []
    app = websocket.WebSocketApp(
        raw(websockets_url, frame(9, "ping") + frame(10, "pong")),
        on_ping=lambda ws, data: log.append(data),
        on_pong=lambda ws, data: log.append(data),
        on_error=lambda ws, error: log.append(type(error).__name__),
    )
    await app.run_forever(ping_interval=0.2, ping_timeout=0.1, ping_payload="hello", reconnect=False)
    assert log == [b"ping", b"pong", "WebSocketTimeoutException"]

    def on_pong(ws, data):
        log.append((data, ws.last_ping_tm > 0, ws.last_pong_tm > 0))
        ws.close()

    log = []
    app = websocket.WebSocketApp(websockets_url["good"] + "/echo", on_pong=on_pong)
    await app.run_forever(ping_interval=0.05, ping_payload="hello")
    assert log == [(b"hello", True, True)]


async def test_fragments_come_one_by_one_with_on_cont_message(websockets_url):
    log = []
    data = frame(1, "a", fin=False) + frame(0, "b", fin=False) + frame(0, "c") + frame(1, "whole")
    app = websocket.WebSocketApp(
        raw(websockets_url, data + frame(8, b"\x03\xe8")),
        on_cont_message=lambda ws, data, fin: log.append((data, fin)),
        on_message=lambda ws, message: log.append(message),
    )
    await app.run_forever()
    assert log == [(b"a", False), (b"b", False), (b"c", True), "whole"]


async def test_headers_cookie_origin_host_and_subprotocols_are_sent(websockets_url):
    for header in ({"X-One": "1"}, ["X-One: 1"]):
        received = []
        app = websocket.WebSocketApp(
            websockets_url["good"] + "/request",
            header,
            cookie="a=b",
            subprotocols=["chat"],
            on_message=lambda ws, message: (received.append(json.loads(message)), ws.close()),
        )
        await app.run_forever(origin="http://me", host="other")
        sent = received[0]
        assert sent["x-one"] == "1" and sent["cookie"] == "a=b" and sent["host"] == "other"
        assert sent["origin"] == "http://me" and sent["sec-websocket-protocol"] == "chat"
    received.clear()
    await app.run_forever(origin="http://me", suppress_origin=True)
    assert "origin" not in received[0]


async def test_the_mask_comes_from_get_mask_key(websockets_url):
    asked = []

    def key(count):
        asked.append(count)
        return "abcd"

    def on_message(ws, message):
        ws.close()

    app = websocket.WebSocketApp(
        websockets_url["good"] + "/echo",
        on_open=lambda ws: ws.send("x"),
        on_message=on_message,
        get_mask_key=key,
    )
    await app.run_forever()
    assert set(asked) == {4} and len(asked) == 2


async def test_keywords_that_cannot_be_used_are_refused_by_name():
    app = websocket.WebSocketApp("ws://127.0.0.1:1/")
    for name, value in (
        ("sockopt", [(6, 1, 1)]),
        ("http_proxy_host", "proxy"),
        ("http_proxy_port", 1),
        ("http_no_proxy", ["x"]),
        ("http_proxy_auth", ("a", "b")),
        ("http_proxy_timeout", 1),
        ("dispatcher", object()),
        ("proxy_type", "http"),
    ):
        error = await raised(app.run_forever(**{name: value}))
        assert isinstance(error, websocket.WebSocketException) and name in str(error)
    for wrong in ({"ping_timeout": 0}, {"ping_interval": -1}, {"ping_interval": 1, "ping_timeout": 2}):
        assert isinstance(await raised(app.run_forever(**wrong)), websocket.WebSocketException)
    assert isinstance(await raised(app.run_forever(sslopt={"ciphers": "x"})), websocket.WebSocketException)
    try:
        websocket.WebSocketApp("ws://x/", socket=1)
        raise AssertionError("socket= was taken")
    except ValueError as error:
        assert "socket" in str(error)


async def test_a_real_users_call_is_taken(websockets_url):
    app = websocket.WebSocketApp(websockets_url["good"] + "/echo", on_open=lambda ws: ws.close())
    options = {"sslopt": None, "http_proxy_host": None, "http_proxy_port": None, "proxy_type": None}
    await app.run_forever(ping_interval=15, reconnect=30, **options)


async def test_an_unverified_certificate_is_taken_when_asked_for(websockets_url):
    app = websocket.WebSocketApp(websockets_url["secure"] + "/echo", on_open=lambda ws: ws.close())
    assert await app.run_forever(sslopt={"cert_reqs": 0}, reconnect=False) is False


async def _run(url):
    def on_message(ws, message):
        ws.close()

    app = websocket.WebSocketApp(
        url, on_open=lambda ws: ws.send("x"), on_message=on_message, on_error=lambda ws, error: None
    )
    await app.run_forever(ping_interval=0.05, reconnect=False)


async def test_it_can_be_cancelled_and_interrupted_at_each_await(websockets_url):
    tasks = len(TaskManager.task_list) + 1  # that of the connection that asks
    for end in (cancel_at_each_await, interrupt_at_each_await):
        for url in (
            websockets_url["good"] + "/echo",
            websockets_url["good"] + "/drop",
            websockets_url["bad"] + "/silent",
        ):
            steps = await end(_run, (url,), lambda: expect_nothing_left(websockets_url, tasks))
            assert steps >= 2, (url, steps)


async def test_it_can_be_cancelled_after_any_number_of_turns_of_the_loop(websockets_url):
    tasks = len(TaskManager.task_list) + 1
    for turns in range(60):
        task = TaskManager.create_task(_run(websockets_url["good"] + "/echo"))
        for _ in range(turns):
            await TaskManager.sleep_ms(0)
        task.cancel()
        try:
            await task
        except TaskManager.CancelledError:
            pass
        await expect_nothing_left(websockets_url, tasks)
