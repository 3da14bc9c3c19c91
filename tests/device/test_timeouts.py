"""wait_for: its ways out, and that a cancellation at any moment gets through and leaves nothing behind."""

from conditions import until

from mpos import CancelledError, TaskManager, TimeoutError


async def value(number, delay_ms=0):
    await TaskManager.sleep_ms(delay_ms)
    return number


async def raised_by(awaitable):
    try:
        await awaitable
    except (CancelledError, Exception) as error:
        return error


async def test_the_result_of_what_is_done_in_time():
    assert await TaskManager.wait_for(value(3, 1), 1) == 3
    assert await TaskManager.wait_for_ms(value(4), 1000) == 4
    assert await TaskManager.wait_for(value(5, 1), None) == 5


async def test_what_it_raises_comes_out():
    async def fail():
        await TaskManager.sleep_ms(1)
        raise ValueError("inside")

    assert isinstance(await raised_by(TaskManager.wait_for(fail(), 1)), ValueError)


async def test_a_timeout_is_raised_after_finally_has_run():
    ended = []

    async def slow():
        try:
            await TaskManager.sleep_ms(10000)
        finally:
            await TaskManager.sleep_ms(5)
            ended.append(True)

    error = await raised_by(TaskManager.wait_for(slow(), 0.01))
    assert isinstance(error, TimeoutError)
    assert "10 ms" in str(error)
    assert ended


async def test_a_plain_sleep_and_an_event_can_be_waited_for():
    assert isinstance(await raised_by(TaskManager.wait_for(TaskManager.sleep(10), 0.005)), TimeoutError)
    event = TaskManager.notify_event()
    assert isinstance(await raised_by(TaskManager.wait_for(event.wait(), 0.005)), TimeoutError)
    event.set()
    assert await TaskManager.wait_for(event.wait(), 1)


async def test_a_task_of_others_can_be_waited_for_too():
    task = TaskManager.create_task(value(8, 10))
    other = TaskManager.create_task(TaskManager.wait_for(task, 1))
    assert await TaskManager.wait_for(task, 1) == 8
    assert await task == 8
    assert await other == 8
    assert await TaskManager.wait_for(task, 1) == 8


async def test_a_timeout_cancels_the_task_that_was_waited_for():
    task = TaskManager.create_task(value(8, 10000))
    assert isinstance(await raised_by(TaskManager.wait_for(task, 0.005)), TimeoutError)
    assert task.done()


async def test_what_is_cancelled_inside_comes_out_as_cancelled():
    task = TaskManager.create_task(value(1, 10000))
    waiter = TaskManager.create_task(raised_by(TaskManager.wait_for(task, 5)))
    await TaskManager.sleep_ms(1)
    task.cancel()
    assert isinstance(await waiter, CancelledError)


async def test_nested_timeouts_end_with_the_outer_one():
    inner = TaskManager.wait_for(value(1, 10000), 5)
    assert isinstance(await raised_by(TaskManager.wait_for(inner, 0.005)), TimeoutError)


async def test_cancelled_at_any_moment_it_ends_and_so_does_what_it_waits_for():
    for delay_ms in (0, 0, 1, 2, 3, 4, 5, 6, 7, 8):
        ended = []

        async def work():
            try:
                await TaskManager.sleep_ms(4)
            finally:
                await TaskManager.sleep_ms(2)
                ended.append(True)

        waiter = TaskManager.create_task(TaskManager.wait_for_ms(work(), 6))
        await TaskManager.sleep_ms(delay_ms)
        cancelled = waiter.cancel()
        error = await raised_by(waiter)
        assert error is None or isinstance(error, (CancelledError, TimeoutError)), error
        assert not cancelled or waiter.done()
        await TaskManager.sleep_ms(5)
        assert [task.name for task in TaskManager.list_tasks() if task.name == "work"] == []


async def test_what_fails_when_the_waiter_is_cancelled_is_reported():
    reports = []
    TaskManager.set_exception_handler(lambda context: reports.append(str(context["exception"])))

    async def work(error, cleanup_ms):
        try:
            await TaskManager.sleep_ms(1000)
        finally:
            await TaskManager.sleep_ms(cleanup_ms)
            raise error

    waiter = TaskManager.create_task(TaskManager.wait_for_ms(work(ValueError("cleanup"), 1), 2000))
    await TaskManager.sleep_ms(1)
    waiter.cancel()
    assert isinstance(await raised_by(waiter), CancelledError)
    await until(lambda: reports)

    waiter = TaskManager.create_task(TaskManager.wait_for_ms(work(ValueError("too late"), 20), 2000))
    await TaskManager.sleep_ms(1)
    for _ in range(2):
        waiter.cancel()
        await TaskManager.sleep_ms(1)
    assert isinstance(await raised_by(waiter), CancelledError)
    await until(lambda: len(reports) == 2)

    async def fail():
        await event.wait()
        raise ValueError("same moment")

    event = TaskManager.notify_event()
    waiter = TaskManager.create_task(TaskManager.wait_for_ms(fail(), 2000))
    await TaskManager.sleep_ms(1)
    event.set()
    await TaskManager.sleep_ms(0)
    waiter.cancel()
    assert isinstance(await raised_by(waiter), CancelledError)
    await until(lambda: len(reports) == 3)
    await TaskManager.sleep_ms(5)
    assert reports == ["cleanup", "too late", "same moment"], reports


async def test_a_cancellation_is_not_lost_when_the_result_comes_at_the_same_moment():
    event = TaskManager.notify_event()
    after = []

    async def waits():
        await TaskManager.wait_for_ms(event.wait(), 1000)
        await TaskManager.sleep_ms(50)
        after.append("went on")

    waiter = TaskManager.create_task(waits())
    await TaskManager.sleep_ms(1)
    event.set()
    await TaskManager.sleep_ms(0)
    waiter.cancel()
    assert isinstance(await raised_by(waiter), CancelledError)
    assert not after
