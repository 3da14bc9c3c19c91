"""Animations: the VM holds an lv_anim_t's bytes and callbacks until it starts, LVGL has them from then on.

LVGL copies the struct when it starts. Each start gets a number of its own as user data, by which the VM finds
the callbacks; it is released when LVGL has deleted the animation, or the timeline that it was put into.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from mpos_host.virtual.panel.lvgl import lib, lv, struct_at
from mpos_host.virtual.panel.names import Member
from mpos_host.virtual.panel.objects import Objects
from mpos_host.virtual.panel.wire import Value

_ptr, _i32 = ctypes.c_void_p, ctypes.c_int32
_EXEC = ctypes.CFUNCTYPE(None, _ptr, _i32)
_EVENT = ctypes.CFUNCTYPE(None, _ptr)
_VALUE = ctypes.CFUNCTYPE(_i32, _ptr)

# In the order of lvgl.py's slots.
_SETTERS = ("custom_exec", "completed", "start", "deleted", "get_value", "path")
_DELETED = 3


class Animations:
    def __init__(self, objects: Objects, ask: Callable[..., Any]):
        self._objects = objects
        self._ask = ask
        self._uses: dict[int, int] = {}  # number: animations in LVGL that have it
        self._timelines: set[int] = set()  # numbers that a timeline will start again
        self._deleted_wanted: set[int] = set()
        self._trampolines: list[Any] = [
            _EXEC(lambda anim, value: self._run(anim, 0, value)),
            _EVENT(lambda anim: self._run(anim, 1)),
            _EVENT(lambda anim: self._run(anim, 2)),
            _EVENT(self._on_deleted),
            _VALUE(lambda anim: self._run(anim, 4) or 0),
            _VALUE(lambda anim: self._run(anim, 5) or 0),
        ]
        lib.lv_anim_get_user_data.restype = _ptr
        lib.lv_anim_get_user_data.argtypes = [_ptr]
        lib.lv_anim_set_user_data.argtypes = [_ptr, _ptr]
        for slot, name in enumerate(_SETTERS):
            setter = getattr(lib, f"lv_anim_set_{name}_cb")
            setter.restype = None
            setter.argtypes = [_ptr, type(self._trampolines[slot])]
        lib.lv_anim_set_var.argtypes = [_ptr, _ptr]

    def attach(self, value: Value, member: Member) -> None:
        """Give a struct that is about to start its callbacks, by writing into its bytes."""
        address = ctypes.addressof(ctypes.c_char.from_buffer(value.data))
        number = value.callback
        lib.lv_anim_set_user_data(address, number)
        for slot, name in enumerate(_SETTERS):
            if value.slots & 1 << slot or slot == _DELETED:
                getattr(lib, f"lv_anim_set_{name}_cb")(address, self._trampolines[slot])
        if value.slots & 1 << _DELETED:
            self._deleted_wanted.add(number)
        if member.name == "start":
            self._uses[number] = self._uses.get(number, 0) + 1
        else:
            self._timelines.add(number)

    def set_path(self, wrapper: Any, path: Member) -> None:
        """Use one of LVGL's own path functions."""
        setter = lib.lv_anim_set_path_cb
        function = ctypes.cast(getattr(lib, path.c_name), type(self._trampolines[5]))
        setter(ctypes.addressof(ctypes.c_char.from_buffer(wrapper.__dereference__(1))), function)

    def set_var(self, value: Value, target: int) -> None:
        """What the animation is for: LVGL deletes it with that widget."""
        lib.lv_anim_set_var(ctypes.addressof(ctypes.c_char.from_buffer(value.data)), target)

    def _run(self, anim: int, slot: int, *arguments: Any) -> Any:
        number = lib.lv_anim_get_user_data(anim) or 0
        wrapper = struct_at(lv.anim_t, anim)
        returns = "int" if slot >= 4 else "None"
        return self._ask(number, slot, (wrapper, *arguments), returns, "anim")

    def _on_deleted(self, anim: int) -> None:
        number = lib.lv_anim_get_user_data(anim) or 0
        if number in self._deleted_wanted:
            self._run(anim, _DELETED)
        left = self._uses.get(number, 0) - 1
        if number in self._timelines:
            return
        if left > 0:
            self._uses[number] = left
            return
        self._uses.pop(number, None)
        self._deleted_wanted.discard(number)
        self._objects.release_callbacks([number])
