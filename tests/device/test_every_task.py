"""Every task is the TaskManager's, however it was made, and no wait is a trap."""

import asyncio
from asyncio import core

from conditions import until
from raising import raises

from mpos import CancelledError, TaskManager


def named(name):
    return [task for task in TaskManager.list_tasks() if task.name == name]


async def value(number, delay_ms=0):
    await asyncio.sleep_ms(delay_ms)
    return number


async def test_tasks_of_asyncio_are_listed_counted_and_reported():
    reports = []
    TaskManager.set_exception_handler(lambda context: reports.append(context["name"]))

    async def of_a_library():
        await asyncio.sleep_ms(5)
        raise ValueError

    before = TaskManager.stats()["created"]
    task = asyncio.create_task(of_a_library())
    assert task in TaskManager.task_list
    await asyncio.sleep_ms(0)
    assert named("of_a_library")[0].steps == 1
    assert TaskManager.stats()["created"] > before
    await until(lambda: reports)
    assert reports == ["of_a_library"]
    assert task not in TaskManager.task_list


async def test_asyncios_own_gather_and_wait_for_work_beside_ours():
    assert await asyncio.gather(value(1, 2), TaskManager.create_task(value(2, 1))) == [1, 2]
    assert await asyncio.wait_for(value(3, 1), 5) == 3


async def test_a_second_loop_is_refused_and_this_one_goes_on():
    coroutine = value(1)
    assert "running" in str(raises(RuntimeError, asyncio.run, coroutine))
    loop = asyncio.get_event_loop()
    for refused in (asyncio.new_event_loop, loop.run_forever, loop.close):
        assert "running" in str(raises(RuntimeError, refused))
    assert await value(2, 1) == 2


def test_asyncio_run_is_the_same_loop():
    ran = []

    async def other():
        ran.append(True)

    async def main():
        await asyncio.sleep_ms(1)
        return TaskManager.is_running()

    TaskManager.create_task(other())
    assert asyncio.run(main())
    assert ran
    assert asyncio.get_event_loop().run_until_complete(value(7)) == 7


async def test_cancelling_every_task_leaves_nobody_waiting():
    for wait in (
        lambda: TaskManager.wait_for(shared, 10),
        lambda: TaskManager.gather(shared, value(1, 10000)),
        lambda: TaskManager.wait_for(value(1, 10000), 10),
    ):
        before = set(TaskManager.task_list)
        shared = TaskManager.create_task(value(1, 10000))
        waiter = TaskManager.create_task(wait())
        await TaskManager.sleep_ms(1)
        for task in list(TaskManager.task_list):
            if task not in before:
                task.cancel()
        await until(lambda: waiter.done() and shared.done())


async def test_two_tasks_that_await_each_other_can_be_cancelled():
    tasks = []

    async def wait(other):
        await tasks[other]

    for number in (1, 0):
        tasks.append(TaskManager.create_task(wait(number)))
    await TaskManager.sleep_ms(1)
    tasks[0].cancel()
    await until(lambda: tasks[0].done() and tasks[1].done())


async def test_a_bare_yield_goes_on_in_the_next_round():
    class Bare:
        def __init__(self):
            self.left = 3

        def __iter__(self):
            return self

        def __next__(self):
            self.left -= 1
            if not self.left:
                raise StopIteration

    async def work():
        await Bare()
        return "on"

    assert await TaskManager.wait_for(work(), 5) == "on"


async def test_the_failure_of_a_task_is_not_lost_in_the_moment_before_its_report():
    async def fail():
        raise ValueError("just now")

    task = TaskManager.create_task(fail())
    await until(task.done)
    outcome = await TaskManager.gather(task, return_exceptions=True)
    assert isinstance(outcome[0], ValueError), outcome


async def test_an_event_can_be_set_in_a_scheduled_interrupt_and_in_a_thread():
    import _thread

    import micropython

    event = TaskManager.notify_event()
    micropython.schedule(lambda _: event.set(), None)
    await TaskManager.wait_for(event.wait(), 5)
    event.clear()
    _thread.start_new_thread(event.set, ())
    await TaskManager.wait_for(event.wait(), 5)
    assert event.is_set()


async def test_task_list_gives_its_memory_back():
    import gc

    gc.collect()
    before = gc.mem_alloc()
    tasks = [TaskManager.create_task(value(1, 100000)) for _ in range(1000)]
    await TaskManager.sleep_ms(0)
    for task in tasks:
        task.cancel()
    del tasks, task
    await TaskManager.sleep_ms(5)
    gc.collect()
    assert gc.mem_alloc() - before < 6000, gc.mem_alloc() - before


async def test_rounds_are_fair_to_sockets_and_inputs_however_many_tasks_spin():
    stopped = []

    async def spin():
        while not stopped:
            await core.sleep_ms(0)

    tasks = [TaskManager.create_task(spin()) for _ in range(50)]
    before = TaskManager.stats()["polls"]
    await TaskManager.sleep_ms(30)
    assert TaskManager.stats()["polls"] > before
    stopped.append(True)
    await TaskManager.gather(*tasks)


async def test_a_coroutine_function_may_be_posted():
    done = []

    async def work():
        await TaskManager.sleep_ms(1)
        done.append(True)

    TaskManager.post(work)
    await until(lambda: done)


async def test_a_task_cancelled_before_its_first_step_tells_who_awaits_it():
    task = TaskManager.create_task(value(1))
    waiter = TaskManager.create_task(TaskManager.wait_for(task, 5))
    await TaskManager.sleep_ms(0)
    task.cancel()
    try:
        await waiter
    except CancelledError:
        pass
    assert task.done() and waiter.done()
