"""WebSocket servers for the tests, in a process of their own: real ones, and one that misbehaves.

    python tests/peers/websocket_server.py       prints a line of JSON with their URLs, and runs on

`good` is the package websockets, `secure` the same with a certificate of the CA in `ca`, `aiohttp` is
aiohttp (its URL begins with http). `bad` writes its frames itself. Paths are in GOOD_ROUTES and BAD_ROUTES.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import select
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme
import websockets
from aiohttp import WSMsgType, web
from websockets.asyncio.server import ServerConnection, serve

START_SECONDS = 20.0
_open = 0  # connections of the good and the bad server


async def echo(ws: ServerConnection, query: dict[str, str]) -> None:
    async for message in ws:
        await ws.send(message)


async def close(ws: ServerConnection, query: dict[str, str]) -> None:
    """Close at once with `code` and `reason`, after `count` messages."""
    for number in range(int(query.get("count", "0"))):
        await ws.send(f"message {number}")
    await ws.close(int(query["code"]), query.get("reason", ""))


async def drop(ws: ServerConnection, query: dict[str, str]) -> None:
    """Send a message, and break the connection when one comes."""
    await ws.send("soon gone")
    await ws.recv()
    ws.transport.abort()


async def ping(ws: ServerConnection, query: dict[str, str]) -> None:
    """Ping, and tell what came back."""
    waiter = await ws.ping(b"are you there?")
    await waiter
    await ws.send("pong came")
    await ws.wait_closed()


async def fragments(ws: ServerConnection, query: dict[str, str]) -> None:
    """A text in pieces, with a ping between two of them; each is one byte of UTF-8."""
    text = "grüße €"

    async def pieces() -> AsyncIterator[str]:
        for character in text:
            yield character
            await ws.ping()

    await ws.send(pieces())
    await ws.send([b"ab", b"cd"])
    await ws.wait_closed()


async def flood(ws: ServerConnection, query: dict[str, str]) -> None:
    """Send `count` numbered messages of `size` bytes; then how many it could send before the client asked."""
    size = int(query["size"])
    sent = 0

    async def send_all() -> None:
        nonlocal sent
        for number in range(int(query["count"])):
            await ws.send(number.to_bytes(4, "big") + bytes(size - 4))
            sent += 1

    sender = asyncio.create_task(send_all())
    await ws.recv()
    before = sent
    await sender
    await ws.send(json.dumps(before))
    await ws.wait_closed()


async def request(ws: ServerConnection, query: dict[str, str]) -> None:
    """Tell the headers of the request."""
    assert ws.request is not None
    await ws.send(json.dumps({name.lower(): value for name, value in ws.request.headers.raw_items()}))
    await ws.wait_closed()


async def count(ws: ServerConnection, query: dict[str, str]) -> None:
    """Tell how many connections are open besides this one."""
    await ws.send(str(_open - 1))
    await ws.wait_closed()


GOOD_ROUTES = {
    "/echo": echo,
    "/close": close,
    "/drop": drop,
    "/ping": ping,
    "/fragments": fragments,
    "/flood": flood,
    "/request": request,
    "/count": count,
}


async def good(ws: ServerConnection) -> None:
    global _open
    _open += 1
    try:
        assert ws.request is not None
        url = urlsplit(ws.request.path)
        await GOOD_ROUTES[url.path](ws, {name: values[0] for name, values in parse_qs(url.query).items()})
    except websockets.ConnectionClosed:
        pass
    finally:
        _open -= 1


class Bad:
    """One connection to the server that misbehaves."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int):
        self.reader = reader
        self.writer = writer
        self.port = port
        self.query: dict[str, str] = {}

    async def run(self) -> None:
        global _open
        _open += 1
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            url = urlsplit(head.split(" ")[1])
            self.query = {name: values[0] for name, values in parse_qs(url.query).items()}
            key = next(
                line.split(": ")[1] for line in head.split("\r\n") if line.startswith("Sec-WebSocket-Key")
            )
            accept = base64.b64encode(
                hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
            )
            self.accept = accept.decode()
            await BAD_ROUTES[url.path](self)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            _open -= 1
            self.writer.close()

    async def answer(self, *lines: str, status: str = "101 Switching Protocols") -> None:
        self.writer.write("\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode())
        await self.writer.drain()

    async def switch(self, *lines: str) -> None:
        await self.answer(
            "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {self.accept}", *lines
        )

    async def until_hung_up(self) -> None:
        while await self.reader.read(65536):
            pass

    async def raw(self) -> None:
        """`hex`: the bytes of the frames, sent `step` at a time; then the connection ends, or with `stay` it
        stays until the client has hung up."""
        await self.switch()
        data = bytes.fromhex(self.query["hex"])
        step = int(self.query.get("step", "0")) or len(data)
        for at in range(0, len(data), step):
            self.writer.write(data[at : at + step])
            await self.writer.drain()
            await asyncio.sleep(0)
        if "stay" in self.query:
            await self.until_hung_up()

    async def deaf(self) -> None:
        """Reads nothing, answers nothing; it does not see the end either, so it is not counted."""
        global _open
        await self.switch()
        _open -= 1
        await asyncio.sleep(60)
        _open += 1

    async def silent(self) -> None:
        """Reads all, answers nothing."""
        await self.switch()
        await self.until_hung_up()

    async def handshake(self) -> None:
        """`lines`: a JSON list of header lines, with ACCEPT for the right key; `status`."""
        lines = [line.replace("ACCEPT", self.accept) for line in json.loads(self.query["lines"])]
        await self.answer(*lines, status=self.query.get("status", "101 Switching Protocols"))
        await self.until_hung_up()

    async def redirect(self) -> None:
        """To `to`, with HERE for this server."""
        here = f"//127.0.0.1:{self.port}"
        await self.answer(
            "Location: " + self.query["to"].replace("//HERE", here),
            "Content-Length: 0",
            status=self.query.get("status", "302 Found"),
        )
        await self.until_hung_up()

    async def stall(self) -> None:
        """Never answers the handshake."""
        await self.until_hung_up()


BAD_ROUTES = {
    "/raw": Bad.raw,
    "/deaf": Bad.deaf,
    "/silent": Bad.silent,
    "/handshake": Bad.handshake,
    "/redirect": Bad.redirect,
    "/stall": Bad.stall,
}


async def aiohttp_echo(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(protocols=["chat"])
    await ws.prepare(request)
    async for message in ws:
        if message.type == WSMsgType.TEXT:
            await ws.send_str(message.data)
        elif message.type == WSMsgType.BINARY:
            await ws.send_bytes(message.data)
    return ws


async def aiohttp_request(request: web.Request) -> web.Response:
    """What was asked for, as JSON."""
    answer = {
        "method": request.method,
        "query": dict(request.query),
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "body": (await request.read()).decode(),
    }
    return web.json_response(answer, status=int(request.query.get("status", "200")))


async def main() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    options: dict[str, Any] = {
        "select_subprotocol": lambda _, offered: "chat" if "chat" in offered else None,
        "ping_interval": None,
        "max_size": None,
    }
    plain = await serve(good, "127.0.0.1", 0, **options)
    secure = await serve(good, "127.0.0.1", 0, ssl=context, **options)

    async def on_bad(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Bad(reader, writer, port_of(bad)).run()

    bad = await asyncio.start_server(on_bad, "127.0.0.1", 0)
    app = web.Application()
    app.router.add_get("/echo", aiohttp_echo)
    app.router.add_route("*", "/request", aiohttp_request)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    urls = {
        "good": f"ws://127.0.0.1:{port_of(plain)}",
        "secure": f"wss://127.0.0.1:{port_of(secure)}",
        "bad": f"ws://127.0.0.1:{port_of(bad)}",
        "aiohttp": f"http://127.0.0.1:{runner.addresses[0][1]}",
        "ca": authority.cert_pem.bytes().decode(),
    }
    print(json.dumps(urls), flush=True)
    await asyncio.get_running_loop().create_future()


def port_of(server: Any) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])


@pytest.fixture(scope="session")
def websockets_url() -> Iterator[dict[str, str]]:
    """The URLs of the servers above, by name."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        if not ready:
            raise TimeoutError(f"the WebSocket servers did not start within {START_SECONDS:.0f} s")
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    asyncio.run(main())
