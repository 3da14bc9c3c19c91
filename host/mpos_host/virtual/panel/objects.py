"""The panel's table of handles: which LVGL objects the VM knows, and whether they still exist.

LVGL hangs in an assertion or crashes when it is given something deleted, so each handle is looked up here
before LVGL is called. Widgets report their own deletion by an event; displays, input devices, timers and
groups are looked for in LVGL's lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mpos_host.virtual.panel.lvgl import (
    EVENT_CB,
    detach,
    event_callback,
    lib,
    lv,
    struct_address,
    widget_address,
)
from mpos_host.virtual.panel.wire import CALLBACK_BIT, Handle, reference_error


@dataclass(eq=False)
class Entry:
    """One handle. `slots` are the VM's callbacks that LVGL holds for it, `keep` is memory that LVGL uses."""

    number: int
    wrapper: Any
    address: int
    kind: str
    alive: bool = True
    slots: dict[str, list[int]] = field(default_factory=dict)
    keep: dict[Any, Any] = field(default_factory=dict)
    parts: dict[int, Entry] = field(default_factory=dict)


_NEXT = {
    "display_t": lib.lv_display_get_next,
    "indev_t": lib.lv_indev_get_next,
    "timer_t": lib.lv_timer_get_next,
}

# Parts of a widget: they are gone with it.
PARTS = ("event_dsc_t", "chart_series_t", "chart_cursor_t", "span_t", "scale_section_t", "observer_t")

# Their memory is gone when the callback that they were handed to returns.
PASSING = ("event_t", "indev_data_t", "layer_t", "draw_task_t", "hit_test_info_t", "area_t", "point_t")


def exists(kind: str, address: int) -> bool:
    """Whether LVGL still has that display, input device, timer or group; True for what has no list."""
    following = _NEXT.get(kind)
    if following is not None:
        at = following(None)
        while at and at != address:
            at = following(at)
        return bool(at)
    if kind == "group_t":
        return any(lib.lv_group_by_index(i) == address for i in range(lib.lv_group_get_count()))
    return True


