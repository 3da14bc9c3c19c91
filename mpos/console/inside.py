"""`asyncio.run(main())` in a command that does not await, such as a script that ends in it.

The command's step lasts until `main` is done; the loop goes on meanwhile, from within that step.
"""

from asyncio import CancelledError

from micropython import kbd_intr

from ..loop.runner import runner

_CTRL_C = 3


class _Typed:
    """What is typed while `main` runs: a Ctrl-C cancels it, the rest is kept."""

    def __init__(self, source, main):
        self.rest = b""
        self.has_interrupted = False
        self._source = source
        self._main = main

    async def watch(self):
        while True:
            chunk = await self._source.read()
            if not chunk:
                return
            if _CTRL_C in chunk:
                self.has_interrupted = True
                self._main.cancel()
                chunk = chunk[chunk.rfind(b"\x03") + 1 :]
            self.rest += chunk


def run_inside(source, run, main):
    """Call `run(main)`, which runs the loop until the task `main` is done, and end `main` at a Ctrl-C that
    `source` (an Input) brings. Returns (result, exception or None, what else was typed)."""
    typed = _Typed(source, main)
    watch = runner.create_task(typed.watch(), "typed")
    value = error = None
    kbd_intr(-1)  # In here a Ctrl-C is a byte.
    try:
        value = run(main)
    except BaseException as raised:
        error = raised
        if typed.has_interrupted and isinstance(raised, CancelledError):
            error = KeyboardInterrupt()
    finally:
        kbd_intr(_CTRL_C)
        if watch is not None:
            watch.cancel()
    return value, error, typed.rest
