"""asyncio's doors lead to the runner: whatever starts a loop or a task by asyncio's own functions.

asyncio's core is Python; its functions look each other up in its globals, and so find these.
"""

import asyncio
from asyncio import core

from .runner import runner
from .waiting import as_coroutine


def create_task(coroutine):
    """asyncio.create_task."""
    if not hasattr(coroutine, "send"):
        coroutine = as_coroutine(coroutine)
    return runner.adopt(coroutine)


def run_until_complete(main_task=None):
    """asyncio.core.run_until_complete."""
    return runner.run(main_task)


def run(coroutine):
    """asyncio.run. Raises RuntimeError, with the coroutine closed, in a task of the running loop."""
    if runner.running and runner.guard is None:
        if hasattr(coroutine, "close"):
            coroutine.close()
        runner.run()  # Raises.
    return runner.run(create_task(coroutine))


def new_event_loop():
    """asyncio.new_event_loop: forgets all tasks. Raises RuntimeError while the loop is running."""
    _require_idle("new_event_loop")
    runner.forget_all()
    return core.Loop


def _run_until_complete(awaitable):
    return run_until_complete(core._promote_to_task(awaitable))


def _run_forever():
    _require_idle("run_forever")
    runner.run()


def _stop():
    runner.leave()


def _close():
    _require_idle("close")


def _require_idle(what):
    if runner.running:
        raise RuntimeError("asyncio's %s() was called while the loop is running: TaskManager runs it" % what)


# asyncio's own, by name.
stock = {}


def install():
    """Put ours in the place of asyncio's, wherever it is looked up."""
    for function in (create_task, run_until_complete, run, new_event_loop):
        stock[function.__name__] = getattr(core, function.__name__)
        setattr(core, function.__name__, function)
        if hasattr(asyncio, function.__name__):
            setattr(asyncio, function.__name__, function)
    loop = core.Loop
    loop.run_forever = staticmethod(_run_forever)
    loop.run_until_complete = staticmethod(_run_until_complete)
    loop.stop = staticmethod(_stop)
    loop.close = staticmethod(_close)
