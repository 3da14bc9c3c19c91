"""Callbacks that can never let an exception into LVGL.

An exception that leaves a Python callback jumps out through LVGL's C code and leaves LVGL in the middle of
what it was doing: its timers may never run again, and a later deletion may crash the board. So whatever mpos
hands to LVGL goes through `guarded`.
"""

from ..loop.runner import runner


def guarded(function, what, create_task=runner.create_task):
    """A function that calls `function` and reports what it raises instead of raising.

    `function` may be a coroutine function: its coroutine becomes a task, by `create_task(coroutine, what)`.
    `what` names the callback in the report.
    """

    def call(*arguments):
        # For a function that holds the loop: a Ctrl-C is raised at branches, and there is one at the end of
        # each `try`, outside of it, so each way out is a `return` from within.
        try:
            try:
                result = function(*arguments)
                if result is not None and hasattr(result, "send"):
                    create_task(result, what)
                return
            except SystemExit as error:
                runner.leave(error)
                return
            except BaseException as error:
                runner.failed(error, "Callback '{}' failed", what)
                return
        except KeyboardInterrupt:  # As the function returned, or while its failure was reported.
            runner.interrupted(what)

    return call
