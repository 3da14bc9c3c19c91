"""The server of the live view: HTTP and WebSocket on loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from mpos_host.board.png import rgb565_to_png
from mpos_host.project import UserError
from mpos_host.virtual.board import VirtualBoard
from mpos_host.virtual.panel.areas import HEIGHT, WIDTH, Area
from mpos_host.virtual.view import feeds
from mpos_host.virtual.view.access import Access
from mpos_host.virtual.view.actions import Actions
from mpos_host.virtual.view.own_console import OwnConsole
from mpos_host.virtual.view.panel_line import PanelLine
from mpos_host.virtual.view.viewer import Viewer

_PAGE = Path(__file__).parent / "page"
_FILES = {path.relative_to(_PAGE).as_posix(): path for path in _PAGE.rglob("*") if path.is_file()}
_HEARTBEAT_S = 20.0  # a page that does not answer for half as long again is gone
_START_S = 10.0
_LARGEST_REQUEST = 64 * 1024  # bytes
_IDLE_FEEDS_S = 30.0  # for the feeds to end: a sample, or an app that starts, may be under way


class LiveView:
    """The page of `board`, at `url` from `start()` to `close()`. A context manager.

    `title` is what the page is called. Raises UserError for a board without a panel, or where loopback has no
    free port.
    """

    def __init__(self, board: VirtualBoard, title: str):
        if board.panel is None:
            raise UserError("this board has no panel, so there is nothing for a live view to show")
        self._board = board
        self._title = title
        self._access = Access()
        self._viewers: set[Viewer] = set()
        self._feeds: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._run, name="live view", daemon=True)
        self._started: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self.url = ""

    def __enter__(self) -> LiveView:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def start(self) -> None:
        self._thread.start()
        try:
            self._started.result(_START_S)
        except OSError as error:
            raise UserError(f"the live view cannot listen on loopback: {error.strerror}") from None

    def close(self) -> None:
        """End the server; pages say that the board is gone. May be called twice."""
        if self._loop is not None and self._ended is not None and self._thread.is_alive():
            with suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(_IDLE_FEEDS_S)

    @property
    def viewer_count(self) -> int:
        """How many pages look."""
        return len(self._viewers)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        assert self._board.panel is not None
        path = self._board.panel.control_path
        panel = PanelLine(path)
        console = OwnConsole(self._board)
        self._screen = feeds.Screen(path)
        self._log = feeds.Log(self._board)
        self._console = console
        self._actions = Actions(self._board, panel, console)
        app = web.Application(middlewares=[self._access.middleware], client_max_size=_LARGEST_REQUEST)
        app.router.add_get("/{token}/", self._index)
        app.router.add_get("/{token}/socket", self._socket)
        app.router.add_get("/{token}/screen.png", self._picture)
        app.router.add_post("/{token}/do", self._post)
        app.router.add_get("/{token}/page/{file:.+}", self._file)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        try:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            self.url = f"http://127.0.0.1:{port}/{self._access.token}/"
            self._started.set_result(None)
            await self._ended.wait()
        finally:
            await self._stop_feeds()
            await runner.cleanup()
            panel.close()

    # Viewers

    def _tell(self, kind: str, **news: Any) -> None:
        for viewer in self._viewers:
            viewer.tell(kind, **news)

    def _draw(self, areas: list[Area]) -> None:
        for viewer in self._viewers:
            viewer.draw(areas)

    def _start_feeds(self) -> None:
        if self._feeds:
            return
        actions = self._actions
        running: list[Coroutine[Any, Any, None]] = [
            self._screen.follow(self._draw, self._tell, self._panel_is_up),
            self._log.follow(self._tell),
            feeds.sample(self._console, lambda: actions.is_paused, self._tell),
        ]
        self._feeds = [asyncio.create_task(one) for one in running]

    def _panel_is_up(self) -> None:
        """It is another one than before a reset, and holds nothing up."""
        self._actions.is_paused = False
        self._tell("state", paused=False)

    async def _stop_feeds(self) -> None:
        stopping, self._feeds = self._feeds, []
        for feed in stopping:
            feed.cancel()
        await asyncio.gather(*stopping, return_exceptions=True)
        if self._actions.is_paused:
            with suppress(UserError):
                await self._actions.do({"do": "pause", "on": False})

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=_LARGEST_REQUEST, compress=False)
        await socket.prepare(request)
        viewer = Viewer(socket, self._screen.pixels)
        viewer.tell("hello", title=self._title, port=self._board.port, width=WIDTH, height=HEIGHT)
        viewer.tell("state", paused=self._actions.is_paused, down=self._board.exit_reason)
        viewer.tell("log", text="".join(self._log.lines))
        self._console.tell_errors_again()
        self._viewers.add(viewer)
        self._start_feeds()
        sender = asyncio.create_task(self._send_to(viewer, socket))
        jobs: set[asyncio.Task[None]] = set()
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                await self._receive(viewer, message.data, jobs)
        finally:
            self._viewers.discard(viewer)
            for task in (sender, *jobs):
                task.cancel()
            await asyncio.gather(sender, *jobs, return_exceptions=True)
            if viewer.finger is not None:  # it would hold the screen for ever
                with suppress(UserError):
                    x, y = viewer.finger
                    await self._actions.do({"do": "touch", "x": x, "y": y, "pressed": False})
            if not self._viewers:
                await self._stop_feeds()
        return socket

    async def _send_to(self, viewer: Viewer, socket: web.WebSocketResponse) -> None:
        with suppress(ConnectionError):
            await viewer.run()
        await socket.close()

    async def _receive(self, viewer: Viewer, text: str, jobs: set[asyncio.Task[None]]) -> None:
        try:
            request = json.loads(text)
            if request["do"] == "shown":
                viewer.shown()
                return
            if request["do"] == "touch":  # in the order in which they come, as keys
                await self._touch(viewer, request)
                return
            if request["do"] == "key":
                await self._answer(viewer, request)
                return
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            viewer.tell("error", text=f"a request that cannot be read: {error}")
            return
        job = asyncio.create_task(self._answer(viewer, request))
        jobs.add(job)
        job.add_done_callback(jobs.discard)

    async def _touch(self, viewer: Viewer, request: dict[str, Any]) -> None:
        x, y = int(request["x"]), int(request["y"])
        viewer.finger = (x, y) if request["pressed"] else None
        await self._answer(viewer, {"do": "touch", "x": x, "y": y, "pressed": bool(request["pressed"])})

    async def _answer(self, viewer: Viewer, request: dict[str, Any]) -> None:
        try:
            answer = await self._actions.do(request)
        except UserError as error:
            viewer.tell("error", text=str(error), to=request["do"])
            return
        if request["do"] == "pause":
            self._tell("state", paused=self._actions.is_paused)
        elif request["do"] in ("reset", "restart"):
            self._tell("state", paused=False, down=None)
            viewer.tell("answer", to=request["do"], value=None)
        elif request["do"] not in ("touch", "key"):
            viewer.tell("answer", to=request["do"], value=answer)

    # Other requests

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(_PAGE / "index.html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        file = _FILES.get(request.match_info["file"])
        if file is None:
            raise web.HTTPNotFound
        return web.FileResponse(file)

    async def _picture(self, request: web.Request) -> web.Response:
        assert self._board.panel is not None
        pixels = bytes(self._screen.pixels) if self._viewers else None
        if pixels is None:
            raise web.HTTPConflict(text="nobody looks: `mpos screenshot` takes a picture of it\n")
        png = await asyncio.to_thread(rgb565_to_png, WIDTH, HEIGHT, pixels)
        return web.Response(body=png, content_type="image/png")

    async def _post(self, request: web.Request) -> web.Response:
        try:
            asked = await request.json()
            if not isinstance(asked, dict):
                raise ValueError("an object is expected")
            answer = await self._actions.do(asked)
        except (ValueError, RecursionError) as error:
            return web.json_response({"error": f"the request cannot be read: {error}"}, status=400)
        except UserError as error:
            return web.json_response({"error": str(error)}, status=409)
        return web.json_response({"ok": answer})
