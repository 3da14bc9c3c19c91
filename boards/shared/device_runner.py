"""Runs the functions of a test file on the device, one at a time; the host's pytest plugin calls `run`.

What a test function names `hardware`, `lvgl_loop` or `screen` comes from here; its other parameters come from
fixtures of the host. A coroutine function runs on the loop until it returns.
"""

import gc
import sys

# One board per boot, one loop object for its display.
_made = {}


def hardware():
    """The board's `mpos.hardware.Hardware`, initialised on first use."""
    if "hardware" not in _made:
        import board

        _made["hardware"] = board.init()
    return _made["hardware"]


def lvgl_loop():
    """The `LvglLoop` of the board's display; it turns while a coroutine test runs."""
    if "lvgl_loop" not in _made:
        from mpos import LvglLoop, TaskManager

        loop = _made["lvgl_loop"] = LvglLoop(hardware().display, hardware().inputs)
        TaskManager.attach(loop)
    return _made["lvgl_loop"]


def screen():
    """A new, empty screen that is shown; the test that asked for it need not delete it."""
    import lvgl as lv

    hardware()
    new = lv.obj(None)
    lv.screen_load(new)
    _made["screen"] = new
    return new


PROVIDERS = {"hardware": hardware, "lvgl_loop": lvgl_loop, "screen": screen}


def run(module, function, provided, arguments, timeout_ms):
    """Run one test. `provided` are names of PROVIDERS, `arguments` the values the host's fixtures gave.

    Whatever the test raises comes out of here: the host shows it with the device's traceback.
    """
    values = dict(arguments)
    for name in provided:
        values[name] = PROVIDERS[name]()
    test = getattr(__import__(module), function)
    boards_own = _tasks()
    try:
        result = test(**values)
        if hasattr(result, "send"):
            from mpos import TaskManager

            TaskManager.run_until_complete(result, timeout_ms)
    finally:
        values = result = None
        _clean_up(boards_own)


def _tasks():
    if "mpos.task_manager" not in sys.modules:
        return set()
    from mpos import TaskManager

    return set(TaskManager.task_list)


def _clean_up(boards_own):
    """Leave nothing for the next test but the board and its loop."""
    old = _made.pop("screen", None)
    if old is not None:
        import lvgl as lv

        lv.screen_load(lv.obj(None))
        try:
            old.delete()
        except lv.LvReferenceError:
            pass  # the test deleted it
    if "mpos.task_manager" in sys.modules:
        _end_tasks(boards_own)
    gc.collect()


def _end_tasks(boards_own):
    """Cancel what the test left running, and let the loop turn once so that it ends."""
    import asyncio

    from mpos import TaskManager
    from mpos.loop.runner import runner

    TaskManager.enable()
    TaskManager.set_exception_handler(None)
    services = runner.services.tasks()
    left = [task for task in TaskManager.task_list if task not in services and task not in boards_own]
    for task in left:
        task.cancel()
    if left:
        TaskManager.run_until_complete(asyncio.sleep_ms(0))
