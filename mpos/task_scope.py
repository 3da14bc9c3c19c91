"""TaskScope: tasks that end before the block that started them does, with every error told; a bounded map.

The rules are those of trio's nurseries and asyncio's TaskGroup. MicroPython has no exception groups: of
several errors the first is raised and the others are reported.
"""

from asyncio import CancelledError

from .loop.parking import Parking
from .loop.tasks import current_task
from .task_manager import TaskManager


class TaskScope:
    """`async with TaskScope() as scope:` and `scope.create_task(coroutine)` in it.

    The block ends when its tasks have ended. The ways out are:
    - all tasks and the block return: it goes on behind the block;
    - a task fails: the block and the other tasks are cancelled, and when all have ended the error is raised;
    - the block fails or is cancelled: the tasks are cancelled, and when all have ended, its error goes on.
    Errors of further tasks are reported as those of any task are. A task that is cancelled is no failure.
    """

    def __init__(self):
        self._children = set()
        self._end = Parking()
        self._owner = None
        self._error = None
        self._closed = False
        self._leaving = False  # The block has ended.
        self._interrupting = False  # The block was cancelled by a task's failure.

    def create_task(self, coroutine, name=None):
        """Start `coroutine` as a task of the scope; returns it. RuntimeError when the scope has ended."""
        if self._closed or self._owner is None:
            if hasattr(coroutine, "close"):
                coroutine.close()
            raise RuntimeError("the scope has ended or not begun: use it in its `async with` block")
        if not hasattr(coroutine, "send"):
            raise TypeError("a coroutine is needed: %r" % (coroutine,))
        child = _Child(self, coroutine)
        child.task = TaskManager.create_task(child, name)
        if child.task is not None:
            self._children.add(child)
            if self._error is not None:
                child.task.cancel()
        return child.task

    def cancel(self):
        """Cancel all tasks of the scope; the block itself goes on."""
        for child in list(self._children):
            if child.task is not current_task():
                child.task.cancel()

    async def __aenter__(self):
        if self._owner is not None:
            raise RuntimeError("a TaskScope is for one block: make another one")
        self._owner = current_task()
        return self

    async def __aexit__(self, kind, error, traceback):
        self._leaving = True
        cancelled = False
        if error is not None:
            self.cancel()
        while self._children:
            try:
                await self._end
            except CancelledError:
                cancelled = True
                self.cancel()
        self._closed = True
        first, self._error = self._error, None
        if first is not None:
            by_us = self._interrupting and isinstance(error, CancelledError)
            if not cancelled and (error is None or by_us):
                raise first
            TaskManager.report(first, "A task of a scope failed", "scope")
        if cancelled:
            raise CancelledError

    def ended(self, child, error):
        """A task has ended, with `error` or None. Returns whether the scope takes care of the error."""
        self._children.discard(child)
        taken = error is not None and self._error is None and not self._closed
        if taken:
            self._error = error
            self.cancel()
            if not self._leaving:
                self._interrupting = True
                self._owner.cancel()
        if not self._children:
            self._end.wake()
        return taken


class _Child:
    """Stands in a coroutine's place to see its end, also of one that is cancelled before its first step."""

    def __init__(self, scope, coroutine):
        self.task = None
        self._scope = scope
        self._coroutine = coroutine

    def __repr__(self):
        return repr(self._coroutine)  # It has the function's name.

    def send(self, value):
        return self._step(self._coroutine.send, value)

    def throw(self, error):
        return self._step(self._coroutine.throw, error)

    def close(self):
        self._coroutine.close()

    def _step(self, step, value):
        try:
            return step(value)
        except (StopIteration, CancelledError, KeyboardInterrupt, SystemExit):
            self._scope.ended(self, None)
            raise
        except BaseException as error:
            if not self._scope.ended(self, error):
                raise
        raise StopIteration  # The scope raises the error in its block.


async def map_items(function, items, limit):
    """What `TaskManager.map` awaits."""
    if not callable(function):
        raise TypeError("map() needs the function itself, to call it for each item: %r" % (function,))
    if limit < 1:
        raise ValueError("map() needs a limit of at least 1: %r" % (limit,))
    results = []
    iterator = iter(items)
    try:
        limit = min(limit, len(items))
    except TypeError:
        pass  # A generator: how many there are is seen as they come.
    async with TaskScope() as scope:
        for _ in range(limit):
            scope.create_task(_work(function, iterator, results), "map")
    return results


async def _work(function, iterator, results):
    for item in iterator:
        index = len(results)
        results.append(None)
        try:
            result = function(item)
            results[index] = await result if hasattr(result, "send") else result
        except Exception as error:
            results[index] = error
