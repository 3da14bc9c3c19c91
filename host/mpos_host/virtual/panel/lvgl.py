"""LVGL in this process: the Python binding `lv` and, for what it lacks, the same library's C functions `lib`.

Addresses: the binding does not tell where a widget is, so it is read from the wrapper object, whose first
field after the object header it is; `check()` makes sure that this still holds.
"""

from __future__ import annotations

import ctypes
from typing import Any

import lvgl as lv  # pyright: ignore[reportMissingModuleSource]

FILE = str(lv.__file__)
lib = ctypes.CDLL(FILE)
EVENT_CB = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

_occurred = ctypes.pythonapi.PyErr_Occurred  # whatever a function of `pythonapi` finds set is raised
_occurred.restype = ctypes.c_void_p

_FIRST_FIELD = object.__basicsize__


def _declare(name: str, restype: Any, *argtypes: Any) -> None:
    function = getattr(lib, name)
    function.restype = restype
    function.argtypes = argtypes


_ptr, _u32, _str = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p
for _name in ("lv_display_get_next", "lv_indev_get_next", "lv_timer_get_next"):
    _declare(_name, _ptr, _ptr)
_declare("lv_group_by_index", _ptr, _u32)
_declare("lv_group_get_count", _u32)
_declare("lv_group_get_default", _ptr)
_declare("lv_group_get_focused", _ptr, _ptr)
_declare("lv_group_focus_next", None, _ptr)
_declare("lv_group_focus_prev", None, _ptr)
_declare("lv_group_send_data", ctypes.c_int, _ptr, _u32)
_declare("lv_screen_active", _ptr)
_declare("lv_layer_top", _ptr)
_declare("lv_layer_sys", _ptr)
_declare("lv_obj_add_event_cb", _ptr, _ptr, EVENT_CB, _u32, _ptr)
_declare("lv_event_get_target", _ptr, _ptr)
_declare("lv_event_get_current_target", _ptr, _ptr)
_declare("lv_event_get_code", _u32, _ptr)
_declare("lv_obj_get_event_dsc", _ptr, _ptr, _u32)
_declare("lv_obj_get_event_count", _u32, _ptr)
_declare("lv_event_dsc_get_cb", _ptr, _ptr)
_declare("lv_obj_remove_event", ctypes.c_bool, _ptr, _u32)
_declare("lv_obj_get_child_count", _u32, _ptr)
_declare("lv_obj_get_child", _ptr, _ptr, ctypes.c_int32)
_declare("lv_obj_has_flag", ctypes.c_bool, _ptr, _u32)
_declare("lv_obj_has_state", ctypes.c_bool, _ptr, _u32)
_declare("lv_obj_send_event", ctypes.c_int, _ptr, _u32, _ptr)
_declare("lv_obj_get_class", _ptr, _ptr)
_declare("lv_obj_get_coords", None, _ptr, _ptr)
_declare("lv_obj_has_class", ctypes.c_bool, _ptr, _ptr)
for _name in (
    "lv_label_get_text",
    "lv_checkbox_get_text",
    "lv_textarea_get_text",
    "lv_textarea_get_placeholder_text",
    "lv_dropdown_get_text",
    "lv_arclabel_get_text",
):
    if hasattr(lib, _name):
        _declare(_name, _str, _ptr)
_declare("lv_dropdown_get_selected_str", None, _ptr, _str, _u32)
_declare("lv_buttonmatrix_get_button_text", _str, _ptr, _u32)
_declare("lv_table_get_row_count", _u32, _ptr)
_declare("lv_table_get_column_count", _u32, _ptr)
_declare("lv_table_get_cell_value", _str, _ptr, _u32, _u32)
_declare("lv_spangroup_get_child", _ptr, _ptr, ctypes.c_int32)
_declare("lv_span_get_text", _str, _ptr)


def raise_pending() -> None:
    """Raise the exception that the binding has set and forgotten; else it would come up somewhere later."""
    _occurred()


def event_callback(widget: int, index: int) -> int | None:
    """The C function that the event number `index` of the widget at that address calls."""
    return lib.lv_event_dsc_get_cb(lib.lv_obj_get_event_dsc(widget, index))


def widget_address(widget: Any) -> int:
    """Where a widget's lv_obj_t is."""
    return ctypes.c_void_p.from_address(id(widget) + _FIRST_FIELD).value or 0


def detach(widget: Any) -> None:
    """LVGL has deleted the widget: the binding's object must not look at it again, nor when it is freed."""
    ctypes.c_void_p.from_address(id(widget) + _FIRST_FIELD).value = None


def struct_address(struct: Any) -> int:
    """Where the struct is that a binding's object stands for."""
    return ctypes.c_void_p.from_address(id(struct) + _FIRST_FIELD).value or 0


def struct_at(kind: Any, address: int) -> Any:
    """The binding's object for the struct of type `kind` at `address`."""
    return kind.__cast__(kind, (ctypes.c_char * max(getattr(kind, "__SIZE__", 1), 1)).from_address(address))


def struct_over(kind: Any, data: bytearray) -> Any:
    """The binding's object for a struct whose bytes are `data`; keep `data` as long as LVGL has it."""
    return kind.__cast__(kind, data)


def check() -> None:
    """Raises RuntimeError when the binding's objects are laid out in another way than expected."""
    point = lv.point_t()
    memory = point.__dereference__(1)
    if struct_address(point) != ctypes.addressof(ctypes.c_char.from_buffer(memory)):
        raise RuntimeError("this version of pydevices-lvgl lays out its structs in another way")
    data = bytearray(lv.point_t.__SIZE__)
    struct_over(lv.point_t, data).x = 5
    if data[0] != 5:
        raise RuntimeError("this version of pydevices-lvgl casts buffers in another way")


def check_widget(screen: Any) -> None:
    """The same for widgets: `screen` is the active screen."""
    if widget_address(screen) != lib.lv_screen_active():
        raise RuntimeError("this version of pydevices-lvgl lays out its widgets in another way")


_GLOBAL_SIZE = 888  # of lv_global, from the library's symbol table


def find_time_until_next() -> ctypes.c_uint32:
    """The variable that `lv.timer_get_time_until_next()` returns.

    LVGL 9.5 sets it to 0 in more functions than 9.4 does; those are undone with this. Raises RuntimeError.
    """
    start = ctypes.addressof(ctypes.c_char.in_dll(lib, "lv_global"))
    for offset in range(0, _GLOBAL_SIZE, 4):
        variable = ctypes.c_uint32.from_address(start + offset)
        before = lv.timer_get_time_until_next()
        if variable.value != before:
            continue
        variable.value = before ^ 0x5A5A
        found = lv.timer_get_time_until_next() == before ^ 0x5A5A
        variable.value = before
        if found:
            return variable
    raise RuntimeError("this version of pydevices-lvgl keeps its timers' state in another place")
