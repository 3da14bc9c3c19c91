"""A coroutine that calls LVGL's handler at a fixed period: what one writes first."""

import asyncio
from time import ticks_diff, ticks_ms

import lvgl as lv
from asyncio_way import AsyncioWay


class CoroutineWay(AsyncioWay):
    """`period_ms` is 33, LVGL's refresh period."""

    period_ms = 33
    title = "coroutine, 33 ms"

    async def _main(self, coroutine):
        driver = asyncio.create_task(self._drive())
        try:
            return await coroutine
        finally:
            driver.cancel()

    async def _drive(self):
        last = ticks_ms()
        while True:
            now = ticks_ms()
            lv.tick_inc(ticks_diff(now, last))
            last = now
            self.turns += 1
            lv.timer_handler()
            await asyncio.sleep_ms(self.period_ms)
