"""Parking: where one task waits, for a time or without limit, until it is woken. Nothing of it allocates."""

from asyncio import core


def hurry(task):
    """Have `task`, which is in the loop's queue, run before all others that are due, if it is due itself."""
    now = core.ticks()
    queue = core._task_queue
    if core.ticks_diff(task.ph_key, now) <= 0 and queue.peek() is not task:
        queue.remove(task)
        first = queue.peek()
        key = now if first is None else core.ticks_add(first.ph_key, -1)
        queue.push(task, key if core.ticks_diff(key, now) < 0 else now)


class Parking:
    """`await parking` suspends the current task until `wake()`, `await parking.sleep_ms(ms)` for `ms` at
    most.

    A wake that finds nobody parked is remembered, and the next `await` returns at once. One task may wait at
    a time.
    """

    def __init__(self):
        self.task = None  # The one that is parked.
        self.woken = False  # Whether a wake is remembered. Set it to False to forget it.
        self.timed_out = False  # Whether the last sleep ended by its time.
        self._queued = None  # The task, while it is in the loop's queue: it sleeps, or was woken.
        self._waits = False
        self._ms = -1  # Of the sleep that is about to begin; -1: without limit.
        self._end = StopIteration()
        try:
            raise self._end  # Its traceback has its memory from now on.
        except StopIteration:
            pass

    def sleep_ms(self, milliseconds):
        """`await` what this returns, at once, to park for so long at most (int, less than 2 ** 29)."""
        self._ms = milliseconds
        return self

    def __iter__(self):
        self._waits = False
        return self

    def __next__(self):
        if self._waits:
            self._waits = False
            self.timed_out = self.task is not None
            self.task = self._queued = None
        elif self.woken:
            self.woken = self.timed_out = False
            self._ms = -1
        else:
            self._waits = True
            task = self.task = core.cur_task
            milliseconds = self._ms
            if milliseconds >= 0:
                self._ms = -1
                self._queued = task
                core._task_queue.push(task, core.ticks_add(core.ticks(), milliseconds))
            else:
                task.data = self  # Task.cancel() looks here for whom to ask with remove().
            return None
        self._end.__traceback__ = None
        raise self._end

    def throw(self, error):
        """Called when an exception, such as a cancellation, ends the wait."""
        self._waits = False
        self.task = self._queued = None
        raise error

    def wake(self):
        """Let the parked task run on, or the next `await` return at once. Only from the loop's thread."""
        task = self.task
        if task is None:
            self.woken = True
        elif self._queued is None:
            self.task = None
            self._queued = task
            core._task_queue.push(task)
        elif task.data is None:  # Else it is being cancelled, and queueing it anew would lose that.
            self.task = None
            core._task_queue.remove(task)
            core._task_queue.push(task)

    def hurry(self):
        """Have the task run before all others that are due, if it was woken or its time has come."""
        task = self._queued
        if task is not None and task.data is None:
            hurry(task)

    def remove(self, task):
        """asyncio calls this to cancel the parked task."""
        self.task = None
