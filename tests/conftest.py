"""Fixtures of all tests. What a device test names as a parameter comes from here, as a literal."""

import pytest

from peers.http_server import server

__all__ = ["server"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--drivers",
        metavar="CHECKOUT",
        help="of lvgl_micropython or MicroPythonOS: run each board.py on its drivers (needs --binary)",
    )
