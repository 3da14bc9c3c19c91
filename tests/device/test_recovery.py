"""What a Ctrl-C, an exit or a cancellation at an awkward moment leaves behind: nothing.

A Ctrl-C is raised at a branch of the code that runs. Here it is raised by code put in the place of what runs
at that moment, so that each moment is met every time; tests/host/test_ctrl_c.py meets them at random.
"""

import time
from asyncio import core

from conditions import until

from mpos import TaskManager, UiBridge
from mpos.loop import threads
from mpos.loop.runner import runner


def run_for(milliseconds):
    """Let the loop run, again after each Ctrl-C or exit; returns what it was left with."""
    left = []
    wait = TaskManager.create_task(TaskManager.sleep_ms(milliseconds))
    while not wait.done():
        try:
            TaskManager.run_until_complete(TaskManager.sleep_ms(milliseconds))
        except (KeyboardInterrupt, SystemExit) as error:
            left.append(type(error))
    return left


def run_until(condition):
    """Let the loop run in the manner of `run_for` until `condition()`, for a second at most."""
    left = []
    for _ in range(100):
        left += run_for(10)
        if condition():
            break
    return left


async def end_with(error, delay_ms=1):
    await TaskManager.sleep_ms(delay_ms)
    raise error


async def value(number, delay_ms=1):
    await TaskManager.sleep_ms(delay_ms)
    return number


def outcome_of(awaitable):
    """A list that gets what awaiting it gives: the value or the exception's class."""
    outcome = []

    async def wait():
        try:
            outcome.append(await awaitable)
        except BaseException as error:
            outcome.append(type(error))

    TaskManager.create_task(wait(), "waiter")
    return outcome


def test_whoever_awaits_a_task_that_exits_or_is_interrupted_gets_an_error():
    for error in (SystemExit, KeyboardInterrupt):
        outcome = outcome_of(TaskManager.create_task(end_with(error), "leaver"))
        # KeyboardInterrupt has ended a task that held the loop, and nothing else.
        assert run_until(lambda: outcome) == ([error] if error is SystemExit else [])
        assert outcome == [TaskManager.TaskInterrupted], outcome


def test_an_exception_that_asyncio_does_not_know_ends_its_task_and_nothing_else():
    outcome = outcome_of(TaskManager.create_task(end_with(GeneratorExit), "odd"))
    assert run_until(lambda: outcome) == []
    assert outcome == [RuntimeError]


def test_tasks_that_gather_or_wait_with_a_timeout_outlive_a_ctrl_c():
    gathered = outcome_of(TaskManager.gather(value(1, 20), value(2, 30)))
    waited = outcome_of(TaskManager.wait_for_ms(value(3, 20), 200))
    late = outcome_of(TaskManager.wait_for_ms(value(4, 200), 20))
    TaskManager.create_task(end_with(KeyboardInterrupt), "interrupted")
    assert run_until(lambda: gathered and waited and late) == []
    assert gathered == [[1, 2]], gathered
    assert waited == [3]
    assert late == [TaskManager.TimeoutError]


async def test_a_posted_call_may_raise_whatever_it_likes():
    calls = []
    TaskManager.set_exception_handler(lambda context: None)
    for error in (ValueError, TaskManager.CancelledError):

        def fail():
            raise error

        UiBridge.post(fail)
        UiBridge.post(calls.append, error)
        await until(lambda: error in calls)


def test_a_supervised_task_that_a_ctrl_c_ended_is_started_again():
    starts = []

    async def work():
        starts.append(True)
        await TaskManager.sleep_ms(1)
        if len(starts) < 4:
            raise KeyboardInterrupt

    task = TaskManager.create_supervised_task(work, restart_delay_ms=50, name="supervised")
    assert run_until(task.done) == []
    assert len(starts) == 4


