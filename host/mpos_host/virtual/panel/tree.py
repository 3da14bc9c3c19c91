"""The widgets on the screen as a tree, for a viewer and for tests.

Read with LVGL's C functions, as in display.py: the binding would attach an event to each widget that it sees.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

from mpos_host.virtual.panel.display import own_texts
from mpos_host.virtual.panel.lvgl import lib, lv

# Of lv_obj_flag_t and lv_state_t, what explains how a widget behaves.
_FLAGS = ("HIDDEN", "CLICKABLE", "CHECKABLE", "SCROLLABLE", "IGNORE_LAYOUT", "FLOATING")
_STATES = ("CHECKED", "FOCUSED", "EDITED", "HOVERED", "PRESSED", "SCROLLED", "DISABLED")


class _Coordinates(ctypes.Structure):
    """lv_area_t of lv_area.h."""

    _fields_ = [(name, ctypes.c_int32) for name in ("x1", "y1", "x2", "y2")]


def tree() -> list[dict[str, Any]]:
    """The active screen and the layers above it, in drawing order, with their children.

    Each has `type`, `text` (its own, or ""), `x`, `y`, `width`, `height` (pixels on the screen), `flags` and
    `states` (LVGL's names), and `children`.
    """
    if not lv.is_initialized() or lib.lv_display_get_next(None) is None:
        return []
    roots = (lib.lv_screen_active(), lib.lv_layer_top(), lib.lv_layer_sys())
    return [_describe(root) for root in roots if root]


def _describe(widget: int) -> dict[str, Any]:
    place = _Coordinates()
    lib.lv_obj_get_coords(widget, ctypes.byref(place))
    return {
        "type": _classes().get(lib.lv_obj_get_class(widget), "obj"),
        "text": "\n".join(text for text in own_texts(widget) if text),
        "x": place.x1,
        "y": place.y1,
        "width": place.x2 - place.x1 + 1,
        "height": place.y2 - place.y1 + 1,
        "flags": [name for name in _FLAGS if lib.lv_obj_has_flag(widget, int(getattr(lv.obj.FLAG, name)))],
        "states": [name for name in _STATES if lib.lv_obj_has_state(widget, int(getattr(lv.STATE, name)))],
        "children": [
            _describe(lib.lv_obj_get_child(widget, index))
            for index in range(lib.lv_obj_get_child_count(widget))
        ],
    }


@cache
def _classes() -> dict[int, str]:
    """The names of the widgets' classes, by where LVGL has them."""
    names = [name for name in dir(lv) if name.endswith("_class")]
    found = {}
    for name in names:
        try:
            variable = ctypes.c_char.in_dll(lib, f"lv_{name}")
        except ValueError:
            continue
        found[ctypes.addressof(variable)] = name.removesuffix("_class")
    return found
