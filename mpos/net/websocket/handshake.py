"""The opening handshake (RFC 6455, section 4): asks for a WebSocket and checks the answer."""

import hashlib
import os
from binascii import b2a_base64

from ..head import build_request, read_response
from .names import WebSocketBadStatusException, WebSocketException

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_OWN = ("connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions")


class Answer:
    """What the server agreed to: `subprotocol` (or None), `extensions` (str, "" for none), `headers`."""

    def __init__(self, headers):
        self.headers = headers
        self.subprotocol = headers.get("sec-websocket-protocol")
        self.extensions = headers.get("sec-websocket-extensions", "")


async def shake_hands(connection, address, headers, subprotocols, offer):
    """Ask for a WebSocket at `address` on `connection`; returns the Answer.

    `headers` is a dict of further headers, `subprotocols` a list, `offer` the extension to ask for, or None.
    Raises WebSocketBadStatusException for any status but 101 (its `headers` say where a redirect leads),
    WebSocketException for an answer that is no handshake, ValueError for what cannot be sent.
    """
    key = b2a_base64(os.urandom(16)).strip()
    request = dict(headers)
    request["Connection"] = "Upgrade"
    request["Upgrade"] = "websocket"
    request["Sec-WebSocket-Version"] = "13"
    request["Sec-WebSocket-Key"] = key.decode()
    if subprotocols:
        request["Sec-WebSocket-Protocol"] = ", ".join(subprotocols)
    if offer:
        request["Sec-WebSocket-Extensions"] = offer
    await connection.write(build_request("GET", address, request, None))
    try:
        status, reason, answer, _ = await read_response(connection)
    except ValueError as error:
        raise WebSocketException("%s: the answer is no valid HTTP: %s" % (connection.name, error)) from None
    if status != 101:
        raise WebSocketBadStatusException(
            "%s: the server answers %d %s, not with a WebSocket: is the address right?"
            % (connection.name, status, reason),
            status,
            answer,
        )
    wrong = _wrong_header(answer, key, subprotocols, offer)
    if wrong:
        raise WebSocketException("%s: the answer is no WebSocket handshake: %s" % (connection.name, wrong))
    return Answer(answer)


def headers_of(given):
    """`given` as a dict: None, a dict, or a list of "Name: value" as websocket-client takes it.

    Raises ValueError for a header that the handshake sets itself.
    """
    headers = {}
    if isinstance(given, dict):
        headers.update(given)
    else:
        for line in given or ():
            name, separator, value = line.partition(":")
            if not separator:
                raise ValueError("the header %r has no colon" % line)
            headers[name] = headers[name] + ", " + value.strip() if name in headers else value.strip()
    for name in headers:
        if isinstance(name, str) and name.lower() in _OWN:
            raise ValueError("the header %s is the handshake's own: leave it out" % name)
    return headers


def _wrong_header(answer, key, subprotocols, offer):
    """What is wrong with the headers of a 101, or None."""
    if answer.get("upgrade", "").lower() != "websocket":
        return "Upgrade is %r" % answer.get("upgrade")
    tokens = [token.strip() for token in answer.get("connection", "").lower().split(",")]
    if "upgrade" not in tokens:
        return "Connection is %r" % answer.get("connection")
    expected = b2a_base64(hashlib.sha1(key + _MAGIC).digest()).strip().decode()
    if answer.get("sec-websocket-accept", "").strip() != expected:
        return "Sec-WebSocket-Accept does not fit the key"
    chosen = answer.get("sec-websocket-protocol")
    if chosen is not None and chosen not in (subprotocols or ()):
        return "the subprotocol %r was not asked for" % chosen
    if answer.get("sec-websocket-extensions") and not offer:
        return "the extension %r was not asked for" % answer["sec-websocket-extensions"]
    return None
