"""WebSockets (RFC 6455): `WebSocketApp` with callbacks, and `connect` for `async for`.

    import websocket                                      from mpos.net.websocket import connect
    ws = websocket.WebSocketApp(url, on_message=show)     async with connect(url) as ws:
    await ws.run_forever()                                    async for message in ws:

`import mpos` makes it the module `websocket` too. Each name is loaded when it is first asked for, so that an
app without WebSockets does not pay for them.
"""

_HOMES = {
    "WebSocketApp": "app",
    "connect": "opening",
    "WebSocket": "client",
    "ABNF": "names",
    "WebSocketException": "names",
    "WebSocketProtocolException": "names",
    "WebSocketConnectionClosedException": "names",
    "WebSocketTimeoutException": "names",
    "WebSocketBadStatusException": "names",
    "ConnectionClosed": "names",
}


def __getattr__(name):
    home = _HOMES.get(name)
    if home is not None:
        module = __import__(__name__ + "." + home, None, None, (name,))
        value = globals()[name] = getattr(module, name)
        return value
    if name == "websocket":  # the class of the port's own module of this name, which the WebREPL needs
        value = _builtin()
        if value is not None:
            return value
    raise AttributeError("websocket has no '%s'" % name)


def _builtin():
    import sys

    ours = sys.modules.pop("websocket", None)
    try:
        return __import__("websocket").websocket
    except (ImportError, AttributeError):
        return None
    finally:
        if ours is not None:
            sys.modules["websocket"] = ours
