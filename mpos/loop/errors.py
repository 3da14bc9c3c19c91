"""ErrorLog: where an exception goes that nobody is left to catch. It is told once and kept for a while."""

import builtins
import io
import sys
from asyncio import core
from collections import namedtuple
from time import ticks_ms

from micropython import const

_KEPT = const(10)

TaskError = namedtuple("TaskError", ("name", "exception", "traceback", "ticks_ms"))


class ErrorLog:
    """`handler`: a function called with each error's context in the place of printing it, or None."""

    def __init__(self):
        self.handler = None
        self.count = 0
        self.last = []  # TaskError each, the oldest first.

    def report(self, error, message, name, task=None):
        """Keep `error` and tell it: `message` says what failed, `name` is the task's or the callback's, for
        which {} stands in the message. Never raises, but for what ends the program."""
        self.count += 1
        try:
            try:
                name = str(name)
            except MemoryError:
                raise
            except Exception:
                name = "task"
            self._report(error, message.replace("{}", name), name, task)
        except MemoryError:
            _tell_briefly(error, name)

    def _report(self, error, message, name, task):
        text = _traceback_of(error)
        self.last.append(TaskError(name, _detached(error), text, ticks_ms()))
        if len(self.last) > _KEPT:
            self.last.pop(0)
        if not self._handled({"message": message, "exception": error, "future": task, "name": name}):
            print(message + ":")
            print(text, end="")

    def _handled(self, context):
        asyncios = core.Loop.get_exception_handler()
        if self.handler is None and asyncios is None:
            return False
        try:
            if self.handler is not None:
                result = self.handler(context)
            else:
                result = asyncios(core.Loop, context)
            if result is not None and hasattr(result, "send"):
                core.create_task(result)
            return True
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as in_handler:
            # Nothing may get out: it would be into LVGL, where this is called in a callback.
            print("The exception handler failed:")
            print(_traceback_of(in_handler), end="")
            return False


def _tell_briefly(error, name):
    """Say with constants only, as no memory is left, what failed."""
    print("The heap is full, and there is no room to tell more of what failed:")
    try:
        print(name)
        sys.print_exception(error)
    except Exception:
        pass


def describe(error):
    """`error` in one line: its type, unless that says nothing, and its message."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception as second:
        text = "it cannot be shown because of %s" % type(second).__name__
    return "%s: %s" % (name, text) if text else name


def _is_known(kind):
    return getattr(builtins, kind.__name__, None) is kind or getattr(core, kind.__name__, None) is kind


def _detached(error):
    """A copy of `error` without anything of the app's: its class is the nearest one that is built in, and
    arguments that are more than numbers and texts become their text."""
    kind = type(error)
    while not _is_known(kind):
        kind = kind.__bases__[0]
    if kind is not type(error):
        return kind(describe(error))
    for argument in error.args:
        if not (argument is None or type(argument) in (int, float, bool, str)):
            return kind(describe(error).split(": ", 1)[-1])
    return kind(*error.args)


def _traceback_of(error):
    try:
        text = io.StringIO()
        sys.print_exception(error, text)
        return text.getvalue()
    except MemoryError:
        return "too little memory to tell more\n"
    except Exception as second:  # A `__str__` that fails.
        return "%s, which cannot be shown because of %s\n" % (type(error).__name__, type(second).__name__)
