"""permessage-deflate (RFC 7692) for what the server sends; the client itself sends nothing compressed.

Offered with a window of 4 KB, and without context from one message to the next: so a message costs little
more heap than itself. Ports have no compressor (module `deflate` of the ESP32 and unix ports).
"""

import io

import deflate

from .names import WebSocketProtocolException

_WINDOW_BITS = 12
OFFER = (
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
    "server_max_window_bits=%d; client_max_window_bits" % _WINDOW_BITS
)

# What the sender leaves out of each message (RFC 7692, section 7.2.2), and an empty last block for `deflate`.
_END = b"\x00\x00\xff\xff\x01\x00\x00\xff\xff"
_PIECE = 2048  # bytes that are inflated in one step of the loop


def accepted_window(answer):
    """The bits of the window that the server's header Sec-WebSocket-Extensions says. Raises
    WebSocketProtocolException for anything that was not offered."""
    name, *parameters = [part.strip().lower() for part in answer.split(";")]
    bits = None
    contexts = set()
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        value = value.strip(' "')
        if key.strip() == "server_max_window_bits" and value.isdigit() and 8 <= int(value) <= _WINDOW_BITS:
            bits = int(value)
        elif key.strip() == "client_max_window_bits" and value.isdigit() and 8 <= int(value) <= 15:
            pass  # the client compresses nothing
        elif parameter in ("server_no_context_takeover", "client_no_context_takeover"):
            contexts.add(parameter)
        else:
            name = None
    if name != "permessage-deflate" or bits is None or "server_no_context_takeover" not in contexts:
        raise WebSocketProtocolException("the server chose the extension %r, which was not offered" % answer)
    return bits


async def inflate(data, window_bits, max_size, pause):
    """The bytes of which `data` is the compressed form. `await pause()` after each piece.

    Raises WebSocketProtocolException: 1007 if it is malformed, 1009 if it is longer than `max_size`.
    """
    try:
        stream = deflate.DeflateIO(io.BytesIO(data + _END), deflate.RAW, window_bits)
        pieces = []
        size = 0
        while True:
            piece = stream.read(_PIECE)
            if not piece:
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)
            size += len(piece)
            if max_size is not None and size > max_size:
                raise WebSocketProtocolException(
                    "a message of more than %d bytes: raise max_size" % max_size, 1009
                )
            pieces.append(piece)
            await pause()
    except (OSError, EOFError):
        raise WebSocketProtocolException("a compressed message that is malformed", 1007) from None
    except MemoryError:
        raise WebSocketProtocolException("a message for which the heap has no room", 1009) from None