class Objects:
    """Handles are never used twice. `forgotten` is what the VM has to be told that it is gone."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._widgets: dict[int, Entry] = {}  # by address
        self._structs: dict[tuple[str, int], Entry] = {}
        self._dying: list[Entry] = []
        self._last = 0
        self._timers_before_sweep = 64
        self._on_delete = EVENT_CB(self._deleted)
        self._binding_callback: int | None = None
        self.forgotten: list[int] = []
        self.deletions = 0

    @property
    def widget_count(self) -> int:
        return len(self._widgets)

    @property
    def handle_count(self) -> int:
        return len(self._entries)

    def widget(self, wrapper: Any) -> Entry:
        """The entry of a widget that LVGL returned."""
        address = widget_address(wrapper)
        entry = self._widgets.get(address)
        if entry is not None:
            return entry
        for dying in self._dying:
            if dying.wrapper is wrapper:
                return dying
        entry = self._add(wrapper, address, "obj")
        self._widgets[address] = entry
        self._watch(address)
        return entry

    def _watch(self, widget: int) -> None:
        """Have LVGL tell when the widget is deleted, in the place of the binding's own callback.

        That takes the user data of all events for its own and crashes on LVGL's. One of the two is what
        lvgl_micropython registers too, so that LVGL counts as many events on both.
        """
        if self._binding_callback is None:
            probe = lv.obj(None)
            last = lib.lv_obj_get_event_count(widget_address(probe)) - 1
            self._binding_callback = event_callback(widget_address(probe), last)
            probe.delete()
        for index in range(lib.lv_obj_get_event_count(widget) - 1, -1, -1):
            if event_callback(widget, index) == self._binding_callback:
                lib.lv_obj_remove_event(widget, index)
        lib.lv_obj_add_event_cb(widget, self._on_delete, lv.EVENT.DELETE, None)

    def struct(self, wrapper: Any, kind: str, fresh: bool = False) -> Entry:
        """The entry of a struct; `fresh` when LVGL has just made it: an older one there is gone."""
        address = struct_address(wrapper)
        key = (kind, address)
        entry = self._structs.get(key)
        if entry is not None:
            if not fresh:
                return entry
            self.drop(entry)
        if fresh and kind == "timer_t":
            self._sweep_timers()
        entry = self._structs[key] = self._add(wrapper, address, kind)
        return entry

    def belongs(self, part: Entry, owner: Entry) -> None:
        """A struct of one of the kinds in `PARTS` is gone with its widget."""
        owner.parts[part.address] = part

    def get(self, handle: Handle) -> Entry:
        """Raises VmError (LvReferenceError) if it was deleted."""
        entry = self._entries.get(handle.number)
        if entry is None or not entry.alive:
            raise reference_error()
        if entry.kind in _NEXT and not exists(entry.kind, entry.address):
            self.drop(entry)
            raise reference_error()
        return entry

    def deleted_widget(self, address: int) -> Entry | None:
        """The entry of a widget at that address which was deleted within the running request."""
        if address in self._widgets:
            return None
        return next((entry for entry in reversed(self._dying) if entry.address == address), None)

    def drop(self, entry: Entry) -> None:
        """The struct is gone."""
        if not entry.alive:
            return
        entry.alive = False
        self._entries.pop(entry.number, None)
        if self._structs.get((entry.kind, entry.address)) is entry:
            del self._structs[(entry.kind, entry.address)]
        self._release(entry)

    def hold(self, entry: Entry, slot: str, callback: int, adds: bool = False) -> None:
        """LVGL has a callback of the VM for `entry`, in the place of the one before unless it `adds`."""
        if not adds:
            self.let_go(entry, slot)
        entry.slots.setdefault(slot, []).append(callback)

    def let_go(self, entry: Entry, slot: str) -> None:
        """LVGL no longer has what was in that slot."""
        self.release_callbacks(entry.slots.pop(slot, []))

    def release_callbacks(self, callbacks: Sequence[int]) -> None:
        self.forgotten += [callback | CALLBACK_BIT for callback in callbacks]

    def flush(self) -> None:
        """At the end of an outermost request of the VM: forget the widgets that were deleted in it."""
        for entry in self._dying:
            self._entries.pop(entry.number, None)
            self.forgotten.append(entry.number)
            self._release(entry)
        self._dying.clear()

    def clear(self) -> None:
        """LVGL was taken down: nothing exists any more."""
        for entry in list(self._entries.values()):
            entry.alive = False
            self.forgotten.append(entry.number)
            self._release(entry)
        self._entries.clear()
        self._widgets.clear()
        self._structs.clear()
        self._dying.clear()

    def mark(self) -> int:
        """A point in time for `drop_since`."""
        return self._last

    def drop_since(self, mark: int) -> None:
        """Drop what was handed to a callback and is no longer valid after it."""
        if self._last == mark:
            return
        for number in range(mark + 1, self._last + 1):
            entry = self._entries.get(number)
            if entry is not None and entry.kind in PASSING:
                self.drop(entry)

    def _add(self, wrapper: Any, address: int, kind: str) -> Entry:
        self._last += 1
        entry = self._entries[self._last] = Entry(self._last, wrapper, address, kind)
        return entry

    def _release(self, entry: Entry) -> None:
        for callbacks in entry.slots.values():
            self.release_callbacks(callbacks)
        entry.slots.clear()
        entry.keep.clear()
        for part in entry.parts.values():
            self.drop(part)
        entry.parts.clear()

    def _deleted(self, event: int) -> None:
        self.deletions += 1
        entry = self._widgets.pop(lib.lv_event_get_target(event), None)
        if entry is not None:
            entry.alive = False
            detach(entry.wrapper)
            self._dying.append(entry)

    def _sweep_timers(self) -> None:
        """Timers that ended by themselves tell nobody."""
        timers = [entry for (kind, _), entry in self._structs.items() if kind == "timer_t"]
        if len(timers) < self._timers_before_sweep:
            return
        for entry in timers:
            if not exists(entry.kind, entry.address):
                self.drop(entry)
        self._timers_before_sweep = max(64, 2 * len(timers))
