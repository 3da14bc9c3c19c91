"""Echoes what the Autobahn cases send, for tests/host/test_autobahn.py."""

import gc

from mpos import TaskManager
from mpos.net.websocket import WebSocketException, connect

AGENT = "agent=mpos"
MAX_SIZE = 17 << 20


def count(url):
    """How many cases the server has."""
    return TaskManager.run_until_complete(_count(url))


def run(url, first, last):
    """Echo in the cases `first` to `last`."""
    TaskManager.run_until_complete(_run(url, first, last))


def report(url):
    """Have the server print its results."""
    TaskManager.run_until_complete(_ended(url + "/updateReports?" + AGENT))


async def _count(url):
    async with connect(url + "/getCaseCount") as ws:
        return int(await ws.recv())


async def _run(url, first, last):
    for number in range(first, last + 1):
        gc.collect()
        await _ended("%s/runCase?case=%d&%s" % (url, number, AGENT))


async def _ended(url):
    """Most cases break the protocol or the connection: what the server saw is its result."""
    try:
        async with connect(url, compression="deflate", max_size=MAX_SIZE, ping_interval_ms=None) as ws:
            async for message in ws:
                await ws.send(message)
    except (OSError, WebSocketException):
        pass
