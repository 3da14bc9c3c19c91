"""Putting asyncio's queues right after a Ctrl-C has torn through its loop.

A KeyboardInterrupt can land between any two operations of asyncio's own code: after it took a task from the
queue and before it ran it, while it was releasing the waiters of a finished task, while an Event was waking
one. The task concerned is then in no queue at all, and would never run again. `repair` finds such tasks by
looking where every live task is. It runs after a Ctrl-C only, so it may be slow.
"""

from asyncio import core


def repair(tasks, interrupted):
    """Queue again each of `tasks` that waits nowhere, and finish `interrupted` (a Task or None) if asyncio
    was in the middle of that. Returns the tasks that had been lost."""
    # asyncio has one object for all sleeps: one that began and was not awaited any more would be slept by
    # whichever task wakes up next.
    core.sleep_ms(0).state = None
    if interrupted is not None and interrupted.state and getattr(interrupted.coro, "has_ended", False):
        _finish(interrupted)
    queued = _contents(core._task_queue)
    lost = [task for task in tasks if not task.done() and task not in queued and not _waits(task)]
    for task in lost:
        pending = task.data
        core._task_queue.push(task)
        if _is_exception(pending):
            task.data = pending  # A cancellation that was under way.
    return lost


def _is_exception(data):
    # Task.cancel() leaves the class there, asyncio's other code an instance.
    return data is core.CancelledError or isinstance(data, BaseException)


def _contents(queue):
    """The tasks in a TaskQueue, which only tells by giving them out."""
    tasks = set()
    entries = []
    while queue.peek():
        task = queue.pop()
        entries.append((task, task.ph_key, task.data))
        tasks.add(task)
    for task, key, data in entries:
        queue.push(task, key)
        task.data = data
    return tasks


def _waits(task):
    """Whether what the task waits for, if anything, knows of it."""
    place = task.data
    if place is None or _is_exception(place):
        return False
    if isinstance(place, core.TaskQueue):  # An Event, a Lock.
        return task in _contents(place)
    if isinstance(place, core.IOQueue):
        return any(task in entry for entry in place.map.values())
    if isinstance(place, core.Task):  # It awaits another task.
        waiters = place.state
        return isinstance(waiters, core.TaskQueue) and task in _contents(waiters)
    return getattr(place, "task", None) is task  # A Parking.


def _finish(task):
    """What asyncio's loop does with a task whose coroutine has ended."""
    waiters = task.state
    if isinstance(waiters, core.TaskQueue):
        while waiters.peek():
            core._task_queue.push(waiters.pop())
    elif callable(waiters):
        waiters(task, core.CancelledError())
    task.state = False
