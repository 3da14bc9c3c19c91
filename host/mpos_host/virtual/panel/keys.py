"""The virtual board's keyboard: what is typed goes to the widget that has the focus.

That is the one of LVGL's default group, where the app has made one, with Enter as a click on it and Next and
Prev moving on; without a group it is the text area that was touched last. LVGL calls the app meanwhile, so
keys are delivered while the VM waits for the input device or the timer handler, where it expects that.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable

from mpos_host.virtual.panel.key_codes import NAMES
from mpos_host.virtual.panel.lvgl import lib, lv

_TEXT_AREA = "lv_textarea_class"


class Keys:
    """`ring` tells the VM that some keys wait."""

    def __init__(self) -> None:
        self._codes: deque[int] = deque()
        self.ring: Callable[[], None] = lambda: None

    def add(self, codes: list[int]) -> None:
        """Type these keys, one after the other."""
        self._codes.extend(codes)
        self.ring()

    @property
    def waiting(self) -> int:
        return len(self._codes)

    def deliver(self) -> None:
        """Give LVGL the keys that wait."""
        while self._codes:
            _press(self._codes.popleft())


def _press(code: int) -> None:
    # With LVGL's C functions: the binding would attach an event to the widget.
    group = lib.lv_group_get_default()
    focused = lib.lv_group_get_focused(group) if group else None
    if not focused:
        area = _focused_text_area()
        if area:
            key = ctypes.c_uint32(code)
            lib.lv_obj_send_event(area, int(lv.EVENT.KEY), ctypes.byref(key))
    elif code == NAMES["NEXT"]:
        lib.lv_group_focus_next(group)
    elif code == NAMES["PREV"]:
        lib.lv_group_focus_prev(group)
    elif code == NAMES["ENTER"]:
        key = ctypes.byref(ctypes.c_uint32(code))
        events = (
            (lv.EVENT.PRESSED, None),
            (lv.EVENT.KEY, key),
            (lv.EVENT.RELEASED, None),
            (lv.EVENT.CLICKED, None),
        )
        for event, data in events:
            if not lib.lv_obj_send_event(focused, int(event), data):
                return  # LV_RESULT_INVALID: it deleted the widget
    else:
        lib.lv_group_send_data(group, code)


def _focused_text_area() -> int:
    """Where the text area with the focus is, or 0."""
    waiting = [root for root in (lib.lv_layer_top(), lib.lv_screen_active()) if root]
    kind = ctypes.addressof(ctypes.c_char.in_dll(lib, _TEXT_AREA))
    while waiting:
        widget = waiting.pop()
        if lib.lv_obj_has_class(widget, kind) and lib.lv_obj_has_state(widget, int(lv.STATE.FOCUSED)):
            return widget
        waiting += [
            lib.lv_obj_get_child(widget, index) for index in range(lib.lv_obj_get_child_count(widget))
        ]
    return 0
