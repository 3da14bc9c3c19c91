"""TaskRecord: what the TaskManager knows of one task.

A record stands in the coroutine's place inside asyncio's Task, so that it sees each step: it counts it, times
it, notices the task's end, and turns a Ctrl-C that lands in a step into an end that asyncio understands.
"""

from asyncio import core
from time import ticks_diff, ticks_ms, ticks_us

from micropython import const

_SECOND_US = const(1000000)


class TaskInterrupted(Exception):
    """A Ctrl-C landed in a step of this task and ended it; whoever awaits the task gets this."""


class TaskRecord:
    """One task: its coroutine, name and figures.

    `observer` has `on_end(record)`, `on_interrupt(name)` and `on_slow_step(record, ms)`.
    """

    # For all records, set by the TaskManager: who is told, and from which length on a step is reported.
    observer = None
    slow_us = 50000

    def __init__(self, coroutine, name):
        self.coroutine = coroutine
        self.born = ticks_ms()
        # What the coroutine ended with: StopIteration, CancelledError or another exception. None: it goes on.
        self.outcome = None
        if name is not None:
            self.name = name

    # What was not given, or nobody has counted yet, costs neither memory nor time.
    name = None
    task = None
    steps = 0
    busy_us = 0
    busy_s = 0
    longest_us = 999  # Lists show ms.

    # A function of more than 11 words of locals, stack and `try` has its frame on the heap, and a free of it
    # at the end of each step makes the collector search all of the heap at the next allocation: a download
    # took three times as long. `with` has what `try` with `except as` has, in less.

    def send(self, value):
        """Run the task's next step. asyncio calls this."""
        with self:
            return self.coroutine.send(value)

    def throw(self, error):
        """Run the task's next step with an exception in it. asyncio calls this."""
        if self.outcome is not None:
            raise StopIteration  # It has ended: this is how asyncio gets to reporting what it raised.
        with self:
            return self.coroutine.throw(error)

    __enter__ = staticmethod(ticks_us)  # Any function that costs nothing.

    def __exit__(self, kind, error, traceback):
        # First of all, and without a branch, where a Ctrl-C could be raised: without the note the coroutine
        # would seem to go on, and to return None in the end.
        self.outcome = error
        if error is not None:
            self._end(error)

    def _end(self, error):
        self.observer.on_end(self)
        if isinstance(error, (Exception, core.CancelledError, SystemExit)):
            return
        # asyncio lets all others through and leaves the task dead but not done: its waiters would hang.
        if isinstance(error, KeyboardInterrupt):
            self.observer.on_interrupt(self.title())
            raise self.interruption()
        raise RuntimeError("task '%s' ended with %r" % (self.title(), error))

    def interruption(self):
        """What whoever awaits the task gets when a Ctrl-C, or SystemExit in it, has ended it."""
        what = "SystemExit came" if isinstance(self.outcome, SystemExit) else "Ctrl-C landed"
        return TaskInterrupted("%s in task '%s' and ended it" % (what, self.title()))

    def title(self):
        """The task's name; where none was given, that of its function."""
        if self.name is None:
            # A coroutine tells it in its repr only: <generator object 'work' at 7f83a4ae75a0>
            parts = repr(self.coroutine).split("'")
            self.name = parts[1] if len(parts) > 2 else "task"
        return str(self.name)

    def age_ms(self):
        """ms since the task was created; right for the first 6 days (half the range of `ticks_ms`)."""
        return ticks_diff(ticks_ms(), self.born)

    def busy_ms(self):
        """ms that the task's steps took together."""
        return self.busy_s * 1000 + self.busy_us // 1000

    def state(self):
        """ "running", "ready", "sleeping", "waiting" or "done"."""
        task = self.task
        if task.done():
            return "done"
        if task is core.cur_task:
            return "running"
        if task.data is not None:
            return "waiting"
        return "sleeping" if ticks_diff(task.ph_key, core.ticks()) > 0 else "ready"


class TimedTaskRecord(TaskRecord):
    """A record that also counts the task's steps and the time they take."""

    began = 0  # The step that runs, in us: one for all, as only one runs at a time.

    def __init__(self, coroutine, name):
        super().__init__(coroutine, name)
        # All that a step sets is there before: a MemoryError after a step in which the coroutine began to
        # wait would seem to asyncio to be the task's, which it then queues once more.
        self.steps = self.busy_us = 0

    def send(self, value):
        with self as TimedTaskRecord.began:
            return self.coroutine.send(value)

    def throw(self, error):
        if self.outcome is not None:
            raise StopIteration
        with self as TimedTaskRecord.began:
            return self.coroutine.throw(error)

    def __exit__(self, kind, error, traceback):
        self.outcome = error  # First of all, as above.
        took = ticks_diff(ticks_us(), TimedTaskRecord.began)
        self.steps += 1
        busy = self.busy_us + took
        # Two small integers, since one in us would need the heap after 18 minutes on a 32-bit board.
        if busy >= _SECOND_US:
            busy = self._carry(busy)
        self.busy_us = busy
        if took > self.longest_us:
            self._note_longest(took)
        if error is not None:
            self._end(error)

    def _carry(self, busy):
        try:
            self.busy_s += busy // _SECOND_US
        except MemoryError:
            pass
        return busy % _SECOND_US

    def _note_longest(self, took):
        try:
            self.longest_us = took
            if took > self.slow_us:
                self.observer.on_slow_step(self, took // 1000)
        except MemoryError:
            pass