async def test_waiting_for_a_thread_that_is_cancelled_does_not_take_anothers_turn():
    busy = [TaskManager.create_task(UiBridge.run_in_thread(time.sleep_ms, 30)) for _ in range(4)]
    await TaskManager.sleep_ms(1)
    impatient = [TaskManager.create_task(UiBridge.run_in_thread(time.sleep_ms, 1)) for _ in range(6)]
    patient = TaskManager.create_task(UiBridge.run_in_thread(lambda: "here"))
    await TaskManager.sleep_ms(1)
    for task in impatient:
        task.cancel()
    assert await TaskManager.wait_for(patient, 2) == "here"
    await TaskManager.gather(*busy)


async def test_a_thread_that_ends_while_heap_or_inbox_are_full_tells_later():
    inbox, errors = runner.inbox, [MemoryError(), RuntimeError()]
    whole = inbox.put

    def post(*arguments):
        if errors:
            raise errors.pop()
        whole(*arguments)

    inbox.put = post
    try:
        assert await TaskManager.wait_for(UiBridge.run_in_thread(lambda: 7), 2) == 7
    finally:
        inbox.put = whole
    assert not errors
    assert threads.running() == 0


async def test_an_input_whose_interrupt_found_the_inbox_full_is_read_at_the_next(lvgl_loop, screen):
    import lvgl as lv

    class Line:
        def irq(self, handler):
            self.fire = handler

    reads = []
    indev = lv.indev_create()
    indev.set_type(lv.INDEV_TYPE.KEYPAD)
    indev.set_read_cb(lambda indev, data: reads.append(True))
    line = Line()
    reader = lvgl_loop.add_input(indev, line)
    await TaskManager.sleep_ms(5)
    try:
        while True:
            line.fire(line)
            UiBridge.post(int)
            reader._pending = False
    except RuntimeError:
        pass
    await TaskManager.sleep_ms(20)
    reads.clear()
    line.fire(line)
    await until(lambda: reads)
    reader.close()


async def test_values_are_set_again_after_the_inbox_was_full(lvgl_loop, screen):
    import lvgl as lv

    label = lv.label(screen)
    await TaskManager.sleep_ms(50)
    try:
        while True:
            UiBridge.post(len, ())
    except RuntimeError:
        pass
    try:
        UiBridge.set_text(label, "no room")
        raise AssertionError("no exception")
    except RuntimeError as error:
        assert "full" in str(error)
    await TaskManager.sleep_ms(5)
    UiBridge.set_text(label, "room")
    await until(lambda: label.get_text() == "room")


async def test_values_outlive_the_loop_they_were_set_for(lvgl_loop, screen):
    import lvgl as lv

    from mpos import LvglLoop

    label = lv.label(screen)
    label.set_text("drawn")
    await TaskManager.sleep_ms(20)
    UiBridge.set_text(label, "before")
    UiBridge.post(TaskManager.detach)
    await TaskManager.sleep_ms(5)
    other = LvglLoop(lvgl_loop.display)
    TaskManager.attach(other)
    try:
        await until(lambda: label.get_text() == "before")
        UiBridge.set_text(label, "after")
        await until(lambda: label.get_text() == "after")
    finally:
        TaskManager.attach(lvgl_loop)
        other.close()


async def test_lvgl_can_be_detached_and_attached_in_its_own_callback(lvgl_loop, screen):
    import lvgl as lv

    label = lv.label(screen)
    reports = []
    TaskManager.set_exception_handler(reports.append)

    def swap(timer):
        TaskManager.detach()
        TaskManager.attach(lvgl_loop)

    for again in (lambda: UiBridge.timer(swap, 1, repeat=1), lambda: UiBridge.post(swap, None)):
        again()
        await TaskManager.sleep_ms(30)
        assert not reports, reports
        assert len([task for task in TaskManager.list_tasks() if task.name == "lvgl"]) == 1
        frames = lvgl_loop.stats()["frames"]
        label.set_text(label.get_text() + "!")
        await until(lambda: lvgl_loop.stats()["frames"] > frames)
        turns = lvgl_loop.stats()["turns"]
        lvgl_loop.wake()
        await TaskManager.sleep_ms(2)
        assert lvgl_loop.stats()["turns"] > turns


