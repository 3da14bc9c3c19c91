"""Fixtures of all tests. What a device test names as a parameter comes from here, as a literal."""

import signal

import pytest

from peers.dns_server import dns_port
from peers.http_server import server
from peers.tls_server import tls_servers
from peers.websocket_server import websockets_url

__all__ = ["dns_port", "server", "tls_servers", "websockets_url"]

# A job in the background has Ctrl-C ignored, and so have all programs that it starts: the tests of Ctrl-C
# would wait in vain.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--drivers",
        metavar="CHECKOUT",
        help="of lvgl_micropython or MicroPythonOS: run each board.py on its drivers (needs --binary)",
    )
    parser.addoption(
        "--asyncio-tests",
        metavar="CHECKOUT",
        help="of micropython/micropython: run its tests of asyncio on TaskManager",
    )
