"""Callbacks that can never let an exception into LVGL.

An exception that leaves a Python callback jumps out through LVGL's C code and leaves LVGL in the middle of
what it was doing: its timers may never run again, and a later deletion may crash the board. So whatever mpos
hands to LVGL goes through `guarded`.
"""

from .task_manager import TaskManager


def guarded(function, what, create_task=TaskManager.create_task):
    """A function that calls `function` and reports what it raises instead of raising.

    `function` may be a coroutine function: its coroutine becomes a task, by `create_task(coroutine, what)`.
    `what` names the callback in the report.
    """

    def call(*arguments):
        try:
            try:
                result = function(*arguments)
                if result is not None and hasattr(result, "send"):
                    create_task(result, what)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:
                TaskManager.report(error, "Callback '%s' failed" % what, what)
        except SystemExit as error:
            TaskManager.leave(error)
        except KeyboardInterrupt:  # In the function, or while its failure was reported.
            TaskManager.on_interrupt(what)

    return call


class DisplaySubscription:
    """A callback on an event of a display, and its way off again. `function` must not raise.

    A display has no way to remove a callback but by its index: the binding has LVGL call one function of its
    own for all of them.
    """

    def __init__(self, display, event, function):
        display.add_event_cb(function, event, None)
        self._display = display
        self._descriptor = display.get_event_dsc(display.get_event_count() - 1)

    def remove(self):
        """Stop calling it."""
        display = self._display
        for index in range(display.get_event_count()):
            if display.get_event_dsc(index) == self._descriptor:
                display.delete_event(index)
                return
