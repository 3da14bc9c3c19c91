"""From `label.set_text()` in a coroutine to the flush callback."""

import asyncio
from time import ticks_diff, ticks_us

import bench_board
import lvgl as lv
from ways import new_way


def measure(way, gaps_ms, resize):
    """The times in us, one for each of `gaps_ms`, the time between the last flush and the change.

    `resize`: each text changes the label's size.
    """
    hardware = bench_board.start()
    flushes = bench_board.Flushes(hardware)
    label = lv.label(lv.screen_active())
    if not resize:
        label.set_width(200)
    driver = new_way(way, hardware)
    return {"title": driver.title, "us": driver.run(_updates(driver, flushes, label, gaps_ms, resize))}


async def _updates(driver, flushes, label, gaps_ms, resize):
    # The same digit again and again in the one case, another number of digits each time in the other.
    texts = ["1" * (1 + number % 7 if resize else 5) + str(number % 10) for number in range(70)]
    await asyncio.sleep_ms(200)
    times = []
    number = 0
    for gap_ms in gaps_ms:
        await asyncio.sleep_ms(gap_ms)
        number += 1
        flushes.expect()
        began = ticks_us()
        driver.call(label.set_text, texts[number % 70])
        await driver.wait(flushes.happened)
        times.append(ticks_diff(flushes.first_us, began))
    return times
