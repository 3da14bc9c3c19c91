"""What the ways of others have in common: stock asyncio, and LVGL driven by something beside it."""

import asyncio
import time
from asyncio import core

import micropython


def schedule(function, argument):
    """`micropython.schedule` from a thread, again and again until there is a place in its short queue."""
    while True:
        try:
            return micropython.schedule(function, argument)
        except RuntimeError:
            time.sleep_ms(1)


class CountingIOQueue(core.IOQueue):
    """asyncio's poll, counted."""

    polls = 0

    def wait_io_event(self, dt):
        self.polls += 1
        super().wait_io_event(dt)


class AsyncioWay:
    """A way of driving LVGL. All ways, ours too, have these attributes and methods.

    `title`: what tables call it. `turns`: how often LVGL's handler was called. `polls`: how often asyncio
    polled.
    """

    title = ""
    poll_ms = None  # The period of a task that does nothing but keep asyncio awake; None: there is none.

    def __init__(self, hardware):
        """Drive LVGL on the board's display from the next `run()` on."""
        self.turns = 0
        self._io = core._io_queue = CountingIOQueue()

    @property
    def polls(self):
        return self._io.polls

    def run(self, coroutine):
        """Run `coroutine` to its end and return its result."""
        return asyncio.run(self._main(coroutine))

    async def _main(self, coroutine):
        if self.poll_ms is None:
            return await coroutine
        work = asyncio.create_task(coroutine)
        while not work.done():
            await asyncio.sleep_ms(self.poll_ms)
        return await work

    def create_task(self, coroutine):
        """Start a task from the loop, an LVGL callback or a scheduled interrupt."""
        return asyncio.create_task(coroutine)

    def create_task_in_thread(self, coroutine):
        """Start a task from a thread: asyncio's own functions are not for threads."""
        schedule(asyncio.create_task, coroutine)

    def call(self, function, *arguments):
        """Call a function of LVGL from a coroutine."""
        return function(*arguments)

    async def wait(self, event):
        """Wait for an asyncio.Event that a callback of LVGL sets."""
        await event.wait()
