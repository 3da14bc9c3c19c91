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

    A board whose display or inputs cannot be set up still gets its console, so that it can be repaired; so
    does one whose app must not start (see `boot_door`).
    """
    from .boot_door import BootDoor
    from .console import Console
    from .hardware import Hardware

    gc.threshold(_BOOT_THRESHOLD)
    door = BootDoor()
    loop = None
    try:
        loop = start_ui()
    except KeyboardInterrupt:
        door.interrupted = True
    except Exception as error:
        TaskManager.report(error, "The board's display could not be set up", "boot")
    console = Console()
    console.on_command = door.prove
    if loop is not None or door.interrupted:
        TaskManager.create_task(_start_first_app(door), "boot")
    watchdog_ms = Hardware.current.watchdog_ms if Hardware.current is not None else None
    while True:
        try:
            return TaskManager.start(loop, console, watchdog_ms)
        except KeyboardInterrupt:  # Just before the loop began, or nowhere.
            door.interrupted = True


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


async def _start_first_app(door):
    runner.allow_slow_steps(_SLOW_START_MS)
    try:
        package = first_app()
        if package is None:
            return
        reason = door.why_open()
        if reason is not None:
            _show_not_started(package, reason)
            return
        from .app.launcher import launch

        launch(package, json.loads(_contents("/app_extras.json") or "{}"))
    finally:
        gc.collect()
        gc.threshold(gc.mem_free() // 4)
    await door.watch()


def _show_not_started(package, reason):
    title = "The app '%s' was not started" % package
    print("mpos: %s. %s" % (title, reason))
    if TaskManager.lvgl_loop() is not None:
        from .app.failure import show_message

        show_message(title, reason)


def first_app():
    """The package name of the app that starts at boot, from /app.txt, or None."""
    return (_contents("/app.txt") or "").strip() or None


def _contents(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None
