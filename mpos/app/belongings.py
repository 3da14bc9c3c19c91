"""Belongings: what an activity has begun and what has to end with it: tasks, timers, animations, handlers."""

from micropython import const

from ..loop.runner import runner
from ..loop.tasks import current_task
from ..task_manager import TaskManager
from ..ui.timers import OwnedAnimation, OwnedTimer
from ..ui_bridge import UiBridge

_FIRST_PRUNING = const(16)


class Belongings:
    """Of one activity, from its creation to its end. `name` is the activity's, for the log."""

    def __init__(self, name):
        self.is_over = False
        self._name = name
        self._tasks = []
        self._others = []  # What has an end(), and is_over() for when it has ended by itself.
        self._prune_at = _FIRST_PRUNING
        self._while_resumed = []
        self._resumed = False

    def create_task(self, coroutine, name=None):
        """`TaskManager.create_task`; after the end None, with the coroutine closed and a line in the log."""
        if self.is_over:
            if hasattr(coroutine, "close"):
                coroutine.close()
            print(
                "%s has finished: its task '%s' is not started"
                % (self._name, coroutine if name is None else name)
            )
            return None
        task = TaskManager.create_task(coroutine, name)
        if task is not None:
            self._tasks = [one for one in self._tasks if not one.done()]
            self._tasks.append(task)
        return task

    def owns(self, task):
        """Whether `task` is one of the activity's."""
        return task in self._tasks

    def create_while_resumed(self, function, name):
        """Run `function()`, a coroutine function, whenever the activity is in the foreground."""
        if not callable(function):
            raise TypeError(
                "while_resumed needs the async function itself, to call it anew: %r" % (function,)
            )
        one = _WhileResumed(self, function, name)
        self._while_resumed.append(one)
        if self._resumed:
            one.start()

    def on(self, widget, event, handler):
        """`UiBridge.on`; tasks of a coroutine handler belong to the activity as well."""
        return self._add(UiBridge.on(widget, event, handler, self.create_task))

    def timer(self, handler, period_ms, repeat):
        """An OwnedTimer."""
        return self._add(OwnedTimer(handler, period_ms, repeat, self.create_task))

    def animate(self, widget, apply, start, end, duration_ms, on_end):
        """`UiBridge.animate` that ends with the activity."""
        one = OwnedAnimation(apply, on_end)
        animation = UiBridge.animate(widget, one.apply, start, end, duration_ms, one.finish)
        self._add(one)
        return animation

    def resume(self):
        """The activity has come to the foreground."""
        self._resumed = True
        for one in self._while_resumed:
            one.start()

    def pause(self):
        """The activity has lost the foreground."""
        self._resumed = False
        for one in self._while_resumed:
            one.stop()

    def cancel_tasks(self):
        """Cancel all tasks but the one that calls this."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            if task is current_task():
                self._tasks.append(task)
            elif not task.done():
                task.cancel()

    def end(self):
        """End everything; returns the tasks that have not ended yet.

        A task that calls this ends at its next `await`.
        """
        self.is_over = True
        self._while_resumed.clear()
        others, self._others = self._others, []
        for one in others:
            one.end()
        left = [task for task in self._tasks if not task.done()]
        self._tasks = []
        for task in left:
            runner.end_task(task)
        return left

    def _add(self, one):
        if self.is_over:
            one.end()
            print("%s has finished: nothing of it begins any more" % self._name)
            return one
        self._others.append(one)
        if len(self._others) >= self._prune_at:
            self._others = [one for one in self._others if not one.is_over()]
            self._prune_at = max(_FIRST_PRUNING, 2 * len(self._others))
        return one


class _WhileResumed:
    """A coroutine function that runs while the activity is in the foreground, anew each time."""

    def __init__(self, belongings, function, name):
        self._belongings = belongings
        self._function = function
        self._name = name or getattr(function, "__name__", "while_resumed")
        self._task = None

    def start(self):
        task = self._task
        if task is None or task.done():
            self._task = self._belongings.create_task(self._function(), self._name)
        else:
            self._task = self._belongings.create_task(self._after(task), self._name)

    async def _after(self, before):
        """Run when the one of the last time, which was cancelled, has come to its end."""
        while not before.done():
            try:
                await before
            except TaskManager.CancelledError:
                if not before.done():
                    raise  # This one was cancelled.
            except Exception as error:
                TaskManager.report(error, "Task '{}' failed", self._name)
        await self._function()

    def stop(self):
        task = self._task
        if task is not None and not task.done() and task is not current_task():
            task.cancel()
