"""The virtual board's screen and touch panel, as seen from the host."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mpos_host.board.png import rgb565_to_png
from mpos_host.virtual.panel.areas import straight
from mpos_host.virtual.panel.find import centre_of
from mpos_host.virtual.panel.key_codes import key_code, key_codes

_TIMEOUT_S = 10.0
_REASON_S = 2.0


class PanelDied(RuntimeError):
    """The panel is gone. The text says why: signal, exit code, what it said last."""


class PanelClient:
    """Connects when first used and again after the panel was restarted. Not for several threads at once.

    control_path: `PanelProcess.control_path`. exit_reason: called to learn why the panel is gone. Every call
    raises PanelDied when the panel is gone and TimeoutError, naming what was asked, when it does not answer.
    """

    def __init__(
        self,
        control_path: str,
        exit_reason: Callable[[], str | None] = lambda: None,
        timeout: float = _TIMEOUT_S,
    ):
        self.control_path = control_path
        self._exit_reason = exit_reason
        self._timeout = timeout
        self._line: socket.socket | None = None
        self._received = bytearray()

    def close(self) -> None:
        """Disconnect. The next call connects again."""
        line, self._line = self._line, None
        self._received.clear()
        if line is not None:
            line.close()

    def screenshot(self, path: str | Path | None = None) -> bytes:
        """The screen as a PNG, also written to the file `path`."""
        answer, pixels = self._ask({"do": "pixels"}, with_data=True)
        png = rgb565_to_png(answer["width"], answer["height"], pixels)
        if path is not None:
            Path(path).write_bytes(png)
        return png

    def pixels(self) -> bytes:
        """The frame buffer: 320 x 240 pixels RGB565, little-endian."""
        return self._ask({"do": "pixels"}, with_data=True)[1]

    def frame_count(self) -> int:
        """Frames drawn since the VM started."""
        return self._ask({"do": "frames"})[0]

    def wait_frame(self, after: int, timeout: float = _TIMEOUT_S) -> int:
        """Wait until more than `after` frames have been drawn; returns how many have."""
        return self._ask({"do": "wait_frame", "after": after}, timeout=timeout)[0]

    def touch(self, x: int, y: int, pressed: bool) -> None:
        """The finger is at (x, y), on the glass or just lifted."""
        self._touches([(x, y, pressed)])

    def click(self, x: int, y: int) -> None:
        """Press and release at (x, y)."""
        self._touches([(x, y, True), (x, y, False)])

    def tap(self, text: str) -> None:
        """Press and release the middle of the widget that shows `text`. Raises LookupError if none does."""
        self.click(*centre_of(self.tree(), text))

    def swipe(self, x1: int, y1: int, x2: int, y2: int) -> None:
        """Drag from one point to another in a straight line, as fast as LVGL reads."""
        self._touches([(x, y, True) for x, y in straight(x1, y1, x2, y2)] + [(x2, y2, False)])

    def keys(self, *names: str) -> None:
        """Press keys: characters, or names of LVGL like "ENTER" (`mpos_host.virtual.panel.key_codes`).

        They go to the widget that has the focus. Raises ValueError for what is no key.
        """
        self._ask({"do": "keys", "codes": [key_code(name) for name in names]})

    def type(self, text: str) -> None:
        """Type a text; a newline is Enter. Raises ValueError for what no key gives."""
        self._ask({"do": "keys", "codes": key_codes(text)})

    def drag(self, *coordinates: int) -> None:
        """Press at the first point x, y, move over the others, release at the last."""
        points = list(zip(coordinates[::2], coordinates[1::2], strict=True))
        if len(points) < 2:
            raise ValueError("a drag needs at least two points")
        self._touches([(x, y, True) for x, y in points] + [(*points[-1], False)])

    def texts(self) -> list[str]:
        """The texts of the visible widgets on the active screen and the layers above it."""
        return self._ask({"do": "texts"})[0]["texts"]

    def tree(self) -> list[dict[str, Any]]:
        """The widgets on the active screen and the layers above it (see `mpos_host.virtual.panel.tree`)."""
        return self._ask({"do": "tree"})[0]

    def wait_text(self, text: str, timeout: float = _TIMEOUT_S) -> list[str]:
        """Wait until a visible widget's text contains `text` and has been drawn; returns all texts.

        Raises TimeoutError, which lists what was seen instead.
        """
        deadline = time.monotonic() + timeout
        found_at: int | None = None  # the number of frames when it was there first
        while True:
            state = self._ask({"do": "texts"})[0]
            seen, frames = state["texts"], state["frames"]
            if any(text in one for one in seen):
                found_at = frames if found_at is None else found_at
                if state["drawn"] or frames > found_at:
                    return seen
            left = deadline - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError
                # What is seen changes with a frame; hidden changes may come without one.
                self.wait_frame(frames, min(left, 0.5))
            except TimeoutError:
                if time.monotonic() >= deadline:
                    raise TimeoutError(
                        f"no text {text!r} on the screen after {timeout} s, only {seen}"
                    ) from None

    def info(self) -> dict[str, Any]:
        """LVGL's version, numbers of widgets, handles and frames, touches that wait, the last error."""
        return self._ask({"do": "info"})[0]

    def _touches(self, samples: list[tuple[int, int, bool]]) -> None:
        self._ask({"do": "touch", "samples": samples})

    def _ask(
        self, request: dict[str, Any], with_data: bool = False, timeout: float | None = None
    ) -> tuple[Any, bytes]:
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        what = request["do"]
        while True:
            try:
                line = self._connect(deadline, what)
                line.sendall(json.dumps(request).encode() + b"\n")
                return self._answer(line, deadline, what, with_data)
            except TimeoutError:
                self.close()  # an answer that comes late must not be taken for the next one's
                raise
            except (ConnectionRefusedError, FileNotFoundError):
                raise PanelDied(self._why_gone()) from None
            except ConnectionError:
                self.close()  # it starts afresh for the next VM, or is dead, which the next attempt shows
                if time.monotonic() > deadline:
                    raise

    def _why_gone(self) -> str:
        """The reason comes a moment after the sockets are gone."""
        deadline = time.monotonic() + _REASON_S
        while (reason := self._exit_reason()) is None and time.monotonic() < deadline:
            time.sleep(0.01)
        return reason or "the panel does not run"

    def _connect(self, deadline: float, what: str) -> socket.socket:
        if self._line is None:
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                line.settimeout(max(0.01, deadline - time.monotonic()))
                line.connect(self.control_path)
            except TimeoutError:
                line.close()
                raise TimeoutError(f"the panel does not accept a connection ({what})") from None
            except OSError:
                line.close()
                raise
            self._line = line
        return self._line

    def _answer(self, line: socket.socket, deadline: float, what: str, with_data: bool) -> tuple[Any, bytes]:
        while b"\n" not in self._received:
            self._receive(line, deadline, what)
        head, _, rest = self._received.partition(b"\n")
        self._received = bytearray(rest)
        answer = json.loads(head)
        if "error" in answer:
            raise RuntimeError(f"the panel cannot do {what}: {answer['error']}")
        value = answer["ok"]
        if not with_data:
            return value, b""
        while len(self._received) < value["size"]:
            self._receive(line, deadline, what)
        data = bytes(self._received[: value["size"]])
        del self._received[: value["size"]]
        return value, data

    def _receive(self, line: socket.socket, deadline: float, what: str) -> None:
        left = deadline - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            line.settimeout(left)
            data = line.recv(1 << 18)
        except TimeoutError:
            raise TimeoutError(f"the panel has not answered in time: {what}") from None
        if not data:
            raise ConnectionResetError("it closed the connection")
        self._received += data
