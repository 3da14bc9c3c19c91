"""From a finger on the touch panel to the event callback of the widget under it."""

import asyncio
import time
from time import ticks_diff, ticks_us

import bench_board
import lvgl as lv
from ways import new_way

_X = _Y = 50


def measure(way, gaps_ms):
    """The times in us from a touch that a coroutine plays to the button's callback."""
    hardware = bench_board.start()
    events = _Events()
    driver = new_way(way, hardware)
    return {"title": driver.title, "us": driver.run(_touches(driver, events, _finger(hardware), gaps_ms))}


def listen(way, touches):
    """For touches that the host plays: the times of the callbacks as its clock tells them, in ns."""
    hardware = bench_board.start()
    events = _Events()
    driver = new_way(way, hardware)
    return {"title": driver.title, "ns": driver.run(_listen(driver, events, touches))}


class _Events:
    """A button that covers the screen, and what it was told."""

    def __init__(self):
        self.happened = asyncio.Event()
        self.at_us = 0
        self.at_ns = 0
        button = lv.button(lv.screen_active())
        # Only what the touch costs is measured, not the drawing of a pressed button.
        button.remove_style_all()
        button.set_size(lv.pct(100), lv.pct(100))
        button.add_event_cb(self._on_event, lv.EVENT.PRESSED, None)
        button.add_event_cb(self._on_event, lv.EVENT.RELEASED, None)

    def _on_event(self, event):
        self.at_us = ticks_us()
        self.at_ns = time.time_ns()
        self.happened.set()


def _finger(hardware):
    """A function of x, y and pressed that plays the finger."""
    if hardware.name == "unix_memory":
        return hardware.touch.touch
    line = hardware.inputs[0].interrupt  # SDL's events of the mouse

    def touch(x, y, pressed):
        line._event(0, 1 if pressed else 0, x, y, 0, 0)

    return touch


async def _touches(driver, events, touch, gaps_ms):
    await asyncio.sleep_ms(200)
    times = []
    pressed = False
    for gap_ms in gaps_ms:
        await asyncio.sleep_ms(gap_ms)
        pressed = not pressed
        events.happened.clear()
        began = ticks_us()
        touch(_X, _Y, pressed)
        await driver.wait(events.happened)
        times.append(ticks_diff(events.at_us, began))
    return times


async def _listen(driver, events, touches):
    await asyncio.sleep_ms(200)
    times = []
    print("ready for touches")
    for _ in range(touches):
        await driver.wait(events.happened)
        events.happened.clear()
        times.append(events.at_ns)
        print("touched")
    return times
