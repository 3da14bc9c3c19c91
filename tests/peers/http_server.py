"""A real HTTP server for the tests, in a process of its own, well-behaved or not as the path says.

It writes the bytes of each answer itself, as no server library would send the broken ones. Bodies come from
body_of(), so that both sides can compute them, and carry their SHA-256 in the header X-SHA256.

    python tests/peers/http_server.py [--host ADDRESS] [--port N]     prints its URL, runs until it is killed

Parameters are in the query; sizes in bytes, times in seconds. ROUTES at the end lists the paths.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gzip
import hashlib
import json
import select
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

import pytest

BIG = 5 * 1024 * 1024
START_SECONDS = 10.0
IDLE_SECONDS = 60.0  # after which a connection that nobody closes is given up

_BLOCK = b"".join(
    hashlib.sha256(b"%d" % number).digest() for number in range(2048)
)  # 64 KB without a pattern


def body_of(size: int) -> bytes:
    """The body of that size: the same bytes each time."""
    return (_BLOCK * (size // len(_BLOCK) + 1))[:size]


class Exchange:
    """One request, and the means to answer it."""

    def __init__(self, connection: socket.socket, head: bytes, body: bytes) -> None:
        self.connection = connection
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ")
        self.header_lines = lines[1:]
        url = urlsplit(self.target)
        self.path = url.path
        self.query = parse_qs(url.query, keep_blank_values=True)
        self.body = body

    def headers(self) -> dict[str, str]:
        pairs = [line.partition(":") for line in self.header_lines]
        return {name.lower(): value.strip() for name, _, value in pairs}

    def number(self, name: str, default: float) -> float:
        return float(self.query.get(name, [str(default)])[0])

    def size(self, name: str, default: int) -> int:
        return int(self.number(name, default))

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def head(self, *lines: str, status: str = "200 OK") -> None:
        self.send("\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *lines, "", ""]).encode("latin-1"))

    def answer(self, body: bytes, *lines: str, status: str = "200 OK") -> None:
        self.head(f"Content-Length: {len(body)}", f"X-SHA256: {sha256(body)}", *lines, status=status)
        self.send(body)

    def stall(self) -> None:
        """Send nothing more until the client hangs up."""
        select.select([self.connection], [], [], IDLE_SECONDS)


def _raw_parameter(target: str) -> str:
    return target.partition("raw=")[2]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fixed(exchange: Exchange) -> None:
    exchange.answer(body_of(exchange.size("size", 1000)))


def big(exchange: Exchange) -> None:
    exchange.answer(body_of(exchange.size("size", BIG)))


def chunked(exchange: Exchange) -> None:
    """Chunks of `chunk` bytes; `odd` makes each another one, with extensions, and adds trailers."""
    body = body_of(exchange.size("size", 1000))
    odd = "odd" in exchange.query
    step = exchange.size("chunk", 100)
    exchange.head("Transfer-Encoding: chunked", f"X-SHA256: {sha256(body)}")
    out = bytearray()
    position = 0
    number = 0
    while position < len(body):
        length = min(1 + (step * number * 7919) % (2 * step) if odd else step, len(body) - position)
        extension = ";name=value" if odd and number % 3 == 0 else ""
        size = f"{length:X}" if number % 2 else f"{length:04x}"
        out += f"{size}{extension}\r\n".encode() + body[position : position + length] + b"\r\n"
        position += length
        number += 1
        if len(out) > 65536:
            exchange.send(bytes(out))
            out.clear()
    out += b"0\r\nX-Trailer: one\r\nX-More: two\r\n\r\n" if odd else b"0\r\n\r\n"
    exchange.send(bytes(out))


def chunked_raw(exchange: Exchange) -> None:
    """The query's `raw` (percent-encoded) as what follows the head of a chunked answer."""
    exchange.head("Transfer-Encoding: chunked")
    exchange.send(unquote_to_bytes(_raw_parameter(exchange.target)))


def until_close(exchange: Exchange) -> None:
    body = body_of(exchange.size("size", 1000))
    exchange.head(f"X-SHA256: {sha256(body)}")
    exchange.send(body)


def early(exchange: Exchange) -> None:
    exchange.head(f"Content-Length: {exchange.size('size', 1000)}")
    exchange.send(body_of(exchange.size("sent", 100)))


def early_chunked(exchange: Exchange) -> None:
    exchange.head("Transfer-Encoding: chunked")
    exchange.send(b"64\r\n" + body_of(50))


