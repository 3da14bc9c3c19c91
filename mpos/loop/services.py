"""Services: the tasks that the loop itself needs, each kept running for its owner.

A supervised task starts its function again after a crash, later each time.
"""

from asyncio import CancelledError
from time import ticks_diff, ticks_ms

from micropython import const

from .waiting import sleep_ms

_STEADY_MS = const(30000)  # What ran this long has recovered: its delay starts anew.


class Services:
    """Supervised tasks by name, run by `runner`."""

    def __init__(self, runner):
        self._runner = runner
        self._running = {}  # name: (owner, task)

    def serve(self, name, owner, factory):
        """Keep `factory()` running for `owner` under `name`. Returns the new task, or None if it did already
        or the TaskManager is disabled."""
        known = self._running.get(name)
        if known is not None and known[0] is owner and not known[1].done():
            return None
        self.end(name)
        task = self._runner.create_task(supervise(self._runner, factory, name, restart_on_return=True), name)
        if task is not None:
            self._running[name] = (owner, task)
        return task

    def end(self, name):
        """End the service, if there is one of this name."""
        known = self._running.pop(name, None)
        if known is not None:
            self._runner.end_task(known[1])

    def tasks(self):
        """The tasks of all services."""
        return [task for _, task in self._running.values()]

    def has(self, name):
        """Whether the service runs."""
        known = self._running.get(name)
        return known is not None and not known[1].done()

    def forget(self):
        """Forget all services, whose tasks are in no queue any more."""
        self._running = {}


async def supervise(runner, factory, name, first_delay_ms=200, max_delay_ms=30000, restart_on_return=False):
    """Run `factory()`, again after each crash, and after each return with `restart_on_return`.

    The first restart comes after `first_delay_ms`, each further one after twice the time, up to
    `max_delay_ms`, until it has run for 30 s.
    """
    delay_ms = first_delay_ms
    began = ticks_ms()
    while True:
        # One `try` around all of it: without memory each line may fail, and the task must live on.
        try:
            began = ticks_ms()
            result = await factory()
            if not restart_on_return:
                return result
        except (CancelledError, GeneratorExit, SystemExit):
            raise
        except BaseException as error:
            runner.failed(error, "Supervised task '{}' failed and will be started again", name)
        if not 0 <= ticks_diff(ticks_ms(), began) <= _STEADY_MS:  # Below 0: it ran for days.
            delay_ms = first_delay_ms
        await sleep_ms(delay_ms)
        delay_ms = min(delay_ms * 2, max_delay_ms)


def watchdog_feeder(timeout_ms):
    """Start the board's watchdog and return the coroutine function that feeds it.

    The board is reset when that has not run for `timeout_ms`. Raises RuntimeError where the board has none.
    """
    try:
        from machine import WDT
    except ImportError:
        raise RuntimeError("this board has no watchdog: start without watchdog_ms")

    watchdog = WDT(timeout=timeout_ms)  # From now on, before any task has its first step.

    async def feed():
        while True:
            watchdog.feed()
            await sleep_ms(timeout_ms // 3)

    return feed
