"""Who may use the live view, and what viewers cost: nothing while nobody looks, whatever they do."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from live_board import live_board, write_counter

from mpos_host.board.target import Target
from mpos_host.virtual.view.server import LiveView
from peers.processes import read_until

SECONDS = 30


@pytest.fixture(scope="module")
def board_and_view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Target, LiveView]]:
    with live_board(tmp_path_factory.mktemp("view") / "counter") as both:
        yield both


@pytest.fixture
def target(board_and_view: tuple[Target, LiveView]) -> Target:
    return board_and_view[0]


@pytest.fixture
def view(board_and_view: tuple[Target, LiveView]) -> LiveView:
    return board_and_view[1]


def in_session(work: Callable[[aiohttp.ClientSession], Awaitable[None]]) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            await asyncio.wait_for(work(session), SECONDS)

    asyncio.run(run())


def same_origin(url: str) -> dict[str, str]:
    return {"Origin": f"http://{urlsplit(url).netloc}"}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("name", ["", "socket", "screen.png", "page/view.js", "do"])
def test_without_the_token_there_is_nothing(view: LiveView, name: str) -> None:
    parts = urlsplit(view.url)

    async def work(session: aiohttp.ClientSession) -> None:
        for token in ("x", parts.path.strip("/")[:-1], parts.path.strip("/") + "x", "%2e%2e"):
            method = session.post if name == "do" else session.get
            async with method(f"http://{parts.netloc}/{token}/{name}", json=None) as answer:
                assert answer.status == 404

    in_session(work)


@pytest.mark.parametrize(
    "name", ["..%2fserver.py", "..%2f..%2f..%2fproject.py", "%2fetc%2fpasswd", "nothing"]
)
def test_only_the_pages_own_files_are_served(view: LiveView, name: str) -> None:
    async def work(session: aiohttp.ClientSession) -> None:
        from yarl import URL

        async with session.get(URL(f"{view.url}page/{name}", encoded=True)) as answer:
            assert answer.status == 404

    in_session(work)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://example.com"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Host": "example.com"},
        {"Host": "127.0.0.1.example.com"},
        {"Host": "[::"},
    ],
)
def test_another_page_cannot_drive_the_board_even_with_the_token(
    view: LiveView, target: Target, headers: dict[str, str]
) -> None:
    async def work(session: aiohttp.ClientSession) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(view.url + "socket", headers=headers)
        assert refused.value.status in (400, 403)
        tap = {"do": "tap", "x": 160, "y": 130}
        async with session.post(view.url + "do", json=tap, headers=headers) as answer:
            assert answer.status in (400, 403)

    in_session(work)
    assert target.panel.info()["touches_waiting"] == 0
    assert "0 taps" in target.panel.texts()


def test_a_socket_without_an_origin_is_refused(view: LiveView) -> None:
    async def work(session: aiohttp.ClientSession) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(view.url + "socket")
        assert refused.value.status == 403

    in_session(work)


def test_it_listens_on_loopback_only(view: LiveView) -> None:
    address = urlsplit(view.url)
    assert address.hostname == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", address.port or 0), 5)


def test_a_request_that_cannot_be_is_an_error_of_one_line(view: LiveView) -> None:
    async def work(session: aiohttp.ClientSession) -> None:
        for data in (
            "[",
            "[]",
            "null",
            '{"do": null}',
            '{"do": "fly"}',
            '{"do": "tap"}',
            '{"do": "tap", "x": "a", "y": 1}',
            '{"do": "tap", "x": 320, "y": 0}',
            '{"do": "drag", "x1": 0, "y1": 0, "x2": 1e400, "y2": 0}',
            "[" * 50000,
        ):
            async with session.post(view.url + "do", data=data) as answer:
                assert answer.status in (400, 409), data[:80]
                assert "\n" not in (await answer.json())["error"]
        async with session.ws_connect(view.url + "socket", headers=same_origin(view.url)) as page:
            await page.send_str("{")
            await page.send_str('{"do": "touch", "x": null}')
            await page.send_bytes(b"\0")
            await page.send_str('{"do": "texts"}')
            while True:
                news = await page.receive()
                if news.type is aiohttp.WSMsgType.TEXT and json.loads(news.data)["kind"] == "answer":
                    assert "0 taps" in json.loads(news.data)["value"]
                    return

    in_session(work)


def test_a_hundred_pages_that_come_and_go_leave_nothing(view: LiveView, target: Target) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    async def visit(session: aiohttp.ClientSession, ends_well: bool) -> None:
        page = await session.ws_connect(view.url + "socket", headers=same_origin(view.url))
        while (await page.receive()).type is not aiohttp.WSMsgType.BINARY:
            pass
        if ends_well:
            await page.close()
        else:
            page._response.close()  # as when the computer of the viewer is switched off

    async def work(session: aiohttp.ClientSession) -> None:
        for number in range(10):
            await asyncio.gather(*(visit(session, bool(number % 2)) for _ in range(10)))

    in_session(work)
    until(lambda: view.viewer_count == 0 and target.panel.info()["viewers"] == 0)
    before, threads = descriptors(), threading.active_count()
    in_session(work)
    until(lambda: view.viewer_count == 0 and target.panel.info()["viewers"] == 0)
    until(lambda: descriptors() <= before)
    assert threading.active_count() < threads + 10  # a pool of them waits for the next that looks


def test_viewers_that_do_not_read_hold_nothing_up(view: LiveView, target: Target) -> None:
    address = urlsplit(view.url)
    stuck = []
    try:
        for _ in range(10):
            line = socket.create_connection((address.hostname, address.port or 0), SECONDS)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.sendall(
                f"GET {address.path}socket HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                f"Sec-WebSocket-Version: 13\r\nOrigin: http://{address.netloc}\r\n\r\n".encode()
            )
            stuck.append(line)
        until(lambda: view.viewer_count == 10)
        taps = len(target.panel.texts()) and int(target.panel.texts()[0].split()[0])
        for number in range(taps + 1, taps + 31):
            target.panel.click(160, 130)
            target.panel.wait_text(f"{number} taps", SECONDS)
        # One that reads gets all that there is, as soon as it comes.
        page_reads(view, f"tapped {taps + 30}")
    finally:
        for line in stuck:
            line.close()
    until(lambda: view.viewer_count == 0)


def page_reads(view: LiveView, text: str) -> None:
    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(view.url + "socket", headers=same_origin(view.url)) as page:
            log = ""
            while text not in log:
                news = await page.receive()
                if news.type is aiohttp.WSMsgType.TEXT and json.loads(news.data)["kind"] == "log":
                    log += json.loads(news.data)["text"]

    in_session(work)


def test_a_client_of_the_panel_that_does_not_read_holds_nothing_up(target: Target) -> None:
    with socket.socket(socket.AF_UNIX) as watching, socket.socket(socket.AF_UNIX) as asking:
        for line, request in ((watching, b'{"do": "watch"}\n'), (asking, b'{"do": "pixels"}\n' * 100)):
            line.connect(target.panel.control_path)
            line.sendall(request)
        taps = int(target.panel.texts()[0].split()[0])
        for number in range(taps + 1, taps + 21):
            target.panel.click(160, 130)
            target.panel.wait_text(f"{number} taps", SECONDS)


def test_while_nobody_looks_the_board_is_asked_nothing(view: LiveView, target: Target) -> None:
    page_reads(view, "")
    until(lambda: view.viewer_count == 0 and target.panel.info()["viewers"] == 0)
    assert target.virtual is not None
    with suppress(TimeoutError):  # what was drawn before ends: a button that was let go changes slowly
        while True:
            target.panel.wait_frame(target.panel.frame_count(), 1)
    position, frames = target.virtual.output_position, target.panel.frame_count()
    with pytest.raises(TimeoutError):
        target.panel.wait_frame(frames, 3)
    assert target.virtual.output_position == position


def test_mpremote_works_at_the_port_while_somebody_looks(view: LiveView, target: Target) -> None:
    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(view.url + "socket", headers=same_origin(view.url)) as page:
            kinds: list[str] = []

            async def read() -> None:
                async for news in page:
                    if news.type is aiohttp.WSMsgType.TEXT:
                        kinds.append(json.loads(news.data)["kind"])

            reading = asyncio.create_task(read())
            for _ in range(5):
                command = [sys.executable, "-m", "mpremote", "connect", target.port, "resume"]
                command += ["exec", "print(6 * 7)"]
                done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
                assert done.stdout.strip() == "42", done
            while "sample" not in kinds:
                await asyncio.sleep(0.05)
            reading.cancel()

    in_session(work)


def test_mpos_run_announces_the_page_and_ends_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mpos_host", "run", str(write_counter(tmp_path / "counter")), "--view"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        url = read_until(process.stderr, "see it and touch it at").split()[-1]
        read_until(process.stderr, "Ctrl-C ends the board")

        async def work(session: aiohttp.ClientSession) -> None:
            async with session.get(url) as answer:
                assert answer.status == 200 and "<canvas" in await answer.text()
            async with session.post(url + "do", json={"do": "texts"}) as answer:
                assert "0 taps" in (await answer.json())["ok"]

        in_session(work)
        process.terminate()
    finally:
        process.kill()
        process.communicate()


def test_without_a_terminal_there_is_no_page_unless_it_is_wanted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mpos_host", "run", str(write_counter(tmp_path / "counter"))]
    done = subprocess.run([*command, "--expect", "0 taps"], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0 and "http" not in done.stderr