def slow(exchange: Exchange) -> None:
    """`size` bytes in `pieces`, with `delay` before each."""
    body = body_of(exchange.size("size", 100))
    pieces = exchange.size("pieces", 10)
    exchange.head(f"Content-Length: {len(body)}", f"X-SHA256: {sha256(body)}")
    step = -(-len(body) // pieces)
    for position in range(0, len(body), step):
        time.sleep(exchange.number("delay", 0.1))
        exchange.send(body[position : position + step])


def rate(exchange: Exchange) -> None:
    """`size` bytes at `rate` bytes a second."""
    body = body_of(exchange.size("size", 100_000))
    exchange.head(f"Content-Length: {len(body)}", f"X-SHA256: {sha256(body)}")
    per_second = exchange.size("rate", 100_000)
    step = max(1, per_second // 50)
    began = time.monotonic()
    for position in range(0, len(body), step):
        exchange.send(body[position : position + step])
        due = began + (position + step) / per_second
        time.sleep(max(0.0, due - time.monotonic()))


def stall(exchange: Exchange) -> None:
    """A body that stops after `sent` of `size` bytes."""
    exchange.head(f"Content-Length: {exchange.size('size', 1000)}")
    exchange.send(body_of(exchange.size("sent", 100)))
    exchange.stall()


def stall_before_head(exchange: Exchange) -> None:
    exchange.stall()


def stall_in_head(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    exchange.stall()


def reset(exchange: Exchange) -> None:
    """A body that is cut by a reset."""
    exchange.head("Content-Length: 1000")
    exchange.send(body_of(exchange.size("sent", 100)))
    time.sleep(0.1)  # else the client may not see what was sent before the reset
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def status(exchange: Exchange) -> None:
    """/status/404: that status, with a body unless it may have none."""
    code = int(exchange.path.rsplit("/", 1)[1])
    reason = {204: "No Content", 304: "Not Modified", 404: "Not Found", 500: "Internal Server Error"}.get(
        code, "Other"
    )
    if code in (204, 304):
        exchange.head(status=f"{code} {reason}")
        exchange.stall()  # a client that waits for a body would hang
    else:
        exchange.answer(b"an explanation\n", status=f"{code} {reason}")


def redirect(exchange: Exchange) -> None:
    code = exchange.path.rsplit("/", 1)[1]
    location = exchange.query.get("to", ["http://127.0.0.1/elsewhere"])[0]
    exchange.answer(b"", f"Location: {location}", status=f"{code} Moved")


def ranged(exchange: Exchange) -> None:
    """A body of `size` bytes with the ETag `etag`, if any, of which Range and If-Range ask for parts.
    Each answer is cut after `drop` bytes of its body. `cut` counts requests of that name: only
    the first `times` are cut. `broken`: what is wrong with a 206."""
    body = body_of(exchange.size("size", 100_000))
    etag = exchange.query.get("etag", [""])[0]
    headers = exchange.headers()
    first, last = 0, len(body) - 1
    lines = [f'ETag: "{etag}"'] if etag else []
    wanted = headers.get("range")
    whole = "no_range" in exchange.query or headers.get("if-range", f'"{etag}"') != f'"{etag}"'
    status = "200 OK"
    if wanted is not None and not whole:
        begin, _, end = wanted.removeprefix("bytes=").partition("-")
        first, last = int(begin), min(int(end or last), last)
        if first >= len(body):
            exchange.answer(b"", f"Content-Range: bytes */{len(body)}", status="416 Range Not Satisfiable")
            return
        status = "206 Partial Content"
        broken = exchange.query.get("broken", [""])[0]
        told = {"offset": first - 1, "none": None}.get(broken, first)
        total = len(body) + (1 if broken == "total" else 0)
        if told is not None:
            lines.append(f"Content-Range: bytes {told}-{last}/{total}")
    part = body[first : last + 1]
    exchange.head(f"Content-Length: {len(part)}", f"X-SHA256: {sha256(body)}", *lines, status=status)
    name = exchange.query.get("cut", [""])[0]
    _requests[name] = _requests.get(name, 0) + 1
    if name and _requests[name] > exchange.size("times", 1):
        exchange.send(part)
    else:
        exchange.send(part[: exchange.size("drop", len(part))])


_requests: dict[str, int] = {}


def encoded(exchange: Exchange) -> None:
    """A body of `size` bytes that is coded as `coding` says, whatever was asked for."""
    body = (body_of(exchange.size("size", 10_000) // 2) + bytes(exchange.size("size", 10_000)))[
        : exchange.size("size", 10_000)
    ]
    coding = exchange.query["coding"][0]
    raw_deflate = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress,
        "x-gzip": gzip.compress,
        "deflate": zlib.compress,
        "raw": lambda data: raw_deflate.compress(data) + raw_deflate.flush(),
    }.get(coding, bytes)(body)
    packed = packed[: len(packed) - exchange.size("cut", 0)] + bytes(exchange.size("more", 0))
    if "damage" in exchange.query:
        packed = packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:]
    name = "deflate" if coding == "raw" else coding
    exchange.head(f"Content-Length: {len(packed)}", f"X-SHA256: {sha256(body)}", f"Content-Encoding: {name}")
    exchange.send(packed)


def hop(exchange: Exchange) -> None:
    """A redirect with `status` to `to`, which may be relative."""
    exchange.answer(
        b"", f"Location: {exchange.query['to'][0]}", status=f"{exchange.query['status'][0]} Moved"
    )


def raw(exchange: Exchange) -> None:
    """The query's `raw` (percent-encoded) as all of the answer."""
    exchange.send(unquote_to_bytes(_raw_parameter(exchange.target)))


def huge_header(exchange: Exchange) -> None:
    exchange.head("X-Huge: " + "x" * exchange.size("size", 100_000), "Content-Length: 0")


def many_headers(exchange: Exchange) -> None:
    value = "x" * exchange.size("size", 5)
    exchange.head(
        *[f"X-{number}: {value}" for number in range(exchange.size("count", 1000))], "Content-Length: 0"
    )


def length(exchange: Exchange) -> None:
    """A Content-Length line for each `value`, then five bytes."""
    exchange.head(*[f"Content-Length: {value}" for value in exchange.query["value"]])
    exchange.send(b"12345")


def informational(exchange: Exchange) -> None:
    """`count` answers 103, then the real one."""
    exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * exchange.size("count", 1))
    exchange.answer(b"real")


def full_listener(exchange: Exchange) -> None:
    """The URL of a port that leaves connections unanswered: its queue is full and nobody accepts (Linux)."""
    exchange.answer(_full_listener_url().encode())


@functools.lru_cache
def _full_listener_url() -> str:
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    address = listener.getsockname()
    _kept.append(listener)
    for _ in range(8):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(address)
        _kept.append(filler)
    return "http://{}:{}".format(*address)


_kept: list[socket.socket] = []


def echo(exchange: Exchange) -> None:
    answer = {
        "method": exchange.method,
        "target": exchange.target,
        "headers": exchange.header_lines,
        "body_size": len(exchange.body),
        "body_sha256": sha256(exchange.body),
    }
    exchange.answer(json.dumps(answer).encode())


def data_json(exchange: Exchange) -> None:
    exchange.answer(b'{"temperature": 21}', "Content-Type: application/json")


ROUTES = {
    "data.json": data_json,
    "large.bin": lambda exchange: exchange.answer(body_of(100_000)),
    "fixed": fixed,
    "big": big,
    "chunked": chunked,
    "chunked_raw": chunked_raw,
    "until_close": until_close,
    "early": early,
    "early_chunked": early_chunked,
    "slow": slow,
    "rate": rate,
    "stall": stall,
    "stall_before_head": stall_before_head,
    "stall_in_head": stall_in_head,
    "reset": reset,
    "status": status,
    "redirect": redirect,
    "ranged": ranged,
    "encoded": encoded,
    "hop": hop,
    "raw": raw,
    "huge_header": huge_header,
    "many_headers": many_headers,
    "length": length,
    "informational": informational,
    "full_listener": full_listener,
    "echo": echo,
}


class Server:
    """Accepts connections on `url`, one request each, one thread each."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._listener = socket.create_server((host, port), backlog=64)
        self.url = "http://{}:{}".format(*self._listener.getsockname())
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def run(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(IDLE_SECONDS)
        try:
            exchange = _receive(connection)
            if exchange is None:
                return
            name = exchange.path.split("/")[1]
            if name == "open_connections":  # how many are open besides this one: did the client close them?
                with self._lock:
                    others = len(self._open) - 1
                exchange.answer(str(others).encode())
            elif name in ROUTES:
                ROUTES[name](exchange)
            else:
                exchange.answer(b"no such route", status="404 Not Found")
        except (OSError, ValueError, KeyError) as error:
            if not isinstance(error, ConnectionError):  # a client that hangs up is what tests do
                print(f"http_server: {error!r}", file=sys.stderr, flush=True)
        finally:
            connection.close()
            with self._lock:
                self._open.discard(connection)


def _receive(connection: socket.socket) -> Exchange | None:
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65536)
        if not received:
            return None
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    size = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"x-hang-up":
            return None
        if name.lower() == b"content-length":
            size = int(value)
        elif name.lower() == b"x-read-delay":  # a server that is slow to take a request's body
            time.sleep(float(value))
    parts = [body]
    missing = size - len(body)
    while missing > 0:
        received = connection.recv(65536)
        if not received:
            return None
        parts.append(received)
        missing -= len(received)
    return Exchange(connection, head, b"".join(parts))


@contextlib.contextmanager
def running_server(host: str = "127.0.0.1") -> Iterator[str]:
    """Start the server in its own process; yields its URL, without a slash at the end."""
    process = subprocess.Popen([sys.executable, __file__, "--host", host], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        if not ready:
            raise TimeoutError(f"the HTTP server for the tests did not start within {START_SECONDS:.0f} s")
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of the server above, for example http://127.0.0.1:40001."""
    with running_server() as url:
        yield url


def main() -> None:
    parser = argparse.ArgumentParser(description="HTTP server of the tests")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    running = Server(arguments.host, arguments.port)
    print(running.url, flush=True)
    running.run()


if __name__ == "__main__":
    main()