def test_what_ends_a_program_leaves_the_loop_from_a_callback_but_not_through_lvgl(lvgl_loop, screen):
    import lvgl as lv

    button = lv.button(screen)
    for error in (SystemExit, KeyboardInterrupt):

        def handler(event):
            button.delete()
            raise error

        button = lv.button(screen)
        UiBridge.on(button, lv.EVENT.CLICKED, handler)

        async def click():
            button.send_event(lv.EVENT.CLICKED, None)
            lv.label(screen).delete()

        clicking = TaskManager.create_task(click())
        assert run_until(clicking.done) == ([error] if error is SystemExit else [])
    reports = []
    TaskManager.set_exception_handler(lambda context: reports.append(context["name"]))

    def cancelled(timer):
        raise TaskManager.CancelledError

    def handle(context):
        reports.append(context["name"])
        raise TaskManager.CancelledError

    UiBridge.timer(cancelled, 1, repeat=1)
    run_until(lambda: reports)
    assert reports == ["cancelled"]
    TaskManager.set_exception_handler(handle)
    UiBridge.timer(cancelled, 1, repeat=1)
    run_until(lambda: len(reports) == 2)
    assert reports == ["cancelled", "cancelled"]
    assert not lvgl_loop.stats()["wedged"]


async def test_a_task_that_a_thread_made_can_be_cancelled_before_the_loop_has_seen_it():
    made = []
    ran = []

    async def work():
        ran.append(True)

    def thread():
        made.append(TaskManager.create_task(work()))

    import _thread

    _thread.start_new_thread(thread, ())
    deadline = time.ticks_add(time.ticks_ms(), 10000)
    while not made and time.ticks_diff(deadline, time.ticks_ms()) > 0:
        pass  # The loop must not turn meanwhile.
    # Of a task whose time is far away asyncio believes that it sleeps, and would queue it once more.
    assert 0 <= core.ticks_diff(core.ticks(), made[0].ph_key) < 11000
    TaskManager.cancel(made[0])
    await until(made[0].done)
    assert not ran


class Hog:
    """Takes all memory there is, until `free()`."""

    def __init__(self):
        # A chain, and not a list: that would need one large piece to grow.
        self.chain = None
        for size in (100000, 10000, 1000, 100, 1):
            try:
                while True:
                    self.chain = (self.chain, bytearray(size))
            except MemoryError:
                pass

    def free(self):
        self.chain = None


async def test_tasks_that_fail_while_the_heap_is_full_do_not_stop_the_loop():
    error = ValueError("prepared")
    freed = []
    starts = []

    async def fail():
        await TaskManager.sleep_ms(2)
        raise error

    async def supervised():
        starts.append(True)
        await TaskManager.sleep_ms(3)
        if len(starts) == 1:
            raise error

    async def free():
        await TaskManager.sleep_ms(10)
        hog.free()
        freed.append(True)

    supervising = TaskManager.create_supervised_task(supervised, restart_delay_ms=10)
    for coroutine, name in ((free(), None), (fail(), "fails"), (fail(), "fails, too")):
        TaskManager.create_task(coroutine, name)
    await TaskManager.sleep_ms(0)
    hog = Hog()
    await TaskManager.sleep_ms(20)
    assert freed
    await until(supervising.done)
    assert len(starts) == 2
    assert await TaskManager.create_task(value(7)) == 7


async def test_a_task_that_takes_all_memory_in_its_first_step_waits_once():
    counts = [0] * 3

    async def count(index):
        while True:
            counts[index] += 1
            await TaskManager.sleep_ms(1)

    async def greedy():
        hog = Hog()
        await TaskManager.sleep_ms(5)
        hog.free()
        for _ in range(20):
            await TaskManager.sleep_ms(1)
        return "well"

    tasks = [TaskManager.create_task(count(index)) for index in range(3)]
    for _ in range(3):
        assert await TaskManager.wait_for(TaskManager.create_task(greedy()), 2) == "well"
    before = counts.copy()
    await until(lambda: all(now > then for now, then in zip(counts, before)))
    for task in tasks:
        task.cancel()
