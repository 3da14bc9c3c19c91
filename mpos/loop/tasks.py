"""What is known of each task: a list beside it, in one dictionary.

A class with attributes in the place of the list costs half as much again in memory and in time a step.
"""

from asyncio import core
from collections import namedtuple
from time import ticks_diff, ticks_ms

from micropython import const

# Places in a task's facts. The runner has the same numbers.
NAME = const(0)
BORN = const(1)  # ticks_ms
STEPS = const(2)
BUSY_US = const(3)  # Less than a second: the whole ones are in BUSY_S.
BUSY_S = const(4)
LONGEST_US = const(5)
SLOW_US = const(6)
MORE_STEPS = const(7)  # In units of 2**29, so that no number outgrows the small integers of 32 bits.

UNCOUNTED = const(-1)  # In MORE_STEPS: the task was created without statistics.

SECOND_US = const(1000000)
_STEPS_UNIT = const(0x20000000)

# The longest step of a task that has had none: lists show ms, and shorter ones need no note.
UNSEEN_US = const(999)

TaskInfo = namedtuple("TaskInfo", ("name", "state", "age_ms", "steps", "busy_ms", "longest_ms"))


class Helper:
    """Base class of what stands in the coroutine's place in a task of the engine's own, which no list shows.

    `send(None)` is called when it runs. It is not queued again when that returns.
    """

    def throw(self, error):
        raise error

    def close(self):
        pass


def title(task, facts):
    """The name that the task was given, else that of its function; a name that cannot be shown is "task"."""
    name = facts[NAME]
    if name is None:
        # A coroutine tells it in its repr only: <generator object 'work' at 7f83a4ae75a0>
        parts = repr(task.coro).split("'")
        name = facts[NAME] = parts[1] if len(parts) > 2 else "task"
    try:
        return str(name)
    except Exception:
        return "task"


def age_ms(facts):
    """ms since the task was created; right for the first 6 days (half the range of `ticks_ms`)."""
    return ticks_diff(ticks_ms(), facts[BORN])


def carry(facts):
    """Move whole seconds and high numbers of steps to where they stay small integers."""
    facts[BUSY_S] += facts[BUSY_US] // SECOND_US
    facts[BUSY_US] %= SECOND_US
    if facts[STEPS] >= _STEPS_UNIT and facts[MORE_STEPS] != UNCOUNTED:
        facts[STEPS] -= _STEPS_UNIT
        facts[MORE_STEPS] += 1


def current_task():
    """The task whose step runs, or None."""
    return core.cur_task


def leave_wait(task):
    """End what `task` waits for with CancelledError. Another task that it awaits goes on, unlike with
    `task.cancel()`."""
    awaited = task.data
    if isinstance(awaited, core.Task):
        awaited.state.remove(task)
        core._task_queue.push(task)
        task.data = core.CancelledError
    else:
        task.cancel()


def forget_wait():
    """The running task's step was torn: it may be on its way to wait for something, and does not any more."""
    task = core.cur_task
    task.data = None
    core._io_queue.remove(task)


def state(task):
    """ "running", "ready", "sleeping", "waiting" or "done"."""
    if task.done():
        return "done"
    data = task.data
    if task is core.cur_task or data is False:
        return "running"
    if data is not None and not _is_exception(data):
        return "waiting"
    return "sleeping" if data is None and ticks_diff(task.ph_key, core.ticks()) > 0 else "ready"


def _is_exception(data):
    # Task.cancel() leaves the class there, other code an instance.
    return data is core.CancelledError or isinstance(data, BaseException)


def info(task, facts):
    """The TaskInfo of one task."""
    if facts[MORE_STEPS] == UNCOUNTED:
        return TaskInfo(title(task, facts), state(task), age_ms(facts), 0, 0, 0)
    return TaskInfo(
        title(task, facts),
        state(task),
        age_ms(facts),
        facts[STEPS] + facts[MORE_STEPS] * _STEPS_UNIT,
        facts[BUSY_S] * 1000 + facts[BUSY_US] // 1000,
        facts[LONGEST_US] // 1000,
    )
