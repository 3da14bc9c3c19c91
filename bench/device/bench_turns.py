"""What a turn and a wake of LvglLoop cost, in heap and in time, with many tasks asleep."""

import gc
import random
from asyncio import core
from time import ticks_diff, ticks_us

import bench_board
from mpos_way import MposWay

_SLEEP_MS = 1000000


def measure_heap(turns):
    """Bytes of a wake, of a turn, and of a second in which nothing happens."""
    driver = MposWay(bench_board.start())
    return driver.run(_heap(driver.loop, turns))


async def _heap(loop, turns):
    await core.sleep_ms(200)
    rounds = range(turns)
    gc.collect()
    gc.disable()
    await _wake_and_turn(loop, rounds)  # What is made once and then kept is made now.
    wakes, all_turns = await _wake_and_turn(loop, rounds)
    begin = gc.mem_alloc()
    await core.sleep_ms(2100)
    idle = gc.mem_alloc() - begin
    gc.enable()
    return {"wake": wakes / turns, "turn": all_turns / turns, "idle_second": idle / 2.1}


async def _wake_and_turn(loop, rounds):
    """Bytes of all wakes, and of all turns with them."""
    wakes = 0
    begin = gc.mem_alloc()
    for _ in rounds:
        before = gc.mem_alloc()
        loop.wake()
        wakes += gc.mem_alloc() - before
        await core.sleep_ms(0)
        await core.sleep_ms(0)
    return wakes, gc.mem_alloc() - begin


def measure_scale(sleepers, rounds):
    """us, a list each, for `sleepers` tasks that sleep: of a turn of the loop that was woken for it, and of
    waking one of the sleepers."""
    driver = MposWay(bench_board.start())
    tasks = [driver.create_task(_sleeper()) for _ in range(sleepers)]
    return driver.run(_scale(driver.loop, tasks, rounds))


async def _sleeper():
    while True:
        await core.sleep_ms(_SLEEP_MS + random.getrandbits(10))


async def _scale(loop, tasks, rounds):
    await core.sleep_ms(200)
    turns = []
    wakes = []
    queue = core._task_queue
    for _ in range(rounds):
        gc.collect()
        began = ticks_us()
        for _ in range(10):
            loop.wake()
            await core.sleep_ms(0)
        turns.append(ticks_diff(ticks_us(), began) / 10)
        chosen = [random.choice(tasks) for _ in range(10)]
        began = ticks_us()
        for task in chosen:
            # As LvglLoop.wake and timeouts do it.
            queue.remove(task)
            queue.push(task)
            await core.sleep_ms(0)
        wakes.append(ticks_diff(ticks_us(), began) / 10)
    return {"turn": turns, "wake": wakes}
