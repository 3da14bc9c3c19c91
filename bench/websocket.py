"""How fast messages come over a WebSocket."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import multiprocessing
import socket
import threading
from collections.abc import Iterator

from figure import Figure, median
from session import BenchSession

_SIZES = (1024, 16384, 65536)
_ROUNDS = 3


def websocket(session: BenchSession) -> Iterator[Figure]:
    """MB a second of binary messages, and of a plain read of the same bytes."""
    seconds = 0.2 if session.quick else 1.0
    if "process" not in session.target.abilities:
        return  # a board on a wire has no loopback to saturate
    section = "WebSocket, binary messages"
    with _endless_frames() as port:
        for size in _SIZES:
            rounds = [
                session.run(
                    "bench_websocket",
                    port=port,
                    size=size,
                    milliseconds=int(seconds * 1000),
                    seconds=2 * seconds,
                )
                for _ in range(_ROUNDS)
            ]
            name = f"messages of {size} bytes"
            plain = median([one["plain"] for one in rounds])
            yield Figure(section, name, "plain read of the socket", plain, "MB/s")
            measured = median([one["websocket"] for one in rounds])
            goal = 0.7 * plain if size == max(_SIZES) else None
            yield Figure(section, name, "WebSocket", measured, "MB/s", at_least=goal)


@contextlib.contextmanager
def _endless_frames() -> Iterator[int]:
    """A WebSocket server in a process of its own; yields its port. It sends binary messages of as many bytes
    as the path says, as fast as the client takes them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = multiprocessing.get_context("fork").Process(target=_serve, args=(listener,), daemon=True)
        process.start()
        try:
            yield listener.getsockname()[1]
        finally:
            process.kill()
            process.join()


def _serve(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_send, args=(connection,), daemon=True).start()


def _send(connection: socket.socket) -> None:
    with connection, contextlib.suppress(ConnectionError):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        lines = head.decode().split("\r\n")
        key = next(line.split(": ")[1] for line in lines if line.startswith("Sec-WebSocket-Key"))
        accept = base64.b64encode(
            hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        )
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        size = int(lines[0].split(" ")[1][1:])
        length = b"\x7e" + size.to_bytes(2, "big") if size < 65536 else b"\x7f" + size.to_bytes(8, "big")
        block = (b"\x82" + length + bytes(size)) * max(1, 65536 // size)
        while True:
            connection.sendall(block)
