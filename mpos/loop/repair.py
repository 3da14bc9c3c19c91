"""Putting asyncio's queues right after a Ctrl-C has torn through its loop.

A KeyboardInterrupt can land between any two operations of asyncio's own code: after it took a task from the
queue and before it ran it, while it was releasing the waiters of a finished task, while an Event was waking
one. The task concerned is then in no queue at all, and would never run again. `repair` finds such tasks by
looking where every live task is. It runs after a Ctrl-C only, so it may be slow.
"""

from asyncio import core

from .parking import Parking

# Tasks that were taken out of a queue to see who is in it: `(queue, task, its time, its data)`.
_taken = []


def repair(tasks, interrupted):
    """Queue again each of `tasks` that waits nowhere, and finish `interrupted` (a Task or None) if asyncio
    was in the middle of that. Returns the tasks that had been lost.

    A Ctrl-C may end this, too; the next call then does what is left.
    """
    _put_back()
    # asyncio has one object for all sleeps: one that began and was not awaited any more would be slept by
    # whichever task wakes up next.
    core.sleep_ms(0).state = None
    queued = _contents(core._task_queue)
    if interrupted is not None and getattr(interrupted.coro, "outcome", None) is not None:
        if not isinstance(interrupted.data, BaseException):  # The outcome: asyncio notes it last.
            _finish(interrupted, interrupted in queued)
            queued = _contents(core._task_queue)
    lost = [task for task in tasks if not task.done() and task not in queued and not _waits(task)]
    for task in lost:
        place = task.data
        if isinstance(place, Parking) and place.task is task:
            place.wake()
            continue
        core._task_queue.push(task)
        if _is_exception(place):
            task.data = place  # A cancellation that was under way.
    return lost


def _is_exception(data):
    # Task.cancel() leaves the class there, asyncio's other code an instance.
    return data is core.CancelledError or isinstance(data, BaseException)


def _contents(queue):
    """The tasks in a TaskQueue, which only tells by giving them out."""
    while queue.peek():
        task = queue.peek()
        _taken.append((queue, task, task.ph_key, task.data))
        queue.pop()
    tasks = set([entry[1] for entry in _taken])
    _put_back()
    return tasks


def _put_back():
    while _taken:
        queue, task, key, data = _taken[0]
        queue.push(task, key)
        task.data = data
        _taken.pop(0)


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
    # A Parking tells. Of anything else (asyncio's gather) nothing is known: waking that up would be wrong.
    return not isinstance(place, Parking) or place.holds(task)


def _finish(task, is_queued):
    """What asyncio's loop does with a task whose coroutine has ended, as far as it has not done it."""
    record = task.coro
    record.observer.on_end(record)
    outcome = record.outcome
    if isinstance(outcome, (KeyboardInterrupt, SystemExit)):
        outcome = record.interruption()
    waiters = task.state
    if waiters is True:
        waiters = task.state = None
    if isinstance(waiters, core.TaskQueue):
        while waiters.peek():
            core._task_queue.push(waiters.pop())
        task.state = False
    elif callable(waiters):
        waiters(task, outcome)
        task.state = False
    elif waiters is None and not is_queued and not isinstance(outcome, (StopIteration, core.CancelledError)):
        core._task_queue.push(task)  # To be reported, as nobody awaits it.
    task.data = outcome
