"""TaskManager: creating, naming, ending and listing tasks, and what happens to their exceptions."""

import gc
import time

from conditions import until

from mpos import CancelledError, TaskManager, TimeoutError


async def value(number, delay_ms=0):
    await TaskManager.sleep_ms(delay_ms)
    return number


async def fail(error):
    await TaskManager.sleep_ms(0)
    raise error


def named(name):
    return [task for task in TaskManager.list_tasks() if task.name == name]


def test_a_task_created_before_the_loop_runs_starts_with_it():
    ran = []

    async def work():
        ran.append(True)

    TaskManager.create_task(work())
    assert not ran
    TaskManager.run_until_complete(value(1))
    assert ran


async def test_a_task_can_be_awaited_for_its_result():
    assert await TaskManager.create_task(value(7)) == 7


async def test_a_task_that_failed_raises_in_whoever_awaits_it():
    before = TaskManager.stats()["errors"]
    try:
        await TaskManager.create_task(fail(ValueError("broken")))
        raise AssertionError("no exception")
    except ValueError as error:
        assert str(error) == "broken"
    await TaskManager.sleep_ms(1)
    assert TaskManager.stats()["errors"] == before


async def test_an_exception_nobody_awaits_is_reported_once_and_kept():
    reports = []
    TaskManager.set_exception_handler(reports.append)
    others = TaskManager.create_task(value("alive", 20))
    TaskManager.create_task(fail(ValueError("alone")), name="loner")
    await until(lambda: reports)
    await TaskManager.sleep_ms(5)
    assert len(reports) == 1
    assert reports[0]["name"] == "loner"
    assert isinstance(reports[0]["exception"], ValueError)
    kept = TaskManager.last_errors()[-1]
    assert kept.name == "loner"
    assert "alone" in kept.traceback and "fail" in kept.traceback
    assert await others == "alive"


async def test_an_exception_in_the_exception_handler_does_not_stop_the_loop():
    def handler(context):
        raise RuntimeError("handler")

    TaskManager.set_exception_handler(handler)
    TaskManager.create_task(fail(ValueError("first")))
    TaskManager.create_task(fail(ValueError("second")))
    await TaskManager.sleep_ms(5)
    assert [str(one.exception) for one in TaskManager.last_errors()[-2:]] == ["first", "second"]


async def test_only_the_last_ten_errors_are_kept():
    TaskManager.set_exception_handler(lambda context: None)
    for number in range(15):
        TaskManager.create_task(fail(ValueError(number)))
    await TaskManager.sleep_ms(5)
    kept = TaskManager.last_errors()
    assert len(kept) == 10
    assert str(kept[-1].exception) == "14"


def refusal(thing):
    try:
        TaskManager.create_task(thing)
    except TypeError as error:
        return str(error)
    raise AssertionError("no TypeError for %r" % (thing,))


def test_a_function_in_the_place_of_a_coroutine_is_refused_with_the_remedy():
    assert "value()" in refusal(value)
    assert "coroutine" in refusal(42)
    assert "coroutine" in refusal(None)


def test_while_disabled_the_coroutine_is_closed_and_none_is_returned():
    ended = []

    async def work():
        ended.append("never")

    TaskManager.disable()
    coroutine = work()
    assert TaskManager.create_task(coroutine) is None
    TaskManager.start()
    TaskManager.enable()
    try:
        coroutine.send(None)
        raise AssertionError("the coroutine is still open")
    except StopIteration:
        pass
    assert not ended


async def test_a_task_has_the_name_it_was_given_or_that_of_its_function():
    TaskManager.create_task(value(1, 50), name="mine")
    TaskManager.create_task(value(1, 50))
    assert len(named("mine")) == 1
    assert len(named("value")) == 1


async def test_a_name_need_not_be_a_text():
    reports = []
    TaskManager.set_exception_handler(lambda context: reports.append(context["name"]))
    for name in (5, b"five", ("five",)):
        task = TaskManager.create_task(value(1, 50), name)
        assert len(named(str(name))) == 1
        task.cancel()
        TaskManager.create_task(fail(ValueError(name)), name)
        await until(lambda: str(name) in reports)


async def test_list_tasks_tells_state_age_and_steps():
    event = TaskManager.notify_event()

    async def waiting():
        await event.wait()

    TaskManager.create_task(waiting())
    TaskManager.create_task(value(1, 1000), name="sleeper")
    await TaskManager.sleep_ms(10)
    assert named("waiting")[0].state == "waiting"
    sleeper = named("sleeper")[0]
    assert sleeper.state == "sleeping"
    assert sleeper.steps == 1
    assert 5 <= sleeper.age_ms < 1000
    states = [task.state for task in TaskManager.list_tasks()]
    assert states.count("running") == 1
    event.set()
    assert named("waiting")[0].state == "ready"


async def test_a_finished_task_leaves_no_trace():
    async def nothing():
        pass

    async def many(number):
        for _ in range(number):
            TaskManager.create_task(nothing())
            await TaskManager.sleep_ms(0)
        gc.collect()
        return gc.mem_alloc()

    before = await many(1000)
    alive = len(TaskManager.task_list)
    after = await many(20000)
    assert len(TaskManager.task_list) == alive
    assert after - before < 256, after - before


async def test_cancel_ends_a_task_at_its_await_and_runs_finally():
    ended = []

    async def work():
        try:
            await TaskManager.sleep_ms(10000)
        except CancelledError:
            ended.append("cancelled")
            raise
        finally:
            ended.append("finally")

    task = TaskManager.create_task(work())
    await TaskManager.sleep_ms(1)
    assert TaskManager.cancel(task)
    await TaskManager.sleep_ms(1)
    assert ended == ["cancelled", "finally"]
    assert task.done()
    assert not TaskManager.cancel(task)


