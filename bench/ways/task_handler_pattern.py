"""The pattern of lvgl_micropython's TaskHandler for boards without it: a periodic interrupt drives LVGL.

A thread plays the hardware timer. Its scheduled callback advances LVGL's clock by the period and schedules
the handler, which advances it by the time that passed, and so counts the time twice, as the original does.
"""

import _thread
import time
from time import ticks_diff, ticks_ms

import lvgl as lv
import micropython

TASK_HANDLER_STARTED = 1


class TaskHandler:
    """Calls LVGL's handler every `duration` ms, between any two instructions of whatever runs."""

    _in_lvgl = False

    def __init__(self, duration):
        self.duration = duration
        self._callbacks = []
        self._scheduled = 0
        self._last = ticks_ms()
        self._on_timer_ref = self._on_timer
        self._handle_ref = self._handle
        self._active = True
        _thread.start_new_thread(self._timer, ())

    @classmethod
    def undisturbed(cls, function, *arguments):
        """Call into LVGL from a coroutine. The virtual board's LVGL is reached over a socket, and an
        interrupt in the middle of that may not use it: on a real board such a call is one instruction."""
        cls._in_lvgl = True
        try:
            return function(*arguments)
        finally:
            cls._in_lvgl = False

    def add_event_cb(self, callback, event):
        self._callbacks.append(callback)

    def deinit(self):
        self._active = False

    def _timer(self):
        while self._active:
            time.sleep_ms(self.duration)
            try:
                micropython.schedule(self._on_timer_ref, None)
            except RuntimeError:
                pass  # The queue is full: a real timer's interrupt is lost then, too.

    def _on_timer(self, _):
        lv.tick_inc(self.duration)
        if self._scheduled < 2:
            try:
                micropython.schedule(self._handle_ref, None)
                self._scheduled += 1
            except RuntimeError:
                pass

    def _handle(self, _):
        self._scheduled -= 1
        if self._in_lvgl:
            return
        for callback in self._callbacks:
            callback(TASK_HANDLER_STARTED, None)
        now = ticks_ms()
        lv.tick_inc(ticks_diff(now, self._last))
        self._last = now
        lv.timer_handler()
