"""TaskScope and TaskManager.map: tasks end with their block, and no error is lost."""

from conditions import until

from mpos import TaskManager, TaskScope


class Reports:
    def __init__(self):
        self.errors = []
        TaskManager.set_exception_handler(lambda context: self.errors.append(str(context["exception"])))


async def work(log, name, ms=5, error=None):
    try:
        await TaskManager.sleep_ms(ms)
        if error is not None:
            raise error
        log.append(name)
        return name
    except TaskManager.CancelledError:
        log.append(name + " cancelled")
        raise


async def test_the_block_ends_when_its_tasks_have_ended():
    log = []
    async with TaskScope() as scope:
        task = scope.create_task(work(log, "a"))
        scope.create_task(work(log, "b", 10))
        assert await task == "a"
    assert log == ["a", "b"]


async def test_the_first_error_cancels_the_others_and_is_raised_and_none_is_lost():
    reports = Reports()
    log = []

    async def stubborn():
        try:
            await TaskManager.sleep(100)
        finally:
            raise ValueError("second")

    try:
        async with TaskScope() as scope:
            scope.create_task(work(log, "slow", 100000))
            scope.create_task(stubborn())
            scope.create_task(work(log, "bad", 5, ValueError("first")))
            await TaskManager.sleep(100)
            log.append("never")
        raise AssertionError("no error")
    except ValueError as error:
        assert str(error) == "first"
    assert log == ["slow cancelled"]
    await until(lambda: reports.errors)
    assert reports.errors == ["second"]


async def test_an_error_of_the_block_cancels_its_tasks_and_goes_on():
    log = []
    try:
        async with TaskScope() as scope:
            scope.create_task(work(log, "a", 100000))
            raise ValueError("of the block")
    except ValueError as error:
        assert str(error) == "of the block"
    assert log in ([], ["a cancelled"])  # It may not have begun.
    assert not [one for one in TaskManager.list_tasks() if one.name == "work"]


async def test_a_cancelled_block_cancels_its_tasks_and_awaits_them():
    log = []

    async def outer():
        async with TaskScope() as scope:
            scope.create_task(work(log, "a", 100000))
            scope.create_task(work(log, "b", 100000))

    for ms in (0, 1, 5):
        log.clear()
        task = TaskManager.create_task(outer())
        await TaskManager.sleep_ms(ms)
        task.cancel()
        try:
            await task
            assert ms == 0
        except TaskManager.CancelledError:
            pass
        assert not [one for one in TaskManager.list_tasks() if one.name == "work"], ms


async def test_a_task_that_is_cancelled_before_its_first_step_does_not_hang_the_block():
    log = []
    async with TaskScope() as scope:
        scope.create_task(work(log, "a")).cancel()
        scope.create_task(work(log, "b"))
    assert log == ["b"]


async def test_a_scope_that_has_ended_takes_no_task():
    async with TaskScope() as scope:
        pass
    for wrong in (scope, TaskScope()):
        try:
            wrong.create_task(work([], "a"))
            raise AssertionError("accepted")
        except RuntimeError:
            pass


async def test_scopes_nest_and_the_inner_ones_error_reaches_the_outer_block():
    log = []
    try:
        async with TaskScope() as outer:
            outer.create_task(work(log, "outer", 100000))
            async with TaskScope() as inner:
                inner.create_task(work(log, "inner", 1, ValueError("deep")))
    except ValueError as error:
        assert str(error) == "deep"
    assert log == ["outer cancelled"]


async def test_map_gives_results_and_errors_in_order_with_a_limit():
    running = [0, 0]

    async def load(number):
        running[0] += 1
        running[1] = max(running)
        await TaskManager.sleep_ms(10 - number)
        running[0] -= 1
        if number % 3 == 0:
            raise ValueError(number)
        return number * 10

    results = await TaskManager.map(load, range(8), limit=3)
    assert running[1] == 3
    assert [str(one) if isinstance(one, Exception) else one for one in results] == [
        "0",
        10,
        20,
        "3",
        40,
        50,
        "6",
        70,
    ]
    assert await TaskManager.map(load, []) == []
    assert await TaskManager.map(lambda n: n + 1, (n for n in (1, 2)), limit=9) == [2, 3]


async def test_map_that_is_cancelled_or_given_nonsense_leaves_no_task():
    async def forever(_):
        await TaskManager.sleep(100)

    task = TaskManager.create_task(TaskManager.map(forever, range(100)))
    await TaskManager.sleep_ms(2)
    assert len([one for one in TaskManager.list_tasks() if one.name == "map"]) == 5
    task.cancel()
    await until(task.done)
    assert not [one for one in TaskManager.list_tasks() if one.name == "map"]
    for function, items, limit in ((None, [1], 1), (forever, 5, 1), (forever, [1], 0)):
        try:
            await TaskManager.map(function, items, limit)
            raise AssertionError("accepted")
        except (TypeError, ValueError):
            pass
