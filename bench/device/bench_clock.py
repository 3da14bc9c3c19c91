"""LVGL's clock against the wall's, idle and under load."""

import asyncio
from time import ticks_diff, ticks_ms

import bench_board
import lvgl as lv
from ways import new_way


def measure(way, milliseconds, loaded):
    """How fast LVGL's clock runs (1.0: as the wall's) and by how many ms it was behind, at worst, when a
    coroutine looked. `loaded`: an animation runs and a task works for 15 of every 30 ms."""
    hardware = bench_board.start()
    if loaded:
        lv.spinner(lv.screen_active()).set_size(60, 60)
    driver = new_way(way, hardware)
    result = driver.run(_measure(driver, milliseconds, loaded))
    result["title"] = driver.title
    return result


async def _measure(driver, milliseconds, loaded):
    await asyncio.sleep_ms(100)
    worker = driver.create_task(_work()) if loaded else None
    await asyncio.sleep_ms(100)
    began, lv_began = ticks_ms(), lv.tick_get()
    worst = 0
    elapsed = 0
    while elapsed < milliseconds:
        # Neither too often, which would keep every way's clock right, nor in step with anything.
        await asyncio.sleep_ms(43 + elapsed % 61)
        elapsed = ticks_diff(ticks_ms(), began)
        lag = elapsed - (lv.tick_get() - lv_began)
        if lag > worst:
            worst = lag
    if worker is not None:
        worker.cancel()
    return {"rate": (lv.tick_get() - lv_began) / elapsed, "lag": worst}


async def _work():
    while True:
        began = ticks_ms()
        while ticks_diff(ticks_ms(), began) < 15:
            pass
        await asyncio.sleep_ms(15)
