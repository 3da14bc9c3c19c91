"""Heap that frames cost: an animation driven by the loop, and by the smallest loop there can be."""

import asyncio
import gc
import time
from time import ticks_diff, ticks_ms

import bench_board
import lvgl as lv

from mpos.ui.frame_counter import frame_counter

_FRAME_MS = 33  # LV_DEF_REFR_PERIOD


def measure_loop(milliseconds):
    """Bytes a turn and a frame with LvglLoop."""
    from mpos_way import MposWay

    driver = MposWay(_scrolling())
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
    """Bytes a frame in the smallest loop there can be, without asyncio: what the binding itself allocates."""
    hardware = _scrolling()
    for one in hardware.inputs:
        getattr(one.indev, "_indev_drv", one.indev).set_mode(lv.INDEV_MODE.EVENT)  # As the loop has them.
    counter = frame_counter(hardware.display)
    _drive(counter, 200)
    gc.collect()
    gc.disable()
    heap = gc.mem_alloc()
    frames = _drive(counter, milliseconds)
    heap = gc.mem_alloc() - heap
    gc.enable()
    return heap / frames


def _scrolling():
    hardware = bench_board.start()
    # Text that scrolls for ever: one area a frame, and so one call of the flush callback.
    label = lv.label(lv.screen_active())
    label.set_long_mode(lv.label.LONG_MODE.SCROLL_CIRCULAR)
    label.set_width(100)
    label.set_text("a text that is longer than its label, and scrolls")
    return hardware


def _drive(counter, milliseconds):
    began = last = ticks_ms()
    frames = 0
    while ticks_diff(last, began) < milliseconds:
        now = ticks_ms()
        lv.tick_inc(ticks_diff(now, last))
        last = now
        wait_ms = lv.timer_handler()
        if counter.take():
            frames += 1
        time.sleep_ms(min(wait_ms, _FRAME_MS))
    return frames
