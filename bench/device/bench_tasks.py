"""What a managed task costs over a raw one of asyncio: heap, time to create it, time of a step.

Raw is asyncio as it comes, with its own poll. They take turns, so that both see the same computer.
"""

import gc
import select
from asyncio import core
from time import ticks_diff, ticks_us

import bench_board

from mpos import LvglLoop, TaskManager
from mpos.loop import doors
from mpos.loop.runner import runner

_BATCH = 20
_HEAP_TASKS = 50


def measure(batches, steps):
    """{"raw", "off", "on"}: each with `bytes` a task, and lists of us, one figure for each of `batches`.

    "off" and "on" are the statistics of tasks. `create`: to make a task and see its first step, on a heap
    with little in it. `crowded`: the same beside a display in use, in a second batch after a collection, when
    the gaps are filled. `step`: a step. The last two are of a loop that drives LVGL too, where it is ours.
    """
    kinds = [_Raw(), _Managed(False), _Managed(True)]
    for kind in kinds:
        kind.run(_create(kind.create))
        kind.bytes = kind.run(_heap(kind.create))
    for _ in range(batches):
        for kind in kinds:
            gc.collect()
            kind.creates.append(kind.run(_create(kind.create)))
    TaskManager.attach(LvglLoop(bench_board.start().display))
    for _ in range(batches):
        for kind in kinds:
            gc.collect()
            kind.run(_create(kind.create))
            kind.crowded.append(kind.run(_create(kind.create)))
            gc.collect()
            kind.steps.append(kind.run(_steps(kind.create, steps)))
    return {
        kind.name: {"bytes": kind.bytes, "create": kind.creates, "crowded": kind.crowded, "step": kind.steps}
        for kind in kinds
    }


class _Raw:
    """asyncio as it comes."""

    name = "raw"

    def __init__(self):
        self.creates = []
        self.crowded = []
        self.steps = []
        self._io = core.IOQueue()
        stream = runner.inbox.stream  # As ours, it polls one stream.
        self._io.map[id(stream)] = [None, None, stream]
        self._io.poller.register(stream, select.POLLIN)
        self.create = doors.stock["create_task"]

    def run(self, coroutine):
        core._io_queue = self._io
        return doors.stock["run_until_complete"](self.create(coroutine))


class _Managed:
    """TaskManager's tasks, with statistics or without."""

    def __init__(self, statistics):
        self.name = "on" if statistics else "off"
        self.creates = []
        self.crowded = []
        self.steps = []
        self._statistics = statistics
        self.create = TaskManager.create_task

    def run(self, coroutine):
        TaskManager.enable_statistics(self._statistics)
        return TaskManager.run_until_complete(coroutine)


async def _sleeper():
    await core.sleep_ms(100000)


async def _heap(create):
    """Bytes of a task that has made its first step and sleeps, without those of its coroutine."""
    coroutines = [_sleeper() for _ in range(_HEAP_TASKS)]
    tasks = [None] * _HEAP_TASKS
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for index in range(_HEAP_TASKS):
        tasks[index] = create(coroutines[index])
    await core.sleep_ms(0)
    used = gc.mem_alloc() - before
    gc.enable()
    await _end(tasks)
    return used / _HEAP_TASKS


async def _create(create):
    """us to create a coroutine and its task and see the first step, mean of a batch."""
    tasks = [None] * _BATCH
    began = ticks_us()
    for index in range(_BATCH):
        tasks[index] = create(_sleeper())
    await core.sleep_ms(0)  # Those that were created run before this one does again.
    took = ticks_diff(ticks_us(), began)
    await _end(tasks)
    return took / _BATCH


async def _end(tasks):
    for task in tasks:
        task.cancel()
    await core.sleep_ms(0)


async def _steps(create, steps):
    """us a step of a task that does nothing else."""

    async def stepper():
        for _ in range(steps):
            await core.sleep_ms(0)

    began = ticks_us()
    await create(stepper())
    return ticks_diff(ticks_us(), began) / steps
