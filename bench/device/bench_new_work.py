"""Work that begins while the loop sleeps: tasks of callbacks, threads and interrupts, timers, animations."""

import _thread
import asyncio
import time
from time import ticks_diff, ticks_ms, ticks_us

import bench_board
import lvgl as lv
from asyncio_way import schedule
from ways import new_way

_ANIMATIONS = 10
_PERIODS_MS = (5, 12, 20, 33, 47)


def measure(way, gaps_ms):
    """For each kind of work how late it began, one figure for each of `gaps_ms` (the time slept before).

    Tasks and animations in us after they were started; timers in ms of `ticks_ms`, which is what LVGL counts
    in, after their time (negative: early).
    """
    driver = new_way(way, bench_board.start())
    return driver.run(_all_kinds(driver, gaps_ms))


async def _all_kinds(driver, gaps_ms):
    await asyncio.sleep_ms(200)
    return {
        "title": driver.title,
        "task_from_callback": await _tasks_from_callback(driver, gaps_ms),
        "task_from_thread": await _tasks_from_thread(driver, gaps_ms),
        "task_from_interrupt": await _tasks_from_interrupt(driver, gaps_ms),
        "timer_created": await _timers_created(driver, gaps_ms),
        "timer_resumed": await _timers_resumed(driver, gaps_ms),
        "animation": await _animations(driver, gaps_ms),
    }


class _Arrivals:
    """What came how late; `all_here` is set when `expected` have come."""

    def __init__(self, expected):
        self.began_ms = ticks_ms()  # When the present one was started.
        self.began_us = ticks_us()
        self.period_ms = 0
        self.late = []
        self.next = asyncio.Event()
        self.all_here = asyncio.Event()
        self._expected = expected

    def note(self, late):
        self.late.append(late)
        self.next.set()
        if len(self.late) == self._expected:
            self.all_here.set()

    async def first_step(self, began):
        """The task whose start is measured."""
        self.note(ticks_diff(ticks_us(), began))


async def _tasks_from_callback(driver, gaps_ms):
    arrivals = _Arrivals(len(gaps_ms))

    def callback(timer):
        driver.create_task(arrivals.first_step(ticks_us()))

    for gap_ms in gaps_ms:
        arrivals.next.clear()
        driver.call(_start_timer, callback, gap_ms)
        await driver.wait(arrivals.next)
    return arrivals.late


async def _tasks_from_thread(driver, gaps_ms):
    arrivals = _Arrivals(len(gaps_ms))

    def thread():
        for gap_ms in gaps_ms:
            time.sleep_ms(gap_ms)
            driver.create_task_in_thread(arrivals.first_step(ticks_us()))

    _thread.start_new_thread(thread, ())
    await driver.wait(arrivals.all_here)
    return arrivals.late


async def _tasks_from_interrupt(driver, gaps_ms):
    arrivals = _Arrivals(len(gaps_ms))

    def interrupt(_):
        driver.create_task(arrivals.first_step(ticks_us()))

    def thread():
        for gap_ms in gaps_ms:
            time.sleep_ms(gap_ms)
            schedule(interrupt, None)

    _thread.start_new_thread(thread, ())
    # On a desktop a scheduled callback waits for the end of the poll; it is measured from its own begin.
    while not arrivals.all_here.is_set():
        await asyncio.sleep_ms(7)
    return arrivals.late


async def _timers_created(driver, gaps_ms):
    arrivals = _Arrivals(len(gaps_ms))

    def callback(timer):
        arrivals.note(ticks_diff(ticks_ms(), arrivals.began_ms) - arrivals.period_ms)

    for number, gap_ms in enumerate(gaps_ms):
        arrivals.period_ms = _PERIODS_MS[number % len(_PERIODS_MS)]
        await asyncio.sleep_ms(gap_ms)
        arrivals.next.clear()
        arrivals.began_ms = ticks_ms()
        driver.call(_start_timer, callback, arrivals.period_ms)
        await driver.wait(arrivals.next)
    return arrivals.late


async def _timers_resumed(driver, gaps_ms):
    """Timers that were paused for longer than their period: LVGL calls them as soon as they are resumed."""
    arrivals = _Arrivals(len(gaps_ms))

    def callback(timer):
        timer.pause()
        arrivals.note(ticks_diff(ticks_ms(), arrivals.began_ms))

    timer = driver.call(lv.timer_create, callback, 5, None)
    driver.call(timer.pause)
    for gap_ms in gaps_ms:
        await asyncio.sleep_ms(gap_ms + 5)
        arrivals.next.clear()
        arrivals.began_ms = ticks_ms()
        driver.call(timer.resume)
        await driver.wait(arrivals.next)
    driver.call(timer.delete)
    return arrivals.late


async def _animations(driver, gaps_ms):
    gaps_ms = gaps_ms[:_ANIMATIONS]
    arrivals = _Arrivals(len(gaps_ms))
    steps = [0]

    def step(animation, value):
        # The first call is made by start() itself.
        steps[0] += 1
        if steps[0] == 2:
            arrivals.note(ticks_diff(ticks_us(), arrivals.began_us))

    for gap_ms in gaps_ms:
        await asyncio.sleep_ms(gap_ms)
        arrivals.next.clear()
        steps[0] = 0
        arrivals.began_us = ticks_us()
        driver.call(_start_animation, step)
        await driver.wait(arrivals.next)
        await asyncio.sleep_ms(250)  # Its end: while one runs, the next would begin with the same timer.
    return arrivals.late


def _start_timer(callback, period_ms):
    lv.timer_create(callback, period_ms, None).set_repeat_count(1)


def _start_animation(step):
    animation = lv.anim_t()
    animation.init()
    animation.set_duration(150)
    animation.set_values(0, 1000)
    animation.set_custom_exec_cb(step)
    animation.start()
