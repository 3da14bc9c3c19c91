"""Fixtures of all tests. What a device test names as a parameter comes from here, as a literal."""

from peers.http_server import server

__all__ = ["server"]
