"""The opcodes and exceptions of the client, under the names that websocket-client gave them."""


class ABNF:
    """Opcodes of frames (RFC 6455, section 5.2)."""

    OPCODE_CONT = 0
    OPCODE_TEXT = 1
    OPCODE_BINARY = 2
    OPCODE_CLOSE = 8
    OPCODE_PING = 9
    OPCODE_PONG = 10


class WebSocketException(Exception):
    """The base of all that goes wrong with a WebSocket beyond the network, which is an OSError."""


class WebSocketBadStatusException(WebSocketException):
    """The server answered the handshake with something else: `status_code` (int), `headers` (dict)."""

    def __init__(self, message, status_code=0, headers=None):
        super().__init__(message)
        self.status_code = status_code
        self.headers = headers or {}


class WebSocketProtocolException(WebSocketException):
    """The server broke the protocol, or sent more than is allowed: `code` is what the connection was closed
    with (1002 protocol, 1007 payload, 1009 too big)."""

    def __init__(self, message, code=1002):
        super().__init__(message)
        self.code = code


class WebSocketConnectionClosedException(WebSocketException):
    """The connection is closed: `code` and `reason` are the server's (RFC 6455, section 7.4), 1005 when it
    gave no code, 1006 when it closed without saying so."""

    def __init__(self, message, code=1006, reason=""):
        super().__init__(message)
        self.code = code
        self.reason = reason


class WebSocketTimeoutException(WebSocketException):
    """The server answered no ping in time."""


ConnectionClosed = WebSocketConnectionClosedException
