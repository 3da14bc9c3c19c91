"""What the host may ask of the panel: pictures, texts, touches. One JSON object a line, answered likewise.

A request is `{"do": NAME, ...}`, the answer `{"ok": ...}` or `{"error": TEXT}`, and for a picture the pixels
follow. They are served while the VM is busy and in the middle of a callback too. Nothing here waits for a
client: what it does not read stays here, and nothing more is taken from it or made for it until it has.

After `{"do": "watch"}` a client is sent what changes: a line `{"areas": [[x, y, width, height], ...],
"frames": [[number, ms], ...], "size": BYTES}`, and the pixels of the areas, one after the other.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable
from typing import Any

from mpos_host.virtual.panel.areas import HEIGHT, WIDTH, Area, Watch
from mpos_host.virtual.panel.display import Display, Sample, Touch, texts
from mpos_host.virtual.panel.keys import Keys
from mpos_host.virtual.panel.lvgl import lv
from mpos_host.virtual.panel.session import Session
from mpos_host.virtual.panel.tree import tree


class _Client:
    def __init__(self, line: socket.socket):
        self.line = line
        self.received = bytearray()
        self.unsent = memoryview(b"")
        self.waiting_for: int | None = None  # it is answered once there are more frames than that
        self.watch: Watch | None = None


class Control:
    """`poll` has the listening socket and each client registered; `serve` is called when one is ready.

    `hold` is called with True when a client pauses the board, and with False when it goes on: when the client
    says so, or is gone.
    """

    def __init__(
        self, listener: socket.socket, poll: select.poll, display: Display, touch: Touch, keys: Keys
    ):
        self._listener = listener
        self._poll = poll
        self._display = display
        self._touch = touch
        self._keys = keys
        self._clients: dict[int, _Client] = {}
        self._paused_by: _Client | None = None
        self.session: Session | None = None
        self.hold: Callable[[bool], None] = lambda hold: None
        display.on_frame = self._new_frame
        poll.register(listener, select.POLLIN)

    def serve(self, descriptor: int, event: int) -> None:
        if descriptor == self._listener.fileno():
            line, _ = self._listener.accept()
            line.setblocking(False)
            self._clients[line.fileno()] = _Client(line)
            self._poll.register(line, select.POLLIN)
            return
        client = self._clients.get(descriptor)
        if client is None:  # dropped a moment ago
            return
        try:
            if client.unsent:
                self._flush(client)
            elif event & ~select.POLLOUT:
                data = client.line.recv(65536)
                if not data:
                    raise ConnectionResetError
                client.received += data
            self._go_on(client)
        except BlockingIOError:
            pass
        except OSError:
            self._drop(client)

    def _go_on(self, client: _Client) -> None:
        """Answer what the client has asked for, as long as it reads the answers."""
        while b"\n" in client.received and not client.unsent:
            line, _, rest = client.received.partition(b"\n")
            client.received = bytearray(rest)
            self._answer(client, bytes(line))
        self._send_changes(client)
        self._attend(client)

    def _attend(self, client: _Client) -> None:
        self._poll.modify(client.line, select.POLLOUT if client.unsent else select.POLLIN)

    def _drop(self, client: _Client) -> None:
        if client is self._paused_by:
            self._pause(None)
        self._poll.unregister(client.line)
        del self._clients[client.line.fileno()]
        client.line.close()
        self._display.is_watched = any(one.watch for one in self._clients.values())

    def _answer(self, client: _Client, line: bytes) -> None:
        try:
            request = json.loads(line)
            name = request.pop("do")
            if name == "wait_frame":
                client.waiting_for = int(request["after"])
                self._answer_waiting(client)
                return
            if name == "watch":
                client.watch = Watch()
                self._display.is_watched = True
            elif name == "pause":
                self._pause(client if request["on"] else None)
                request = {}
            data = bytes(self._display.pixels) if name == "pixels" else b""
            answer: dict[str, Any] = {"ok": getattr(self, f"_do_{name}")(**request)}
        except (ValueError, KeyError, TypeError, AttributeError) as failure:
            answer, data = {"error": f"{type(failure).__name__}: {failure}"}, b""
        self._send(client, json.dumps(answer).encode() + b"\n" + data)

    def _send(self, client: _Client, data: bytes) -> None:
        client.unsent = memoryview(bytes(client.unsent) + data)
        self._flush(client)

    def _flush(self, client: _Client) -> None:
        """Pass on what the client takes. Raises OSError if it is gone."""
        while client.unsent:
            try:
                client.unsent = client.unsent[client.line.send(client.unsent) :]
            except BlockingIOError:
                return

    def _send_changes(self, client: _Client) -> None:
        if client.watch is not None and client.watch.has_changes and not client.unsent:
            head, pixels = client.watch.take(self._display.pixels)
            self._send(client, json.dumps(head).encode() + b"\n" + pixels)

    def _new_frame(self, areas: list[Area]) -> None:
        began = self.session.handler_began if self.session else None
        took = (time.monotonic() - began) * 1000 if began is not None else 0.0
        for client in list(self._clients.values()):
            try:
                if client.watch is not None:
                    client.watch.add(areas, self._display.frames, took)
                self._answer_waiting(client)
                self._send_changes(client)
                self._attend(client)
            except OSError:
                self._drop(client)

    def _answer_waiting(self, client: _Client) -> None:
        if client.waiting_for is not None and self._display.frames > client.waiting_for:
            client.waiting_for = None
            self._send(client, json.dumps({"ok": self._display.frames}).encode() + b"\n")

    def _pause(self, client: _Client | None) -> None:
        self._paused_by = client
        self.hold(client is not None)

    # Requests

    def _do_pixels(self) -> dict[str, int]:
        return {"width": WIDTH, "height": HEIGHT, "size": len(self._display.pixels)}

    def _do_watch(self) -> dict[str, int]:
        return {"width": WIDTH, "height": HEIGHT}

    def _do_pause(self) -> bool:
        return self._paused_by is not None

    def _do_tree(self) -> list[dict[str, Any]]:
        return tree()

    def _do_frames(self) -> int:
        return self._display.frames

    def _do_texts(self) -> dict[str, Any]:
        return {"texts": texts(), "drawn": self._display.is_drawn, "frames": self._display.frames}

    def _do_touch(self, samples: list[list[int]], live: bool = False) -> int:
        self._touch.add([Sample(int(x), int(y), bool(pressed)) for x, y, pressed in samples], live)
        return self._touch.waiting

    def _do_keys(self, codes: list[int]) -> int:
        self._keys.add([int(code) for code in codes])
        return self._keys.waiting

    def _do_waiting(self) -> int:
        return self._touch.waiting

    def _do_info(self) -> dict[str, Any]:
        session = self.session
        return {
            "lvgl": f"{lv.version_major()}.{lv.version_minor()}.{lv.version_patch()}",
            "vm": session is not None,
            "widgets": session.objects.widget_count if session else 0,
            "handles": session.objects.handle_count if session else 0,
            "frames": self._display.frames,
            "viewers": sum(client.watch is not None for client in self._clients.values()),
            "touches_waiting": self._touch.waiting,
            "handler_wedged": session.damage.handler_wedged if session else False,
            "last_error": session.last_error if session else "",
        }
