"""Smoke tests: what the loop costs, in time and in heap."""

import gc
from time import ticks_diff, ticks_us

import lvgl as lv
from reporting import record, record_spread

from mpos import TaskManager

TIMEOUT = 30

_TASKS = 20


async def _late(delays_ms):
    late = []
    for delay_ms in delays_ms:
        began = ticks_us()
        await TaskManager.sleep_ms(delay_ms)
        late.append(ticks_diff(ticks_us(), began) / 1000 - delay_ms)
    return late


async def test_sleeps_are_as_long_as_asked_for(lvgl_loop, screen):
    await TaskManager.sleep_ms(200)
    gc.collect()
    idle = await _late((1, 2, 5, 10, 20, 50, 100) * 3)
    record_spread("late while idle", idle, "ms")
    spinner = lv.spinner(screen)
    spinner.set_size(60, 60)
    await TaskManager.sleep_ms(100)
    busy = await _late((1, 2, 5, 10, 20, 50, 100) * 3)
    record_spread("late beside an animation", busy, "ms")
    # A sleep may not end early (asyncio counts whole milliseconds), and a median of a frame is no accident.
    assert min(idle + busy) > -1.1, "a sleep ended %.2f ms early" % -min(idle + busy)
    assert sorted(idle)[len(idle) // 2] < 10, "idle, and late by %r ms" % (idle,)


async def test_tasks_cost_little_and_give_it_back(lvgl_loop):
    async def sleeper():
        await TaskManager.sleep_ms(60000)

    async def some():
        """The us to start `_TASKS` tasks, and the bytes in use with them; they are ended again."""
        began = ticks_us()
        tasks = [TaskManager.create_task(sleeper()) for _ in range(_TASKS)]
        await TaskManager.sleep_ms(0)
        took = ticks_diff(ticks_us(), began)
        gc.collect()
        used = gc.mem_alloc()
        for task in tasks:
            task.cancel()
        await TaskManager.sleep_ms(1)
        return took, used

    alive = len(TaskManager.list_tasks())
    after = []
    for _ in range(4):
        took, used = await some()
        gc.collect()
        after.append(gc.mem_alloc())
    # What grows once, such as the list of tasks, stays. What is lost is lost each time.
    before, left = after[-1], min([after[n + 1] - after[n] for n in range(3)])
    record("a sleeping task", (used - before) // _TASKS, "bytes")
    record("create and start a task", took // _TASKS, "us")
    record("left of each %d ended tasks" % _TASKS, left, "bytes")
    assert len(TaskManager.list_tasks()) == alive
    assert left < 300, "%d bytes are left of %d tasks that ended" % (left, _TASKS)


async def test_a_screen_that_is_updated_for_long_needs_no_more_heap(lvgl_loop, screen):
    label = lv.label(screen)
    texts = ["%d" % number for number in range(10)]
    used = []
    for _ in range(3):
        for number in range(50):
            label.set_text(texts[number % 10])
            await TaskManager.sleep_ms(10)
        gc.collect()
        used.append(gc.mem_alloc())
    record("heap in use", used[-1] // 1024, "KB")
    record("heap free", gc.mem_free() // 1024, "KB")
    record("grown by the last 100 updates", used[2] - used[0], "bytes")
    assert used[2] - used[0] < 500, "%r bytes in use after each 50 updates" % (used,)
