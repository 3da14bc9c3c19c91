"""What the WebSocket tests share: frames as a server sends them, and looking for what was left behind."""

from mpos import TaskManager
from mpos.net.websocket import connect


def frame(opcode, payload=b"", fin=True, first=0, length=None):
    """A frame without mask; `first` adds bits to its first byte, `length` is what it says instead."""
    payload = payload.encode() if isinstance(payload, str) else bytes(payload)
    size = len(payload) if length is None else length
    head = bytes([opcode | (128 if fin else 0) | first])
    if size < 126:
        head += bytes([size])
    elif size < 65536:
        head += b"\x7e" + size.to_bytes(2, "big")
    else:
        head += b"\x7f" + size.to_bytes(8, "big")
    return head + payload


def raw(urls, data, step=0, stay=True):
    """The address of a server that sends the bytes `data` as its frames."""
    stays = "&stay=1" if stay else ""
    return "%s/raw?step=%d%s&hex=%s" % (urls["bad"], step, stays, data.hex())


async def raised(awaitable):
    """The exception that `awaitable` raises."""
    try:
        await awaitable
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


async def receive_all(url, **options):
    """All messages up to the end."""
    messages = []
    async with connect(url, **options) as ws:
        async for message in ws:
            messages.append(message)
    return messages


async def expect_nothing_left(urls, tasks):
    """No connection is open, as the server sees it, and there are `tasks` tasks at most."""
    async with connect(urls["good"] + "/count") as ws:
        count = await ws.recv()
    for _ in range(1000):
        if count == "0" and len(TaskManager.task_list) <= tasks:
            break
        await TaskManager.sleep_ms(2)
        async with connect(urls["good"] + "/count") as ws:
            count = await ws.recv()
    assert count == "0", count + " connections are open"
    assert len(TaskManager.task_list) <= tasks, TaskManager.list_tasks()
