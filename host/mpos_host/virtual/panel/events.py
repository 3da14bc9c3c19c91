"""Event callbacks of widgets, displays and input devices: added, listed and removed as lvgl_micropython does.

The binding hides the descriptors and crashes when it removes what LVGL itself registered, such as a subject's
increment; so they are handled by LVGL's C functions.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from mpos_host.virtual.panel import wire
from mpos_host.virtual.panel.lvgl import lib, lv, struct_address, struct_at
from mpos_host.virtual.panel.objects import Entry
from mpos_host.virtual.panel.types import Signature
from mpos_host.virtual.panel.wire import Callback, Handle, type_error

if TYPE_CHECKING:
    from mpos_host.virtual.panel.calls import Calls

_EVENT = Signature(("event_t",), "None")


class _Functions(NamedTuple):
    """LVGL's functions for one kind of owner."""

    add: Callable[..., Any]
    count: Any
    descriptor: Any
    remove: Any


def _functions(add: Callable[..., Any], count: str, descriptor: str, remove: str) -> _Functions:
    found = _Functions(add, getattr(lib, count), getattr(lib, descriptor), getattr(lib, remove))
    found.count.restype, found.count.argtypes = ctypes.c_uint32, [ctypes.c_void_p]
    for function, restype in ((found.descriptor, ctypes.c_void_p), (found.remove, ctypes.c_bool)):
        function.restype, function.argtypes = restype, [ctypes.c_void_p, ctypes.c_uint32]
    return found


_KINDS = {
    "obj": _functions(
        lambda widget, *arguments: widget.add_event_cb(*arguments),
        "lv_obj_get_event_count",
        "lv_obj_get_event_dsc",
        "lv_obj_remove_event",
    ),
    "display_t": _functions(
        lv.display_add_event_cb,
        "lv_display_get_event_count",
        "lv_display_get_event_dsc",
        "lv_display_delete_event",
    ),
    "indev_t": _functions(
        lv.indev_add_event_cb,
        "lv_indev_get_event_count",
        "lv_indev_get_event_dsc",
        "lv_indev_remove_event",
    ),
}


class Events:
    """`methods` is what replaces the binding's. `current` is the callback that runs, for its user data."""

    def __init__(self, calls: Calls):
        self._calls = calls
        self._objects = calls.objects
        self.current = 0
        self.methods: dict[str, Callable[..., bytes]] = {
            "obj.remove_event": self._remove,
            "display_t.delete_event": self._remove,
            "indev_t.remove_event": self._remove,
            "obj.remove_event_dsc": self._remove_descriptor,
            "obj.remove_event_cb": self._remove_callback,
            "event_t.get_user_data": lambda event: wire.user_data(self.current),
            "event_t.get_target_obj": lambda event: self._target(event, lib.lv_event_get_target),
            "event_t.get_current_target_obj": lambda event: self._target(
                event, lib.lv_event_get_current_target
            ),
        }
        for kind in _KINDS:
            self.methods[f"{kind}.add_event_cb"] = self._add
            self.methods[f"{kind}.remove_event_cb_with_user_data"] = self._remove_callback_with_data
            self.methods[f"{kind}.get_event_count"] = self._count
            self.methods[f"{kind}.get_event_dsc"] = self._descriptor

    def _add(self, owner: Handle, callback: Any, code: Any, data: Any) -> bytes:
        entry, functions = self._owner(owner)
        where = f"{entry.kind}.add_event_cb"
        if type(code) is not int:
            raise type_error(f"{where} needs an event code")
        if data is not None:
            raise type_error(f"{where}: user_data is None or a dict")
        if isinstance(callback, Callback):
            function = self._calls.callback(callback, _EVENT, "event")
        elif callback is None:
            function = _nothing
        else:
            raise type_error(f"{where} needs a function")
        functions.add(entry.wrapper, function, code, None)
        address = functions.descriptor(entry.address, functions.count(entry.address) - 1)
        if isinstance(callback, Callback):
            self._objects.hold(entry, _slot(address), callback)
        descriptor = self._result(entry, address, fresh=True)
        return descriptor if entry.kind == "obj" else b"\0"

    def _count(self, owner: Handle) -> bytes:
        entry, functions = self._owner(owner)
        return wire.scalar(functions.count(entry.address))

    def _descriptor(self, owner: Handle, index: int) -> bytes:
        entry, functions = self._owner(owner)
        address = functions.descriptor(entry.address, _index(index))
        return self._result(entry, address) if address else b"\0"

    def _result(self, owner: Entry, address: int, fresh: bool = False) -> bytes:
        descriptor = struct_at(lv.event_dsc_t, address)
        self._objects.belongs(self._objects.struct(descriptor, "event_dsc_t", fresh), owner)
        return self._calls.values.result(descriptor)

    def _remove(self, owner: Handle, index: int) -> bytes:
        entry, functions = self._owner(owner)
        at = _index(index)
        slot = _slot(functions.descriptor(entry.address, at))
        removed = functions.remove(entry.address, at)
        if removed:
            self._objects.let_go(entry, slot)
        return wire.scalar(removed)

    def _remove_descriptor(self, owner: Handle, descriptor: Any) -> bytes:
        entry, functions = self._owner(owner)
        if not isinstance(descriptor, Handle) or self._objects.get(descriptor).kind != "event_dsc_t":
            raise type_error("obj.remove_event_dsc needs an lv_event_dsc_t")
        wanted = self._objects.get(descriptor).address
        for index in range(functions.count(entry.address)):
            if functions.descriptor(entry.address, _index(index)) == wanted:
                return self._remove(owner, index)
        return wire.scalar(False)

    def _remove_callback(self, owner: Handle, callback: Any) -> bytes:
        """Upstream never finds it: each registration has a function of its own there."""
        self._owner(owner)
        if isinstance(callback, Callback):
            self._objects.release_callbacks([callback])
        return wire.scalar(0)

    def _remove_callback_with_data(self, owner: Handle, callback: Any, _: Any) -> bytes:
        return self._remove_callback(owner, callback)

    def _target(self, event: Handle, getter: Callable[[int], int]) -> bytes:
        """The target may have been deleted by a callback before; then the pointer is not to be followed."""
        wrapper = self._objects.get(event).wrapper
        dead = self._objects.deleted_widget(getter(struct_address(wrapper)))
        if dead is not None:
            return wire.widget(dead.number, self._calls.names.class_of(type(dead.wrapper)).number)
        name = "get_target_obj" if getter is lib.lv_event_get_target else "get_current_target_obj"
        return self._calls.values.result(getattr(wrapper, name)())

    def _owner(self, owner: Any) -> tuple[Entry, _Functions]:
        entry = self._objects.get(owner) if isinstance(owner, Handle) else None
        if entry is None or entry.kind not in _KINDS:
            raise type_error("a widget, display or input device is needed first")
        return entry, _KINDS[entry.kind]


def _index(index: Any) -> int:
    if type(index) is not int or index < 0:
        raise type_error("an event's index is an int")
    return index


def _slot(address: int | None) -> str:
    return f"event {address}"


def _nothing(*_: Any) -> None:
    """A callback that was given as None."""
