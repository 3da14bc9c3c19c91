"""Subscription: a handler on a widget's event that can be taken off again; Event: what it gets."""

import lvgl as lv

from ..loop.runner import runner
from .callbacks import guarded


class Subscription:
    """A handler on a widget's event, as `UiBridge.on` registered it."""

    def __init__(self, widget, event, handler, create_task=runner.create_task):
        self._widget = widget
        callback = guarded(
            lambda raw: _handle(handler, raw), getattr(handler, "__name__", "event handler"), create_task
        )
        self._descriptor = widget.add_event_cb(callback, event, None)

    def remove(self):
        """Stop calling the handler. Does nothing when the widget is gone or it was removed before."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            try:
                # Not by the callback: the binding has LVGL call one function of its own for all of them.
                self._widget.remove_event_dsc(descriptor)
            except lv.LvReferenceError:
                pass

    end = remove

    def is_over(self):
        """Whether it was removed, or its widget is gone."""
        if self._descriptor is None:
            return True
        try:
            self._widget.get_parent()
            return False
        except lv.LvReferenceError:
            return True


class Event:
    """LVGL's event as a handler gets it: all of `lv.event_t`, for as long as LVGL's own exists.

    LVGL's own is gone when the callback returns, and touching it then reads memory that belongs to something
    else. A coroutine handler runs after that: it still has `get_code()`, `get_target_obj()` and
    `get_current_target_obj()`, and a clear error for the rest.
    """

    def __init__(self, raw):
        self._raw = raw

    def __getattr__(self, name):
        raw = self._raw
        if raw is None:
            raise RuntimeError(
                "the event is over: e.%s() is for a handler that is no coroutine function" % name
            )
        return getattr(raw, name)

    def outlive(self):
        """Keep what a coroutine handler may ask for."""
        raw = self._raw
        code, target, current = raw.get_code(), raw.get_target_obj(), raw.get_current_target_obj()
        self.get_code = lambda: code
        self.get_target_obj = lambda: target
        self.get_current_target_obj = lambda: current


def _handle(handler, raw):
    event = Event(raw)
    try:
        result = handler(event)
        if result is not None and hasattr(result, "send"):
            event.outlive()
        return result
    finally:
        event._raw = None
