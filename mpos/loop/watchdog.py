"""The board's watchdog, fed for as long as the loop turns."""

from asyncio import core


def feeder(timeout_ms):
    """Start the watchdog and return the coroutine function that feeds it.

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
            await core.sleep_ms(timeout_ms // 3)

    return feed
