"""Parking: where one task waits, outside every queue, until it is woken. No wait and no wake allocates.

It is `asyncio.Event` for exactly one waiter, without the event's state: a wake that finds nobody parked is
remembered, so that none is lost.
"""

from asyncio import core


class Parking:
    """`await parking` suspends the current task until `wake()`."""

    def __init__(self):
        self.task = None
        self._woken = False
        self._parked = False
        self._end = StopIteration()

    def __iter__(self):
        return self

    def __next__(self):
        if self._parked or self._woken:
            self._parked = self._woken = False
            self._end.__traceback__ = None
            raise self._end
        self._parked = True
        task = core.cur_task
        self.task = task
        task.data = self  # Task.cancel() looks here for whom to ask with remove().

    def wake(self):
        """Let the parked task run on, or the next `await` return at once. Only from the loop's thread."""
        # First of all: should a Ctrl-C come at the branch, `repair` sees that the task waits no more.
        self._woken = True
        task = self.task
        if task is not None:
            self.task = None
            self._woken = False
            core._task_queue.push(task)

    def holds(self, task):
        """Whether `task` waits here and nobody has called `wake()`."""
        return self.task is task and not self._woken

    def remove(self, task):
        """asyncio calls this to cancel the parked task."""
        self.task = None
        self._parked = False
