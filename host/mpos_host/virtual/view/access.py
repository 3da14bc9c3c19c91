"""Who may use the live view: the holder of the address, and no other page of the browser."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

# The names under which a browser reaches loopback, also through a forwarded port. Another name that leads
# here (DNS rebinding) would make the page of somebody else the same origin.
_HOSTS = ("127.0.0.1", "localhost", "::1")

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Access:
    """`token` is the first part of each address's path."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(16)

    @property
    def middleware(self) -> Middleware:
        """Answers 403 and 404 to what has no business here."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            refusal = self.refusal(request)
            if refusal is not None:
                raise refusal
            response = await handler(request)
            if not response.prepared:
                response.headers.update(_HEADERS)
            return response

        return check

    def refusal(self, request: web.Request) -> web.HTTPException | None:
        """Why the request is not served, or None."""
        host = request.headers.get("Host", "")
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            name = None
        if name not in _HOSTS:
            return web.HTTPForbidden(text=f"the live view is at {' or '.join(_HOSTS)}, not at {host!r}\n")
        origin = request.headers.get("Origin")
        is_socket = request.headers.get("Upgrade", "").lower() == "websocket"
        if (origin is None and is_socket) or (origin is not None and not _is_same(origin, host)):
            return web.HTTPForbidden(text=f"a page of {origin} must not use the live view\n")
        given = request.match_info.get("token", "")
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            return web.HTTPNotFound(text="this is not the address that `mpos run` has shown\n")
        return None


def _is_same(origin: str, host: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc == host
