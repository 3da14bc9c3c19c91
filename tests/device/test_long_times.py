"""Times that are longer than MicroPython's clock can compare, which is 6 days on a 32-bit board.

Nobody can wait for that: here a day is a few ms long, or the clock is set to what it shows by then.
"""

from time import ticks_add, ticks_diff, ticks_ms

from mpos import TaskManager, TimeoutError
from mpos.loop import waiting


class Shortened:
    """Sleeps have parts of `milliseconds` only."""

    def __init__(self, milliseconds):
        self._part = milliseconds

    def __enter__(self):
        self._whole, waiting.PART_MS = waiting.PART_MS, self._part

    def __exit__(self, *_):
        waiting.PART_MS = self._whole


async def elapsed_ms(awaitable):
    began = ticks_ms()
    try:
        await awaitable
    except TimeoutError:
        pass
    return ticks_diff(ticks_ms(), began)


async def value(number, delay_ms):
    await TaskManager.sleep_ms(delay_ms)
    return number


async def test_a_sleep_of_any_length_begins_and_can_be_cancelled():
    for seconds in (86400 * 4, 86400 * 20, 86400 * 365 * 1000, 10**16):
        task = TaskManager.create_task(TaskManager.sleep(seconds))
        await TaskManager.sleep_ms(1)
        assert not task.done()
        task.cancel()
        await TaskManager.sleep_ms(1)
        assert task.done()
    for seconds in (-1, -0.001, -(10**16)):
        assert await elapsed_ms(TaskManager.sleep(seconds)) < 5000


async def test_a_long_sleep_is_not_cut():
    with Shortened(4):
        assert await elapsed_ms(TaskManager.sleep_ms(41)) >= 40


async def test_a_long_timeout_is_neither_cut_nor_waited_for_when_the_result_is_there():
    with Shortened(4):
        assert 40 <= await elapsed_ms(TaskManager.wait_for_ms(value(1, 20000), 41)) < 10000
        assert await TaskManager.wait_for_ms(value(7, 30), 10000) == 7
    assert await TaskManager.wait_for(value(7, 1), 10**16) == 7


async def test_a_sleep_can_be_waited_for_while_others_begin_to_sleep():
    task = TaskManager.create_task(TaskManager.wait_for(TaskManager.sleep_ms(30), 10))
    assert await elapsed_ms(task) >= 29


def test_a_sleep_can_be_run_until_its_end():
    began = ticks_ms()
    TaskManager.run_until_complete(TaskManager.sleep_ms(20), timeout_ms=10000)
    assert ticks_diff(ticks_ms(), began) >= 19


async def test_after_days_without_a_frame_values_are_still_shown_before_the_next(lvgl_loop, screen):
    import lvgl as lv
    from conditions import until

    from mpos import UiBridge

    label = lv.label(screen)
    label.set_text("before")
    await until(lambda: lvgl_loop.stats()["frames"])
    await TaskManager.sleep_ms(100)
    lvgl_loop._last_frame = ticks_add(ticks_ms(), 1 << 28)  # How 9 days ago looks on a 32-bit board.
    UiBridge.set_text(label, "after")
    await until(lambda: label.get_text() == "after", 2)


async def test_lvgls_clock_goes_on_when_nobody_looked_at_it_for_days(lvgl_loop):
    import lvgl as lv

    lvgl_loop._ticks = ticks_add(ticks_ms(), 1 << 28)
    await TaskManager.sleep_ms(10)
    before = lv.tick_get()
    await TaskManager.sleep_ms(30)
    assert lv.tick_get() - before >= 29
