"""What a task can wait for: a time, another task's end, an event; and what counts as a coroutine."""

import asyncio
from asyncio import core

from .parking import Parking
from .tasks import Helper

# asyncio compares times within half the range of `ticks_ms`, which is 6 days on a 32-bit board. A longer wait
# is several, each of less than half of that: the queue also holds times that are past.
PART_MS = 1 << 28


def sleep_ms(milliseconds):
    """`await` it to pause for so long (int), however long that is."""
    return core.sleep_ms(milliseconds) if milliseconds < PART_MS else _sleep_in_parts(milliseconds)


async def _sleep_in_parts(milliseconds):
    while milliseconds > 0:
        await core.sleep_ms(min(milliseconds, PART_MS))
        milliseconds -= PART_MS


async def _sleep_until(ticks):
    await core.sleep_ms(core.ticks_diff(ticks, core.ticks()))


async def _await(awaitable):
    return await awaitable


def as_coroutine(awaitable):
    """`awaitable` as something with `send`, `throw` and `close`. Raises TypeError if it is none."""
    if isinstance(awaitable, core.SingletonGenerator):
        # There is only one such object: its time must be taken out of it before the next sleep begins.
        ticks, awaitable.state = awaitable.state, None
        return _sleep_until(ticks)
    if hasattr(awaitable, "send"):
        return awaitable
    if callable(awaitable):
        name = getattr(awaitable, "__name__", "function")
        raise TypeError(
            "a coroutine is needed, not a function: call it, write %s() and not %s" % (name, name)
        )
    if isinstance(awaitable, core.Task) or hasattr(awaitable, "__iter__") and hasattr(awaitable, "__next__"):
        return _await(awaitable)
    raise TypeError("a coroutine is needed: %r is a %s" % (awaitable, type(awaitable).__name__))


def as_task(create_task, awaitable):
    """`awaitable` as a task: itself if it is one, else a new one."""
    if isinstance(awaitable, core.Task):
        return awaitable
    task = create_task(awaitable)
    if task is None:
        raise RuntimeError("TaskManager is disabled: nothing can be waited for until TaskManager.enable()")
    return task


class NotifyEvent(asyncio.Event):
    """An asyncio.Event that can be set from anywhere, and may itself be awaited, which gives it back at once.

    A scheduled interrupt runs at the branches of the code that it interrupts: a sequence without one, as from
    `push` to the assignment of `data`, is whole to it.
    """

    def __init__(self, runner):
        super().__init__()
        self.waiting = core.TaskQueue()
        self._runner = runner

    def __iter__(self):
        return self
        yield

    def set(self):
        """Wake all tasks that wait. Safe from a thread and from a scheduled interrupt."""
        self.state = True
        runner = self._runner
        if runner.is_elsewhere():
            runner.inbox.put(self._release)
            return
        self._release()
        if runner.io.polling:
            runner.inbox.ring()

    def _release(self):
        waiting = self.waiting
        while waiting.peek():
            try:
                core._task_queue.push(waiting.pop())
            except IndexError:
                pass  # An interrupt has released the last one.

    def wait(self):
        """`await` it until the event is set."""
        if not self.state:
            task = core.cur_task
            self.waiting.push(task)
            task.data = self.waiting
            if self.state:  # Set by an interrupt after we looked.
                self._release()
            yield
        return True


class _Watcher(Helper):
    """Stands beside the tasks that await `task`, and calls `on_end()` when it has ended."""

    def __init__(self, task, on_end):
        iter(task)  # It gets its queue of those who wait. Raises RuntimeError if it cannot be awaited.
        self._awaited = task
        self._on_end = on_end
        self._task = core.Task(self)
        if task.done():
            core._task_queue.push(self._task)
        else:
            task.state.push(self._task)
            self._task.data = task

    def send(self, value):
        self._task = None
        self._on_end()

    def close(self):
        """Stop watching. The task goes on, and its failure is reported unless another awaits it."""
        helper, self._task = self._task, None
        if helper is None:
            return
        if helper.data is None:
            core._task_queue.remove(helper)
        else:
            helper.data = None
            self._awaited.state.remove(helper)
            if not self._awaited.state.peek():
                self._awaited.state = True


async def wait_for_ms(create_task, awaitable, timeout_ms):
    """The result of `awaitable`, which is cancelled after `timeout_ms`; core.TimeoutError is raised then.

    The ways out are:
    - it ends in time: its result or its exception is ours;
    - the timeout passes: it is cancelled, and when its `finally` blocks have run, TimeoutError is raised, or
      what they raised;
    - we are cancelled: it is cancelled, and when its `finally` blocks have run, we end, and what they raised
      is reported; a second cancellation does not wait for them.
    """
    own = not isinstance(awaitable, core.Task)
    end = Parking()
    task = as_task(create_task, awaitable)
    if timeout_ms is None or task.done():
        return await task
    watcher = None
    try:
        watcher = _Watcher(task, end.wake)
        timed_out = await _time_out(task, end, timeout_ms)
    except BaseException as error:
        if own and watcher is None:
            task.cancel()  # There was no memory to watch it, and nobody else would end it.
        elif isinstance(error, core.CancelledError):
            if not task.done():
                task.cancel()
                await end
            if own:
                _report_failure(task)
        raise
    finally:
        if watcher is not None:
            watcher.close()
    how = task.data
    if isinstance(how, StopIteration) and not timed_out:
        return how.value
    if timed_out and isinstance(how, (StopIteration, core.CancelledError)):
        raise core.TimeoutError("not done within %d ms" % timeout_ms)
    raise how


async def _time_out(task, end, timeout_ms):
    """Wait for the end of `task`, for `timeout_ms` at most, and cancel it then. Returns whether it did."""
    while timeout_ms >= 0:
        part_ms = min(timeout_ms, PART_MS)
        await end.sleep_ms(part_ms)
        if task.done():
            return False
        timeout_ms = timeout_ms - part_ms or -1
    task.cancel()
    await end
    return True


def _report_failure(task):
    """Have the failure of `task`, which is done and which nobody awaits any more, reported by the runner."""
    how = task.data
    if isinstance(how, Exception) and not isinstance(how, StopIteration):
        task.state = None
        core._task_queue.push(task)
        task.data = how


async def gather(create_task, awaitables, return_exceptions):
    """The results of `awaitables` in their order, or the first exception. Those that still run then go on.

    asyncio's own refuses a task that somebody else awaits as well.
    """
    end = Parking()
    tasks = [as_task(create_task, one) for one in awaitables]
    watchers = []
    try:
        for task in set(tasks):
            watchers.append(_Watcher(task, end.wake))
        failed = _failed(tasks, return_exceptions)
        while failed is None and not all(task.done() for task in tasks):
            await end
            failed = _failed(tasks, return_exceptions)
    except core.CancelledError:
        for task in tasks:
            task.cancel()
        raise
    finally:
        for watcher in watchers:
            watcher.close()
    if failed is not None:
        raise failed.data
    return [task.data.value if isinstance(task.data, StopIteration) else task.data for task in tasks]


def _failed(tasks, return_exceptions):
    """The first of `tasks` that has failed, or None; with `return_exceptions` none has."""
    if not return_exceptions:
        for task in tasks:
            if task.done() and not isinstance(task.data, StopIteration):
                return task
    return None
