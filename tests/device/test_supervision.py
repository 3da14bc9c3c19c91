"""Supervised tasks: started again after a crash, later each time, and ended for good by cancelling them."""

import time
from asyncio import core

from conditions import until

from mpos import TaskManager
from mpos.loop import services, waiting


class Recorded:
    """Sleeps that are noted and last no time."""

    def __init__(self):
        self.delays = []

    def sleep_ms(self, milliseconds):
        self.delays.append(milliseconds)
        return core.sleep_ms(0)


async def test_a_supervised_task_starts_again_after_a_crash_with_growing_delay():
    TaskManager.set_exception_handler(lambda context: None)
    starts = []

    async def crash():
        starts.append(True)
        if len(starts) < 4:
            raise ValueError("crash %d" % len(starts))
        return "done"

    assert await TaskManager.create_supervised_task(crash, restart_delay_ms=1) == "done"
    assert len(starts) == 4
    assert "crash 3" in str(TaskManager.last_errors()[-1].exception)


async def test_a_supervised_task_can_be_started_again_on_return_and_ended_by_cancel():
    starts = []

    async def work():
        starts.append(True)

    task = TaskManager.create_supervised_task(work, restart_delay_ms=1, restart_on_return=True)
    while len(starts) < 3:
        await TaskManager.sleep_ms(1)
    task.cancel()
    await TaskManager.sleep_ms(1)
    number = len(starts)
    await TaskManager.sleep_ms(20)
    assert len(starts) == number


async def test_a_supervised_task_starts_again_whatever_it_raised():
    class Odd(BaseException):
        pass

    reports = []
    TaskManager.set_exception_handler(lambda context: reports.append(type(context["exception"])))
    starts = []

    async def crash():
        starts.append(True)
        if len(starts) == 1:
            raise Odd

    await TaskManager.wait_for(TaskManager.create_supervised_task(crash, restart_delay_ms=1), 2)
    assert len(starts) == 2
    assert reports == [Odd]


async def test_a_supervised_task_can_be_cancelled_while_it_waits_to_be_started_again():
    TaskManager.set_exception_handler(lambda context: None)
    starts = []

    async def crash():
        starts.append(True)
        raise ValueError("crash")

    task = TaskManager.create_supervised_task(crash, restart_delay_ms=10)
    await until(lambda: starts)
    task.cancel()
    await until(task.done)
    await TaskManager.sleep_ms(30)
    assert len(starts) == 1


async def test_the_delay_starts_anew_after_a_task_that_ran_for_long_even_for_days():
    TaskManager.set_exception_handler(lambda context: None)
    for ran_ms in (31000, 1 << 28, -(1 << 28)):  # The last is what 9 days are on a 32-bit board.
        recorded = Recorded()
        starts = []
        shift = [0]
        services.sleep_ms = recorded.sleep_ms
        services.ticks_ms = lambda: time.ticks_add(time.ticks_ms(), shift[0])

        async def crash():
            starts.append(True)
            if len(starts) == 7:
                return
            if len(starts) == 5:
                shift[0] = ran_ms
            raise ValueError("crash")

        try:
            task = TaskManager.create_supervised_task(crash, restart_delay_ms=10, max_delay_ms=50)
            await TaskManager.wait_for(task, 5)
        finally:
            services.sleep_ms = waiting.sleep_ms
            services.ticks_ms = time.ticks_ms
        assert recorded.delays == [10, 20, 40, 50, 10, 20], (ran_ms, recorded.delays)
