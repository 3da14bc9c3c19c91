"""Heap that frames cost: an animation driven by the loop, and by the smallest loop there can be."""

import asyncio
import gc
import time
from time import ticks_diff, ticks_ms

import bench_board
import lvgl as lv

_FRAME_MS = 33  # LV_DEF_REFR_PERIOD


def measure_loop(milliseconds):
    """Bytes a turn and a frame with LvglLoop."""
    from mpos_way import MposWay

    driver = MposWay(_spinning())
    return driver.run(_watch(driver.loop, milliseconds))


async def _watch(loop, milliseconds):
    await asyncio.sleep_ms(200)
    before = loop.stats()
    turns, frames = before["turns"], before["frames"]
    gc.collect()
    gc.disable()
    heap = gc.mem_alloc()
    await asyncio.sleep_ms(milliseconds)
    heap = gc.mem_alloc() - heap
    gc.enable()
    after = loop.stats()
    return {"turn": heap / (after["turns"] - turns), "frame": heap / (after["frames"] - frames)}


def measure_bare(milliseconds):
    """Bytes a frame without asyncio and without any code of mpos but the board's: the binding's own."""
    _spinning()
    _drive(200)
    gc.collect()
    gc.disable()
    heap = gc.mem_alloc()
    _drive(milliseconds)
    heap = gc.mem_alloc() - heap
    gc.enable()
    return heap / (milliseconds / _FRAME_MS)


def _spinning():
    hardware = bench_board.start()
    lv.spinner(lv.screen_active()).set_size(60, 60)
    return hardware


def _drive(milliseconds):
    began = last = ticks_ms()
    while ticks_diff(last, began) < milliseconds:
        now = ticks_ms()
        lv.tick_inc(ticks_diff(now, last))
        last = now
        time.sleep_ms(min(lv.timer_handler(), _FRAME_MS))
