"""An idle screen costs nothing: no turns, no polls, no heap."""

import gc

from mpos import TaskManager

REQUIRES = ("idle",)


async def test_an_idle_screen_neither_turns_nor_polls_nor_allocates(lvgl_loop, screen):
    # A step in which the computer stands still is none to report: that would use heap.
    TaskManager.enable_statistics(True, slow_step_ms=1000000)
    await TaskManager.sleep_ms(150)
    gc.collect()
    before = TaskManager.stats()
    turns, polls = before["lvgl"]["turns"], before["polls"]
    await TaskManager.sleep_ms(1)
    heap = gc.mem_alloc()
    await TaskManager.sleep_ms(1500)
    grown = gc.mem_alloc() - heap
    after = TaskManager.stats()
    assert grown == 0, grown
    assert after["lvgl"]["turns"] - turns <= 3
    assert after["polls"] - polls <= 8
