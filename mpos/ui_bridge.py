"""UiBridge: the door into the UI for whatever is not a coroutine on the loop.

Threads and interrupts may touch neither LVGL nor asyncio; they `post`. Blocking work that cannot be made
non-blocking goes into a thread with `run_in_thread`. Values that change faster than the screen are set with
`set_text` and its like, which draw the last one. LVGL's events come out through `on` and `next_event`.
"""

import _thread
import time

import lvgl as lv
from micropython import const

from .loop.parking import Parking
from .task_manager import TaskManager
from .ui.callbacks import guarded

_THREADS = const(4)


class UiBridge:
    """All methods are class methods, and need no set-up."""

    _lock = _thread.allocate_lock()
    _pending = {}  # (id of the widget, setter): (number, widget, setter, values)
    _number = 0  # Of the last value: a dictionary does not keep their order.
    _asked = False  # Whether the loop has been asked to set what is pending.
    _threads = 0
    _waiting = []

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

    @classmethod
    async def run_in_thread(cls, function, *arguments):
        """Run a blocking function in a thread of its own; `await` gives its result or raises what it raised.

        At most 4 run at the same time, further ones wait for their turn. `function` may touch neither LVGL
        nor asyncio; it can `UiBridge.post`. Cancelling the waiting task does not stop the thread: its result
        is dropped when it comes.
        """
        turn = Parking()
        job = _Job(function, arguments)
        try:
            while cls._threads >= _THREADS:
                cls._waiting.append(turn)
                await turn
            cls._threads += 1
            job.has_place = True
            _thread.stack_size(TaskManager.good_stack_size())
            _thread.start_new_thread(job.run, ())
            job.is_started = True
        except BaseException:
            if turn in cls._waiting:
                cls._waiting.remove(turn)
            if not job.is_started:
                job.leave_place()  # If it was our turn already, it is the next one's.
            raise
        await job.end
        if job.error is not None:
            raise job.error
        return job.result

    @classmethod
    def _wake_next(cls):
        if cls._waiting:
            cls._waiting[0].wake()
            cls._waiting.pop(0)

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

    @classmethod
    def set(cls, widget, setter, *values):
        """Call the method named `setter` in the manner of `set_text`: for any widget, any setter.

        Different setters are called in the order in which their last values were given.
        """
        key = (id(widget), setter)
        try:
            with cls._lock:
                cls._number = number = cls._number + 1
                cls._pending[key] = (number, widget, setter, values)
                asked = cls._asked
                cls._asked = True
            if not asked:
                TaskManager.post(_surely, cls._request_frame)
        except BaseException:
            cls._asked = False  # A full inbox, or a Ctrl-C: the next to set a value asks again.
            raise

    @classmethod
    def _request_frame(cls):
        loop = TaskManager.lvgl_loop()
        if loop is None:
            cls._set_pending()
        else:
            loop.before_frame(cls._set_pending)

    @classmethod
    def _set_pending(cls):
        with cls._lock:
            cls._asked = False
            pending = cls._pending
            cls._pending = {}
        try:
            for _, widget, setter, values in sorted(pending.values()):
                try:
                    getattr(widget, setter)(*values)
                except lv.LvReferenceError:
                    pass  # Deleted meanwhile: there is nothing left to show it on.
                except Exception as error:
                    TaskManager.report(error, "UiBridge could not call %s%r" % (setter, values), setter)
        except (KeyboardInterrupt, MemoryError):  # What is set already is set once more.
            with cls._lock:
                pending.update(cls._pending)
                cls._pending = pending
            cls._request_frame()
            raise

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


def _surely(function):
    """Call `function`, and once more from its beginning when a Ctrl-C ends it, which then goes on its way."""
    try:
        function()
    except KeyboardInterrupt:
        function()
        raise


def _name(function, otherwise):
    return getattr(function, "__name__", otherwise)


class Subscription:
    """A handler on a widget's event, as `UiBridge.on` registered it."""

    def __init__(self, widget, event, handler, create_task=TaskManager.create_task):
        self._widget = widget
        callback = guarded(lambda raw: _handle(handler, raw), _name(handler, "event handler"), create_task)
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


class _Job:
    """One function in a thread, and its outcome. `has_place`: it counts among those that may run."""

    def __init__(self, function, arguments):
        self.result = None
        self.error = None
        self.has_place = False
        self.is_started = False
        self.end = Parking()
        self._function = function
        self._arguments = arguments

    def run(self):
        try:
            self.result = self._function(*self._arguments)
        except BaseException as error:
            self.error = error
        while True:
            try:
                TaskManager.post(_surely, self._finish)
                return
            except (RuntimeError, MemoryError):
                time.sleep_ms(2)  # The inbox or the heap is full; this thread has nothing else to do.

    def leave_place(self):
        """Let the next one run."""
        if self.has_place:
            self.has_place = False
            UiBridge._threads -= 1
        UiBridge._wake_next()

    def _finish(self):
        self.end.wake()
        self.leave_place()
