"""Binary messages over a WebSocket next to a plain read of the same bytes from a socket."""

import asyncio
import gc
from time import ticks_diff, ticks_ms, ticks_us

from mpos import TaskManager
from mpos.net.websocket import connect

_REQUEST = "GET /%d HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"


def measure(port, size, milliseconds, buffer_size=4096):
    """MB a second of each, for messages of `size` bytes, over `milliseconds`."""
    return TaskManager.run_until_complete(_measure(port, size, milliseconds, buffer_size))


async def _measure(port, size, milliseconds, buffer_size):
    gc.collect()
    plain = await _plain(port, size, milliseconds, buffer_size)
    gc.collect()
    return {"plain": plain, "websocket": await _websocket(port, size, milliseconds, buffer_size)}


async def _plain(port, size, milliseconds, buffer_size):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write((_REQUEST % size).encode())
        await writer.drain()
        buffer = bytearray(buffer_size)
        total = await reader.readinto(buffer)
        began, began_us = ticks_ms(), ticks_us()
        total = 0
        while ticks_diff(ticks_ms(), began) < milliseconds:
            total += await reader.readinto(buffer)
        return total / ticks_diff(ticks_us(), began_us)
    finally:
        writer.close()


async def _websocket(port, size, milliseconds, buffer_size):
    ws = await connect("ws://127.0.0.1:%d/%d" % (port, size), buffer_size=buffer_size)
    try:
        await ws.recv()
        began, began_us = ticks_ms(), ticks_us()
        total = 0
        while ticks_diff(ticks_ms(), began) < milliseconds:
            total += len(await ws.recv())
        return total / ticks_diff(ticks_us(), began_us)
    finally:
        ws.abort()
