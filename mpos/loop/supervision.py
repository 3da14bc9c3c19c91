"""Supervision: a coroutine function is started again after a crash, later each time."""

from asyncio import core
from time import ticks_diff, ticks_ms

from micropython import const

_STEADY_MS = const(30000)  # What ran this long has recovered: its delay starts anew.


async def supervise(manager, factory, delays, restart_on_return, name):
    """Run `factory()`, again after each crash, and after each return with `restart_on_return`.

    `delays`: the first delay in ms and the longest. `manager` has `report` and `on_interrupt`.
    """
    first_delay_ms, max_delay_ms = delays
    delay_ms = first_delay_ms
    while True:
        began = ticks_ms()
        try:
            result = await factory()
            if not restart_on_return:
                return result
        except KeyboardInterrupt:
            # No failure of the task's: it goes on with the loop.
            manager.on_interrupt(name)
            await core.sleep_ms(0)
            continue
        except (core.CancelledError, GeneratorExit, SystemExit):
            raise
        except BaseException as error:
            manager.report(error, "Supervised task '{}' failed and will be started again", name)
        if not 0 <= ticks_diff(ticks_ms(), began) <= _STEADY_MS:  # Below 0: it ran for days.
            delay_ms = first_delay_ms
        await core.sleep_ms(delay_ms)
        delay_ms = min(delay_ms * 2, max_delay_ms)
