"""What an exception that left a callback leaves behind upstream.

There it jumps over LVGL's C frames. Here LVGL is intact, so the damage is only remembered: a timer handler
that believes to be running, an event list that points at a dead frame, a display that believes to be drawing.
Where upstream would crash or hang, the panel ends and says so.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any, NoReturn

from mpos_host.virtual.panel.lvgl import EVENT_CB, lib, lv, struct_address
from mpos_host.virtual.panel.objects import Objects

EXIT_CODE = 70  # EX_SOFTWARE

_DRAWING = (
    "COVER_CHECK",
    "REFR_EXT_DRAW_SIZE",
    "DRAW_MAIN_BEGIN",
    "DRAW_MAIN",
    "DRAW_MAIN_END",
    "DRAW_POST_BEGIN",
    "DRAW_POST",
    "DRAW_POST_END",
    "DRAW_TASK_ADDED",
)


class Damage:
    def __init__(self, objects: Objects):
        self._objects = objects
        self.clear()
        self._on_invalidate = EVENT_CB(self._invalidated)
        self._drawing_codes = {getattr(lv.EVENT, name) for name in _DRAWING}
        lib.lv_display_add_event_cb.argtypes = [
            ctypes.c_void_p,
            EVENT_CB,
            ctypes.c_uint32,
            ctypes.c_void_p,
        ]

    def clear(self) -> None:
        """LVGL was started again."""
        self.handler_wedged = False
        self._events = ""
        self._drawing = ""
        self._armed = False
        self._deletions = 0

    def raised(self, kind: str, arguments: tuple[Any, ...]) -> None:
        """A callback of that kind let an exception out."""
        if kind == "set_flush_cb":
            self._drawing = self._drawing or "a flush callback"
        elif kind == "event" and arguments:
            code = lib.lv_event_get_code(struct_address(arguments[0])) & 0x7FFF
            name = lv.event_code_get_name(code) or str(code)
            if code in self._drawing_codes:
                self._drawing = self._drawing or f"a callback for {name}"
            elif not self._events:
                self._events = f"a callback for {name}"
                self._deletions = self._objects.deletions

    def check(self, request: str) -> None:
        """After each request."""
        if self._events and self._objects.deletions != self._deletions:
            end(
                f"{request} deleted a widget after an exception had left {self._events}: LVGL's list of"
                " running events points at a frame that is gone, a board crashes here"
            )
        if self._drawing and not self._armed:
            self._armed = True
            display = lib.lv_display_get_next(None)
            while display:
                lib.lv_display_add_event_cb(display, self._on_invalidate, lv.EVENT.INVALIDATE_AREA, None)
                display = lib.lv_display_get_next(display)

    def _invalidated(self, _: int) -> None:
        end(
            f"something visible changed after an exception had left {self._drawing}: LVGL believes to be"
            " drawing still, a board hangs here in an assertion"
        )


def end(reason: str) -> NoReturn:
    """End the panel; the reason is the last line that it says."""
    print(f"panel: {reason}", file=sys.stderr, flush=True)
    os._exit(EXIT_CODE)
