"""An HTTP server whose answers never end: it sends as fast as the client takes.

with endless_server() as port: ...
"""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import threading
from collections.abc import Iterator

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n"
_BLOCK = bytes(65536)


@contextlib.contextmanager
def endless_server() -> Iterator[int]:
    """Run the server in a process of its own; yields its port on 127.0.0.1."""
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
        connection.recv(65536)
        connection.sendall(_HEAD)
        while True:
            connection.sendall(_BLOCK)
