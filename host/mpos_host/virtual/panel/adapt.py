"""Where the panel's binding (LVGL 9.5) and lvgl_micropython's (9.4) differ: what the VM gets instead.

`methods` replaces "class.method" or "lv.function", `functions` adds module functions, `constructors` checks
what a widget's constructor is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mpos_host.virtual.panel import wire
from mpos_host.virtual.panel.events import Events
from mpos_host.virtual.panel.lvgl import find_time_until_next, lv
from mpos_host.virtual.panel.types import Signature
from mpos_host.virtual.panel.values import pointer
from mpos_host.virtual.panel.wire import Callback, Handle, type_error

if TYPE_CHECKING:
    from mpos_host.virtual.panel.calls import Calls

_NONE = b"\0"


class Adaptations:
    def __init__(self, calls: Calls):
        self._calls = calls
        self._objects = calls.objects
        self._values = calls.values
        self.functions: dict[str, Callable[..., Any]] = {"task_handler": lv.timer_handler}
        self.methods: dict[str, Callable[..., bytes]] = {
            "obj.get_user_data": lambda owner: wire.user_data(0),
            "timer_t.get_user_data": self._timer_user_data,
            "anim_t.set_var": self._set_var,
            "dropdown.open": self._dropdown_open,
            "lv.async_call": self._async_call,
            "lv.timer_create": self._timer_create,
            "lv.timer_create_basic": lambda: self._made(lv.timer_create_basic()),
            "lv.init": self._init,
            "lv.deinit": self._deinit,
            "timer_t.set_cb": self._timer_set_cb,
            "timer_t.ready": self._timer_ready,
            "timer_t.set_period": self._timer_set_period,
        }
        self.constructors: dict[str, Callable[[Any, list[Any]], None]] = {"menu_page": _needs_menu}
        self.events = Events(calls)
        self.methods.update(self.events.methods)
        self._time_until_next = find_time_until_next()
        self.on_deinit: Callable[[], None] = lambda: None

    # Timers and animations

    def _timer_create(self, callback: Any, period: Any, data: Any) -> bytes:
        if data is not None:
            raise type_error("lv.timer_create: user_data is None or a dict")
        if type(period) is not int:
            raise type_error("lv.timer_create needs a period in ms")
        if callback is not None and not isinstance(callback, Callback):
            raise type_error("lv.timer_create needs a function")
        timer = lv.timer_create(self._timer_function(callback), period, None)
        entry = self._objects.struct(timer, "timer_t", fresh=True)
        if isinstance(callback, Callback):
            self._objects.hold(entry, "set_cb", callback)
        return self._values.result(timer)

    def _timer_set_cb(self, timer: Handle, callback: Any) -> bytes:
        entry = self._objects.get(timer)
        if callback is not None and not isinstance(callback, Callback):
            raise type_error("timer_t.set_cb needs a function")
        lv.timer_set_cb(entry.wrapper, self._timer_function(callback))
        if isinstance(callback, Callback):
            self._objects.hold(entry, "set_cb", callback)
        return _NONE

    def _timer_ready(self, timer: Handle) -> bytes:
        until = self._time_until_next.value
        lv.timer_ready(self._objects.get(timer).wrapper)
        self._time_until_next.value = until
        return _NONE

    def _timer_set_period(self, timer: Handle, period: int) -> bytes:
        if type(period) is not int:
            raise type_error("timer_t.set_period needs a period in ms")
        until = self._time_until_next.value
        lv.timer_set_period(self._objects.get(timer).wrapper, period)
        self._time_until_next.value = until
        return _NONE

    def _timer_function(self, callback: Callback | None) -> Callable[..., Any]:
        if callback is None:
            return _nothing
        return self._calls.callback(callback, Signature(("timer_t",), "None"), "timer")

    def _timer_user_data(self, timer: Handle) -> bytes:
        held = self._objects.get(timer).slots.get("set_cb")
        return wire.user_data(held[0] if held else 0)

    def _set_var(self, animation: Any, target: Any) -> bytes:
        where = "anim_t.set_var"
        wrapper = self._values.argument(target, "Any", where, []) if target is not None else None
        if not isinstance(animation, wire.Value):
            raise type_error(f"{where}: the animation has started already")
        self._calls.animations.set_var(animation, pointer(wrapper))
        return _NONE

    def _async_call(self, callback: Any, data: Any) -> bytes:
        if not isinstance(callback, Callback):
            raise type_error("lv.async_call needs a function")
        if data is not None:
            raise type_error("lv.async_call: user_data is None or a dict")

        def run(_: Any) -> None:
            self._calls.ask(callback, None, (UserData(callback),), "None", "async")
            self._objects.release_callbacks([callback])

        return wire.scalar(lv.async_call(run, None))

    def _dropdown_open(self, dropdown: Handle) -> bytes:
        """LVGL 9.5 hangs when a list is opened that has not been laid out."""
        wrapper = self._objects.get(dropdown).wrapper
        if not isinstance(wrapper, lv.dropdown):
            raise type_error("dropdown.open needs a dropdown")
        wrapper.update_layout()
        wrapper.open()
        return _NONE

    # LVGL as a whole

    def _init(self) -> bytes:
        if not lv.is_initialized():
            lv.init()
        return _NONE

    def _deinit(self) -> bytes:
        if lv.is_initialized():
            self.on_deinit()
            self._objects.clear()
            lv.deinit()
        return _NONE

    def _made(self, struct: Any) -> bytes:
        return self._values.result(struct, fresh=True)


class UserData:
    """Stands for a callback's user data, which the VM has."""

    def __init__(self, callback: int):
        self.callback = callback


def _nothing(*_: Any) -> None:
    """A callback that was given as None."""


def _needs_menu(parent: Any, more: list[Any]) -> None:
    if len(more) != 1 or not isinstance(more[0], (str, type(None))):
        raise type_error("lv.menu_page takes a menu and a title, which may be None")
    if parent is None or not parent.has_class(lv.menu_class):
        raise type_error("lv.menu_page: the parent is a menu")
