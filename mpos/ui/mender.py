"""Mender: what the loop does after an exception of a raw callback has jumped out through LVGL's C code.

Which of these it is depends on the binding:
- it contains exceptions: none ever comes here;
- its state can be found (lvgl_state): it is put right, and everything goes on;
- else LVGL's record of running events may be wrong, as it is after an event callback, and then the next
  deletion crashes: no screen is deleted any more (`untrusted`), and the user is offered to start the activity
  again, with a new screen;
- if besides LVGL's timer handler never runs again, as after a timer or an animation, the loop drives
  animations, drawing and inputs by hand (`wedged`).
"""

import lvgl as lv

from ..loop.errors import describe
from ..task_manager import TaskManager


class Mender:
    """`on_failure(title, error)`, if set, shows the user what happened; it must not raise."""

    def __init__(self):
        self.wedged = False
        self.untrusted = False
        self.mended = 0
        self.on_failure = None
        self._state = None
        self._searched = False
        self._last = None

    def check(self):
        """Asked before each turn, where LVGL is in the middle of nothing: an exception that went through it
        into a task, which caught it, is noticed here. No heap is used."""
        state = self._state
        if state is not None and state.is_damaged():
            state.mend()
            self.mended += 1

    def after(self, error, what):
        """An exception has come out of LVGL: report it, and put right what it left behind."""
        if not self._searched:
            self._searched = True
            from .lvgl_state import find

            self._state = find()
        if self._state is not None:
            self.check()
        elif not self.wedged and not _handler_works():
            self.wedged = True
            print("LVGL's timers no longer run: a callback raised inside one. Drawing and inputs go on.")
        if self._state is None and not isinstance(error, KeyboardInterrupt):
            self.untrusted = True
        if not isinstance(error, SystemExit):  # That leaves the loop.
            self._report(error, what)

    def acknowledge(self):
        """The user has closed the message: the same failure is told again from now on."""
        self._last = None

    def _report(self, error, what):
        kind = (type(error), describe(error))
        if kind == self._last:
            return  # A callback that fails in each frame is told once.
        self._last = kind
        TaskManager.report(error, what, "lvgl")
        if self.on_failure is not None and not isinstance(error, KeyboardInterrupt):
            self.on_failure(what, error)


def _handler_works():
    """Whether LVGL's timer handler still runs timers: one of our own tells."""
    ran = []

    def probe(timer):
        ran.append(True)
        timer.delete()

    timer = lv.timer_create(probe, 0, None)
    timer.ready()
    try:
        lv.timer_handler()
    except Exception as error:
        TaskManager.report(error, "A callback failed inside LVGL's timer handler", "lvgl")
    if not ran:
        timer.delete()
    return bool(ran)
