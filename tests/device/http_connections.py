"""Whether all connections to the test server are closed, seen from both ends."""

import asyncio
import time
from asyncio import core

from mpos.net import http


async def open_connections(server):
    async with await http.request("GET", server + "/open_connections") as response:
        return int(await response.read())


async def expect_all_closed(server, allowed=0):
    """The server sees every connection closed (within ten seconds), and the poller waits for none."""
    until = time.ticks_add(time.ticks_ms(), 10000)
    count = await open_connections(server)
    while count > allowed and time.ticks_diff(until, time.ticks_ms()) > 0:
        await asyncio.sleep_ms(10)
        count = await open_connections(server)
    assert count <= allowed, "%d connections are still open" % count
    for entry in core._io_queue.map.values():
        assert entry[0] is None and entry[1] is None, "the poller still waits: %r" % entry
