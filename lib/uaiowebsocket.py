"""`import uaiowebsocket`, as MicroPythonOS calls it; `import websocket` is the same."""

from mpos.net.websocket import (  # noqa: F401
    ABNF,
    WebSocketApp,
    WebSocketConnectionClosedException,
    WebSocketException,
    WebSocketTimeoutException,
    connect,
)
