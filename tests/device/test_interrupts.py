"""A scheduled interrupt may create a task and stop the loop, in whatever moment it comes."""

from asyncio import core
from time import ticks_diff, ticks_ms

import micropython

from mpos import TaskManager
from mpos.loop.runner import runner

SLEEP_MS = 20000
LONG_MS = 5000  # What the loop would sleep at least if the interrupt did not end it.


class BeforeSleep:
    """Stands in LvglLoop's place: `interrupt` comes when the loop has looked at its tasks and is about to
    sleep. The board runs it at the next branch, which is still before the poll."""

    def __init__(self, interrupt):
        self._interrupt = interrupt

    def __enter__(self):
        self._whole, runner.io.ui = runner.io.ui, self

    def __exit__(self, *_):
        runner.io.ui = self._whole

    def before_poll(self):
        first = core._task_queue.peek()
        if self._interrupt is not None and core.ticks_diff(first.ph_key, core.ticks()) > LONG_MS:
            micropython.schedule(self._interrupt, None)
            self._interrupt = None
        return False

    def after_poll(self):
        pass


async def test_a_task_that_an_interrupt_creates_before_the_loop_sleeps_starts_at_once():
    created = []
    took = []

    async def work():
        took.append(ticks_diff(ticks_ms(), created[0]))
        sleep.cancel()

    def interrupt(_):
        created.append(ticks_ms())
        TaskManager.create_task(work())

    with BeforeSleep(interrupt):
        sleep = TaskManager.create_task(TaskManager.sleep_ms(SLEEP_MS))
        try:
            await sleep
        except TaskManager.CancelledError:
            pass
    assert took and took[0] < LONG_MS, took


def test_an_interrupt_can_stop_the_loop_before_it_sleeps():
    sleep = TaskManager.create_task(TaskManager.sleep_ms(SLEEP_MS))
    stopped = []

    def interrupt(_):
        stopped.append(ticks_ms())
        TaskManager.stop()

    async def arm():
        runner.io.ui = BeforeSleep(interrupt)

    TaskManager.create_task(arm())
    whole = runner.io.ui
    try:
        TaskManager.start()
    finally:
        runner.io.ui = whole
    sleep.cancel()
    assert ticks_diff(ticks_ms(), stopped[0]) < LONG_MS
