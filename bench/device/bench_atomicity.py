"""Whether LVGL's callbacks run between two statements of a coroutine."""

import asyncio
from time import ticks_diff, ticks_ms, ticks_us

import bench_board
import lvgl as lv
from ways import new_way

_WORK_US = 3000


def measure(way, milliseconds):
    """A coroutine adds 1 to `a`, works, and adds 1 to `b`; an LVGL timer counts when they are not equal."""
    hardware = bench_board.start()
    state = _State()
    lv.timer_create(state.look, 5, None)
    driver = new_way(way, hardware)
    driver.run(_work(state, milliseconds))
    return {"title": driver.title, "torn": state.torn, "looks": state.looks, "pairs": state.b}


class _State:
    """Two numbers that are equal whenever a coroutine awaits."""

    def __init__(self):
        self.a = self.b = 0
        self.looks = self.torn = 0

    def look(self, timer):
        self.looks += 1
        if self.a != self.b:
            self.torn += 1


async def _work(state, milliseconds):
    began = ticks_ms()
    while ticks_diff(ticks_ms(), began) < milliseconds:
        state.a += 1
        started = ticks_us()
        while ticks_diff(ticks_us(), started) < _WORK_US:
            pass
        state.b += 1
        await asyncio.sleep_ms(3)
