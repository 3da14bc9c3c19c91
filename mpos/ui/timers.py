"""OwnedTimer and OwnedAnimation: an LVGL timer and an animation that somebody else can end at any time.

LVGL frees a timer after its last repeat and an animation at its end, and whoever deletes one then deletes
something else's memory. These know when theirs is gone.
"""

import lvgl as lv

from .callbacks import guarded


class OwnedTimer:
    """Calls `handler(timer)` every `period_ms` ms, `repeat` times (-1: for ever). Has all of `lv.timer_t`."""

    def __init__(self, handler, period_ms, repeat, create_task):
        self._left = repeat
        self._handler = guarded(handler, getattr(handler, "__name__", "timer"), create_task)
        self._timer = lv.timer_create(guarded(self._fire, "timer"), period_ms, None)

    def _fire(self, _):
        if self._left > 0:
            self._left -= 1
        last = self._left == 0
        if self._handler is not None:
            self._handler(self)
        if last and self._left == 0:
            self.end()

    def set_repeat_count(self, repeat):
        """How many times it still fires; -1: for ever."""
        self._left = repeat
        if repeat == 0:
            self.end()

    def delete(self):
        """End it. Does nothing when it has ended."""
        self.end()

    def end(self):
        """End it. Does nothing when it has ended."""
        timer, self._timer = self._timer, None
        self._handler = None
        if timer is not None:
            timer.delete()

    def is_over(self):
        """Whether it has ended."""
        return self._timer is None

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        if self._timer is None:
            return _nothing
        return getattr(self._timer, name)


class OwnedAnimation:
    """The two functions of an animation, until it ends: then they are called no more, and kept no longer."""

    def __init__(self, apply, on_end):
        self._apply = apply
        self._on_end = on_end

    def apply(self, widget, value):
        """Hand a value on."""
        if self._apply is not None:
            return self._apply(widget, value)

    def finish(self):
        """The animation has come to its end."""
        on_end = self._on_end
        self.end()
        if on_end is not None:
            return on_end()

    def end(self):
        """Have nothing more be called."""
        self._apply = self._on_end = None

    def is_over(self):
        """Whether it has ended."""
        return self._apply is None


def _nothing(*_):
    pass
