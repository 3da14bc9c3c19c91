"""Ends a coroutine at each of its awaits in turn, for tests that look at what it leaves behind."""

import asyncio
import time
from asyncio import core

STUCK_MS = 150  # without a step: it waits for something that does not come


class _Counted:
    """A coroutine whose steps are counted, for a task."""

    def __init__(self, coroutine):
        self._coroutine = coroutine
        self.steps = 0

    def send(self, value):
        self.steps += 1
        return self._coroutine.send(value)

    def throw(self, error):
        return self._coroutine.throw(error)


class Interrupted(BaseException):
    """Like KeyboardInterrupt it is no Exception, but the loop of the test survives it."""


class _Interrupting(_Counted):
    """As a Ctrl-C would, raises in the coroutine's step number `stop` instead of going on."""

    def __init__(self, coroutine, stop):
        super().__init__(coroutine)
        self._stop = stop

    def send(self, value):
        if self.steps == self._stop:
            try:
                self.throw(Interrupted())
            except Interrupted:
                pass
            raise StopIteration
        return super().send(value)


async def cancel_at_each_await(function, arguments, check):
    """Run the coroutine function again and again, and cancel it at its first, second, ... await.

    `await check()` after each. Ends when the function ends, or waits for ever, before there is a next await.
    Returns the number of awaits.
    """
    step = 0
    while True:
        step += 1
        counted = _Counted(function(*arguments))
        task = asyncio.create_task(counted)
        ended = await _reaches(task, counted, step)
        task.cancel()
        try:
            await task
        except core.CancelledError:
            pass
        await check()
        if ended or counted.steps < step:
            return step


async def interrupt_at_each_await(function, arguments, check):
    """The same with an exception that hits the coroutine in a step of its own, as Ctrl-C does."""
    step = 0
    while True:
        step += 1
        counted = _Interrupting(function(*arguments), step)
        task = asyncio.create_task(counted)
        stuck = not await _reaches(task, counted, step + 1)
        if stuck:
            task.cancel()
        try:
            await task
        except core.CancelledError:
            pass
        await check()
        if stuck or counted.steps < step:
            return step


async def _reaches(task, counted, step):
    """Wait until the coroutine is at that await; whether it ended before. Returns early if it is stuck."""
    last = counted.steps
    moved = time.ticks_ms()
    while counted.steps < step:
        if task.done():
            return True
        if counted.steps != last:
            last = counted.steps
            moved = time.ticks_ms()
        elif time.ticks_diff(time.ticks_ms(), moved) > STUCK_MS:
            return False
        await asyncio.sleep_ms(0)  # runs between any two steps of the task
    return task.done()
