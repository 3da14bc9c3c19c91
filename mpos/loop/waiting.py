"""What a task can wait for: another's end with a timeout, an event; and what counts as a coroutine."""

import asyncio
from asyncio import core

from .parking import Parking

# asyncio compares times within half the range of `ticks_ms`, which is 6 days on a 32-bit board. Whoever waits
# longer sleeps several times, each for less than half of that: the queue also holds times that are past.
PART_MS = 1 << 28


class NotifyEvent(asyncio.Event):
    """An asyncio.Event that may itself be awaited, which gives it back at once."""

    def __iter__(self):
        return self
        yield


async def sleep_in_parts(milliseconds):
    """Sleep for so long, however long that is."""
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
    # Before the task, which nobody would end if there were no memory for these.
    end = _End(core.cur_task)
    on_end = end.on_end
    sleep = end.sleep(timeout_ms)
    task = as_task(create_task, awaitable)
    if timeout_ms is None or task.done():
        return await task
    if own:
        task.state = on_end  # asyncio calls it when the task has ended.
    else:
        create_task(_watch(task, end), "wait_for")  # Others may await that task, too.
    try:
        await sleep
        timed_out = end.how is None
        if timed_out:
            task.cancel()
            await end.parking
    except core.CancelledError:
        try:
            if end.how is None:
                task.cancel()
                await end.parking
        finally:
            if own:
                _disown(task, end.how)
        raise
    how = end.how
    if timed_out and isinstance(how, (StopIteration, core.CancelledError)):
        raise core.TimeoutError("not done within %d ms" % timeout_ms)
    if isinstance(how, StopIteration):
        return how.value
    raise how


def _disown(task, how):
    """Have asyncio report the failure of `task`, which nobody awaits any more. `how` it ended: as in _End."""
    if how is None:
        task.state = True
    elif isinstance(how, Exception) and not isinstance(how, StopIteration):
        task.state = None
        core._task_queue.push(task)
        task.data = how


class _End:
    """The end of a task, for the one that waits for it: `how` it ended is None, StopIteration or an error."""

    def __init__(self, waiter):
        self.how = None
        self.parking = Parking()
        self._waiter = waiter
        self._sleeping = False

    async def sleep(self, milliseconds):
        """Sleep for so long or until the end."""
        self._sleeping = True
        try:
            while milliseconds >= 0 and self.how is None:
                await core.sleep_ms(min(milliseconds, PART_MS))
                milliseconds -= PART_MS
        finally:
            self._sleeping = False

    def on_end(self, task, how):
        self.how = how
        waiter = self._waiter
        # A waiter with data is being cancelled: queueing it anew would lose that.
        if self._sleeping and waiter.data is None:
            core._task_queue.remove(waiter)
            core._task_queue.push(waiter)
        self.parking.wake()


async def gather(create_task, awaitables, tasks, return_exceptions):
    """The results of `tasks`, which were made of `awaitables`, in their order, or the first exception.

    asyncio's own leaves callbacks behind that fail when a Ctrl-C ends it too early, and refuses a task that
    somebody else awaits as well.
    """
    gathering = _Gathering(set(tasks), return_exceptions)
    try:
        for awaitable, task in zip(awaitables, tasks):
            if task.done():
                task.state = False  # Its exception, if any, is not for the report any more.
                gathering.on_end(task, task.data)
            elif task is awaitable:
                create_task(_watch(task, gathering), "gather")
            else:
                task.state = gathering.on_end
        if tasks:
            await gathering.end
    except core.CancelledError:
        for task in tasks:
            task.cancel()
        raise
    finally:
        for awaitable, task in zip(awaitables, tasks):
            if task is not awaitable and not task.done():
                task.state = True  # It goes on, and nobody awaits it.
    if gathering.error is not None:
        raise gathering.error
    return [task.data.value if isinstance(task.data, StopIteration) else task.data for task in tasks]


class _Gathering:
    """The end of several tasks, or the first failure among them: `error`."""

    def __init__(self, tasks, return_exceptions):
        self.end = Parking()
        self.error = None
        self._return_exceptions = return_exceptions
        self._tasks = tasks

    def on_end(self, task, how):
        # A Ctrl-C in here has it called once more. Without memory as well: nobody is there to get the error.
        self._tasks.discard(task)
        if self.error is None and not self._return_exceptions and not isinstance(how, StopIteration):
            self.error = how
        if self.error is not None or not self._tasks:
            self.end.wake()


async def _watch(task, end):
    try:
        how = StopIteration(await task)
    except (core.CancelledError, Exception) as error:
        how = error
    end.on_end(task, how)
