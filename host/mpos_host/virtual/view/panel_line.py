"""The panel's control socket for asyncio: requests, and the stream of what changes on the screen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mpos_host.project import UserError

_ANSWER_S = 10.0
_LIMIT = 1 << 24  # bytes of a line: a tree of some ten thousand widgets


class PanelLine:
    """Requests to the panel at `path`, one after the other. Connects when first used, again after a reset."""

    def __init__(self, path: str):
        self._path = path
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, **request: Any) -> Any:
        """The answer to a request. Raises UserError if the panel refuses it, or is not there."""
        async with self._lock:
            for _ in range(2):  # a connection of before a reset is found dead when it is used
                fresh = self._streams is None
                try:
                    return await asyncio.wait_for(self._exchange(request), _ANSWER_S)
                except asyncio.TimeoutError:
                    self.close()
                    break
                except (OSError, asyncio.IncompleteReadError):
                    self.close()
                    if fresh:
                        break
                except BaseException:
                    self.close()  # an answer that comes late must not be taken for the next one's
                    raise
        raise UserError("the panel does not answer: the board is down, or it starts")

    async def _exchange(self, request: dict[str, Any]) -> Any:
        if self._streams is None:
            self._streams = await asyncio.open_unix_connection(self._path, limit=_LIMIT)
        reader, writer = self._streams
        writer.write(json.dumps(request).encode() + b"\n")
        await writer.drain()
        answer = json.loads(await reader.readuntil(b"\n"))
        if "error" in answer:
            raise UserError(f"the panel cannot do {request['do']}: {answer['error']}")
        return answer["ok"]

    def close(self) -> None:
        """Disconnect. The next request connects again."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()


@asynccontextmanager
async def changes(path: str) -> AsyncIterator[AsyncIterator[tuple[dict[str, Any], bytes]]]:
    """What changes on the screen, as `mpos_host.virtual.panel.control` sends it, from all of it on.

    The iterator ends when the panel is gone. Raises OSError if there is none.
    """
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(b'{"do": "watch"}\n')
        yield _read_changes(reader)
    finally:
        writer.close()


async def _read_changes(reader: asyncio.StreamReader) -> AsyncIterator[tuple[dict[str, Any], bytes]]:
    try:
        await reader.readuntil(b"\n")  # the answer to the request
        while True:
            head = json.loads(await reader.readuntil(b"\n"))
            yield head, await reader.readexactly(head["size"])
    except (OSError, asyncio.IncompleteReadError):
        return
