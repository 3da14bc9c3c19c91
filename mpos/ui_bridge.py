"""UiBridge: the door into the UI for whatever is not a coroutine on the loop.

Threads and interrupts may touch neither LVGL nor asyncio; they `post`. Blocking work that cannot be made
non-blocking goes into a thread with `run_in_thread`. Values that change faster than the screen are set with
`set_text` and its like, which draw the last one. LVGL's events come out through `on` and `next_event`.
"""

import lvgl as lv

from .task_manager import TaskManager
from .ui.callbacks import guarded
from .ui.events import Subscription
from .ui.latest_values import set_latest


class UiBridge:
    """All methods are class methods, and need no set-up."""

    # -- From threads and interrupts

    @staticmethod
    def post(function, *arguments):
        """Have the loop call `function(*arguments)` before the next frame, and wake it. Safe from a thread
        and from a scheduled interrupt (in a hard one, `micropython.schedule` a function that posts).

        Each call is made exactly once, in the order of posting; what it raises is reported. Raises
        RuntimeError, and posts nothing, when 128 calls wait already.
        """
        TaskManager.post(function, *arguments)

    # -- Blocking work

    @staticmethod
    async def run_in_thread(function, *arguments):
        """Run a blocking function in a thread of its own; `await` gives its result or raises what it raised.

        At most 4 run at the same time, further ones wait for their turn. `function` may touch neither LVGL
        nor asyncio; it can `UiBridge.post`. Cancelling the waiting task does not stop the thread: its result
        is dropped when it comes.
        """
        from .loop.threads import run_in_thread

        return await run_in_thread(function, *arguments)

    # -- Values that change faster than the screen

    @classmethod
    def set_text(cls, label, text):
        """`label.set_text(text)` before the next frame; of several in between only the last is set. Safe from
        a thread. A widget that has been deleted by then is skipped."""
        cls.set(label, "set_text", text)

    @classmethod
    def set_value(cls, widget, value, animate=False):
        """`widget.set_value(value, animate)` (bar, slider, arc) in the manner of `set_text`."""
        cls.set(widget, "set_value", value, animate)

    @staticmethod
    def set(widget, setter, *values):
        """Call the method named `setter` in the manner of `set_text`: for any widget, any setter.

        Different setters are called in the order in which their last values were given.
        """
        set_latest(widget, setter, *values)

    # -- Events

    @staticmethod
    def on(widget, event, handler, create_task=TaskManager.create_task):
        """Call `handler(e)` on each `event` (`lv.EVENT.CLICKED`) of `widget`; returns a Subscription.

        `handler` may be a coroutine function: each event then starts a task. What it raises is reported and
        never gets into LVGL. `e` is an `Event`. `create_task` is who starts the tasks; `Activity.on` has them
        belong to the activity.
        """
        return Subscription(widget, event, handler, create_task)

    @staticmethod
    def next_event(widget, event):
        """`await` the next `event` of `widget`: a dialogue then reads from top to bottom.

        Gives a KeptEvent (`mpos.ui.event_stream`). Raises `lv.LvReferenceError` when the widget is deleted
        meanwhile.
        """
        from .ui.event_stream import next_event

        return next_event(widget, event)

    @staticmethod
    def events(widget, event, keep_all=False):
        """`async for e in UiBridge.events(widget, event)`: each is a KeptEvent, until the widget is deleted.

        Of the events that happen while the loop's body runs, the latest is kept; with `keep_all` all are.
        """
        from .ui.event_stream import EventStream

        return EventStream(widget, event, keep_all)

    @staticmethod
    def timer(handler, period_ms, repeat=-1):
        """An LVGL timer that calls `handler(timer)` every `period_ms` ms, `repeat` times (-1: for ever).

        Returns the `lv.timer_t`. `handler` is as in `on`.
        """
        timer = lv.timer_create(guarded(handler, _name(handler, "timer")), period_ms, None)
        timer.set_repeat_count(repeat)
        return timer

    @staticmethod
    def animate(widget, apply, start, end, duration_ms, on_end=None):
        """Call `apply(widget, value)` once a frame for `duration_ms`, with values from `start` to `end`.

        It ends early with `lv.anim_delete(widget, None)`, which ends all animations of the widget, and when
        the widget is deleted. `on_end()` is called at the end, or not when it ended early.
        """
        animation = lv.anim_t()
        animation.init()
        animation.set_var(widget)
        animation.set_values(start, end)
        animation.set_duration(duration_ms)
        animation.set_custom_exec_cb(
            guarded(lambda _, value: apply(widget, value), _name(apply, "animation"))
        )
        if on_end is not None:
            animation.set_completed_cb(guarded(lambda _: on_end(), _name(on_end, "end of animation")))
        return animation.start()


def _name(function, otherwise):
    return getattr(function, "__name__", otherwise)