async def test_current_task_is_the_one_that_runs():
    async def own():
        return TaskManager.current_task()

    task = TaskManager.create_task(own())
    assert await task is task


async def test_gather_gives_results_in_order_and_runs_side_by_side():
    order = []

    async def work(name, delay_ms):
        await TaskManager.sleep_ms(delay_ms)
        order.append(name)
        return name

    assert await TaskManager.gather(work("slow", 20), work("fast", 1), TaskManager.sleep_ms(5)) == [
        "slow",
        "fast",
        None,
    ]
    assert order == ["fast", "slow"]


async def test_gather_takes_tasks_that_have_ended_that_others_await_and_one_twice():
    ended, shared = TaskManager.create_task(value(1)), TaskManager.create_task(value(2, 5))
    await ended
    other = TaskManager.create_task(TaskManager.wait_for(shared, 1))
    assert await TaskManager.gather(ended, shared, value(3), shared) == [1, 2, 3, 2]
    assert await other == 2
    assert await TaskManager.gather() == []


async def test_gather_raises_the_first_exception_at_once_and_reports_later_ones():
    reports = []
    TaskManager.set_exception_handler(reports.append)
    slow = []

    async def fail_later():
        await TaskManager.sleep_ms(20)
        slow.append(True)
        raise ValueError("second")

    try:
        await TaskManager.gather(fail_later(), fail(KeyError("first")), value(1))
        raise AssertionError("no exception")
    except KeyError:
        assert not slow
    await until(lambda: reports)
    assert [str(report["exception"]) for report in reports] == ["second"]


async def test_cancelling_gather_cancels_all():
    ended = []

    async def wait():
        try:
            await TaskManager.sleep(10)
        finally:
            ended.append(True)

    task = TaskManager.create_task(TaskManager.gather(wait(), TaskManager.create_task(wait())))
    await TaskManager.sleep_ms(2)
    task.cancel()
    await until(lambda: len(ended) == 2)
    assert task.done()


async def test_gather_can_give_exceptions_as_results():
    results = await TaskManager.gather(value(1), fail(ValueError("x")), return_exceptions=True)
    assert results[0] == 1
    assert isinstance(results[1], ValueError)


async def test_an_event_may_be_awaited_or_not():
    direct = TaskManager.notify_event()
    awaited = await TaskManager.notify_event()
    for event in (direct, awaited):
        waiter = TaskManager.create_task(event.wait())
        await TaskManager.sleep_ms(1)
        assert not waiter.done()
        event.set()
        await TaskManager.sleep_ms(1)
        assert waiter.done()


def test_start_runs_until_stop_and_again_and_keeps_the_tasks():
    ticks = []

    async def tick():
        while True:
            ticks.append(True)
            await TaskManager.sleep_ms(1)

    async def stop():
        await TaskManager.sleep_ms(10)
        TaskManager.stop()

    task = TaskManager.create_task(tick())
    counts = []
    for _ in range(3):
        TaskManager.create_task(stop())
        TaskManager.start()
        assert not TaskManager.is_running()
        assert TaskManager.keep_running is False
        counts.append(len(ticks))
    task.cancel()
    assert 0 < counts[0] < counts[1] < counts[2]


async def test_starting_a_running_loop_is_an_error_that_says_so():
    for start in (TaskManager.start, lambda: TaskManager.run_until_complete(TaskManager.sleep_ms(1))):
        try:
            start()
            raise AssertionError("started twice")
        except RuntimeError as error:
            assert "running" in str(error)


def test_run_until_complete_returns_the_result_or_raises_what_it_raised():
    assert TaskManager.run_until_complete(value(5, 1)) == 5
    try:
        TaskManager.run_until_complete(fail(ValueError("out")))
        raise AssertionError("no exception")
    except ValueError:
        pass
    try:
        TaskManager.run_until_complete(value(1, 1000), timeout_ms=5)
        raise AssertionError("no timeout")
    except TimeoutError:
        pass


def test_names_that_os_code_uses():
    assert TaskManager.good_stack_size() >= 16 * 1024
    assert TaskManager.disabled is False
    assert len(TaskManager.task_list) >= 0


async def test_a_step_that_blocks_is_counted_with_its_time():
    import time

    async def hog():
        time.sleep_ms(80)
        await TaskManager.sleep_ms(1000)

    before = TaskManager.stats()["slow_steps"]
    TaskManager.create_task(hog())
    await TaskManager.sleep_ms(100)
    assert TaskManager.stats()["slow_steps"] > before
    assert named("hog")[0].longest_ms >= 70


async def test_without_statistics_steps_are_not_counted():
    TaskManager.enable_statistics(False)
    try:
        TaskManager.create_task(value(1, 1000), name="plain")
    finally:
        TaskManager.enable_statistics(True)
    await TaskManager.sleep_ms(1)
    assert named("plain")[0].steps == 0


async def test_a_task_created_in_a_thread_runs_on_the_loop():
    import _thread

    done = TaskManager.notify_event()
    seen = []

    async def work():
        seen.append(_thread.get_ident())
        done.set()

    _thread.start_new_thread(lambda: TaskManager.create_task(work(), "from thread"), ())
    await TaskManager.wait_for(done.wait(), 5)
    assert seen == [_thread.get_ident()]


def test_stop_from_a_thread_ends_an_idle_loop():
    import _thread

    def stop():
        while not TaskManager.is_running():
            time.sleep_ms(1)
        TaskManager.stop()

    _thread.start_new_thread(stop, ())
    TaskManager.start()
    assert not TaskManager.is_running()
