"""Boot: board, display, loop, console, first app."""

import gc
import json
import sys

from micropython import const

from .loop.runner import runner
from .task_manager import TaskManager

# An app is loaded in one step. That takes a board longer than a step should, and nobody can do anything about
# it; what is reported is an onCreate() that blocks.
_SLOW_START_MS = const(1000)

# A heap that is collected only when it is full has what survived strewn all over it afterwards, and no room
# for a buffer in between. While modules are loaded it is collected after so many bytes.
_BOOT_THRESHOLD = const(8192)


def main():
    """Boot the board and run its loop. Returns when `TaskManager.stop()` is called.

    A board whose display or inputs cannot be set up still gets its console, so that it can be repaired.
    """
    from .console import Console

    gc.threshold(_BOOT_THRESHOLD)
    loop = None
    try:
        loop = start_ui()
        TaskManager.create_task(_start_first_app(), "boot")
    except Exception as error:
        TaskManager.report(error, "The board's display could not be set up", "boot")
    TaskManager.start(loop, console=Console())


def start_ui():
    """Set up the board's display and inputs; returns the LvglLoop that drives them."""
    import board
    import lvgl as lv

    from .lvgl_loop import LvglLoop

    hardware = board.init()
    loop = LvglLoop(hardware.display, hardware.inputs, hardware.refresh_ms)
    loop.mender.on_failure = _show_failure
    lvgl = "%d.%d" % (lv.version_major(), lv.version_minor())
    python = ".".join(str(part) for part in sys.implementation.version[:2])
    print("mpos: %s is up, MicroPython %s, LVGL %s" % (hardware.name, python, lvgl))
    return loop


def _show_failure(title, error):
    from .app.failure import show_failure

    show_failure(title, error)


async def _start_first_app():
    runner.allow_slow_steps(_SLOW_START_MS)
    try:
        package = first_app()
        if package is not None:
            from .app.launcher import launch

            launch(package, json.loads(_contents("/app_extras.json") or "{}"))
    finally:
        gc.collect()
        gc.threshold(gc.mem_free() // 4)


def first_app():
    """The package name of the app that starts at boot, from /app.txt, or None."""
    return (_contents("/app.txt") or "").strip() or None


def _contents(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None
