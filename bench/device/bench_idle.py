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
    posters = _Posters(threads) if threads else None
    turns, polls = driver.run(_idle(driver, milliseconds))
    if posters is not None:
        driver.run(posters.end())
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


class _Posters:
    """Threads that wait, and each post once when they are let go."""

    def __init__(self, count):
        from mpos import UiBridge  # Here: threads of their own may not import at the same time.

        self._post = UiBridge.post
        self._missing = count
        self._gate = _thread.allocate_lock()
        self._gate.acquire()
        self._all_posted = asyncio.Event()
        for _ in range(count):
            _thread.start_new_thread(self._wait_and_post, ())

    def _wait_and_post(self):
        with self._gate:
            self._post(self._on_post)

    def _on_post(self):
        self._missing -= 1
        if not self._missing:
            self._all_posted.set()

    async def end(self):
        """Let them go and wait for what they post."""
        self._gate.release()
        await self._all_posted.wait()
