"""What the host may ask of the panel: pictures, texts, touches. One JSON object a line, answered likewise.

A request is `{"do": NAME, ...}`, the answer `{"ok": ...}` or `{"error": TEXT}`, and for a picture the pixels
follow. They are served while the VM is busy and in the middle of a callback too.
"""

from __future__ import annotations

import json
import select
import socket
from contextlib import suppress
from typing import Any

from mpos_host.virtual.panel.display import HEIGHT, WIDTH, Display, Sample, Touch, texts
from mpos_host.virtual.panel.lvgl import lv
from mpos_host.virtual.panel.session import Session


class _Client:
    def __init__(self, line: socket.socket):
        self.line = line
        self.received = bytearray()
        self.waiting_for: int | None = None  # it is answered once there are more frames than that


class Control:
    """`poll` has the listening socket and each client registered; `serve` is called when one is ready."""

    def __init__(self, listener: socket.socket, poll: select.poll, display: Display, touch: Touch):
        self._listener = listener
        self._poll = poll
        self._display = display
        self._touch = touch
        self._clients: dict[int, _Client] = {}
        self.session: Session | None = None
        display.on_frame = self._new_frame
        poll.register(listener, select.POLLIN)

    def serve(self, descriptor: int, _event: int) -> None:
        if descriptor == self._listener.fileno():
            line, _ = self._listener.accept()
            self._clients[line.fileno()] = _Client(line)
            self._poll.register(line, select.POLLIN)
            return
        client = self._clients[descriptor]
        try:
            data = client.line.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self._drop(client)
            return
        client.received += data
        while b"\n" in client.received:
            line, _, rest = client.received.partition(b"\n")
            client.received = bytearray(rest)
            self._answer(client, bytes(line))

    def _drop(self, client: _Client) -> None:
        self._poll.unregister(client.line)
        del self._clients[client.line.fileno()]
        client.line.close()

    def _answer(self, client: _Client, line: bytes) -> None:
        try:
            request = json.loads(line)
            name = request.pop("do")
            if name == "wait_frame":
                client.waiting_for = int(request["after"])
                self._new_frame()
                return
            data = bytes(self._display.pixels) if name == "pixels" else b""
            answer: dict[str, Any] = {"ok": getattr(self, f"_do_{name}")(**request)}
        except (ValueError, KeyError, TypeError, AttributeError) as failure:
            answer, data = {"error": f"{type(failure).__name__}: {failure}"}, b""
        self._send(client, json.dumps(answer).encode() + b"\n" + data)

    def _send(self, client: _Client, data: bytes) -> None:
        with suppress(ConnectionError):  # it is dropped when the poll tells
            client.line.sendall(data)

    def _new_frame(self) -> None:
        for client in list(self._clients.values()):
            if client.waiting_for is not None and self._display.frames > client.waiting_for:
                client.waiting_for = None
                self._send(client, json.dumps({"ok": self._display.frames}).encode() + b"\n")

    # Requests

    def _do_pixels(self) -> dict[str, int]:
        return {"width": WIDTH, "height": HEIGHT, "size": len(self._display.pixels)}

    def _do_frames(self) -> int:
        return self._display.frames

    def _do_texts(self) -> dict[str, Any]:
        return {"texts": texts(), "drawn": self._display.is_drawn, "frames": self._display.frames}

    def _do_touch(self, samples: list[list[int]]) -> int:
        self._touch.add([Sample(int(x), int(y), bool(pressed)) for x, y, pressed in samples])
        return self._touch.waiting

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
            "touches_waiting": self._touch.waiting,
            "handler_wedged": session.damage.handler_wedged if session else False,
            "last_error": session.last_error if session else "",
        }
