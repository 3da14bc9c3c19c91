"""The board under test: its display, its touch panel, and when frames are flushed."""

import asyncio
from time import ticks_us

import board
import lvgl as lv


def start():
    """Create display and touch, and show an empty screen that is drawn already. Once a boot."""
    hardware = board.init()
    if hardware.name == "unix_memory":
        from memory_touch import MemoryTouch

        hardware.touch = MemoryTouch(hardware)
    lv.screen_load(lv.obj(None))
    lv.refr_now(hardware.display)
    return hardware


class Flushes:
    """When the display is handed its first area after `expect()`; `happened` is an asyncio.Event."""

    def __init__(self, hardware):
        self.first_us = 0
        self.happened = asyncio.Event()
        self._expected = False
        if hardware.name == "unix_memory":
            hardware.display.set_flush_cb(self._flush)
        else:
            # LVGL sends it just before it calls the driver's flush callback.
            hardware.display.add_event_cb(self._on_event, lv.EVENT.FLUSH_START, None)

    def expect(self):
        self.happened.clear()
        self._expected = True

    def _flush(self, display, area, pixels):
        self._note()
        display.flush_ready()

    def _on_event(self, event):
        self._note()

    def _note(self):
        if self._expected:
            self.first_us = ticks_us()
            self._expected = False
            self.happened.set()


class Frames:
    """How many frames were drawn."""

    def __init__(self, hardware):
        self.count = 0
        hardware.display.add_event_cb(self._on_frame, lv.EVENT.RENDER_READY, None)

    def _on_frame(self, event):
        self.count += 1
