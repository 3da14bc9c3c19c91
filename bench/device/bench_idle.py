"""An idle screen. The host measures the process meanwhile, between two lines that this prints."""

import _thread
import asyncio

import bench_board
import lvgl as lv
from ways import new_way


def measure(way, milliseconds, threads):
    """Turns and polls a second. `threads`: how many threads wait that may post at any time."""
    hardware = bench_board.start()
    lv.label(lv.screen_active()).set_text("idle")
    driver = new_way(way, hardware)
    gate = _thread.allocate_lock()
    gate.acquire()
    for _ in range(threads):
        _thread.start_new_thread(_wait_and_post, (gate,))
    try:
        turns, polls = driver.run(_idle(driver, milliseconds))
    finally:
        gate.release()
    return {
        "title": driver.title,
        "turns": turns * 1000 / milliseconds,
        "polls": polls * 1000 / milliseconds,
    }


async def _idle(driver, milliseconds):
    await asyncio.sleep_ms(300)
    turns, polls = driver.turns, driver.polls
    print("idle begins")
    await asyncio.sleep_ms(milliseconds)
    # This task's own wake takes two polls: one that ends it and one that looks for events.
    turns, polls = driver.turns - turns, driver.polls - polls - 2
    print("idle ends")
    return turns, polls


def _wait_and_post(gate):
    from mpos import UiBridge

    with gate:
        UiBridge.post(_nothing)


def _nothing():
    pass
