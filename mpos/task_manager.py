"""TaskManager: the one door to asynchronous work on the device.

Apps create their tasks through it, boot code starts the loop, and everything that happens on the device
between two `await`s happens in it. It is a face: the loop itself is `mpos.loop`.
"""

import gc
from asyncio import core

from .loop import doors
from .loop.ctrl_c import TaskInterrupted
from .loop.runner import runner
from .loop.services import supervise, watchdog_feeder
from .loop.tasks import age_ms, info
from .loop.waiting import NotifyEvent, as_coroutine, gather, sleep_ms, wait_for_ms


class TaskManager:
    """All methods are class methods: `from mpos import TaskManager` is all an app needs."""

    TimeoutError = core.TimeoutError
    CancelledError = core.CancelledError
    TaskInterrupted = TaskInterrupted

    task_list = runner.tasks  # The live tasks, as the keys of a dictionary.
    keep_running = None
    disabled = False

    # -- Tasks

    # create_task(coroutine, name=None) starts a background task and returns it (mpos.loop.runner says more).
    create_task = runner.create_task

    @classmethod
    def create_supervised_task(
        cls, coroutine_factory, restart_delay_ms=200, restart_on_return=False, max_delay_ms=30000, name=None
    ):
        """Start `coroutine_factory()` as a task that is started again whenever it crashes.

        Each failure is reported. The first restart waits `restart_delay_ms`, each further one twice as long,
        up to `max_delay_ms`, until it has run for 30 s. With `restart_on_return` it is started again as well
        when it returns. Cancelling the task ends it for good. `coroutine_factory` is an async function
        without parameters.
        """
        if not callable(coroutine_factory):
            raise TypeError(
                "create_supervised_task() needs the async function itself, to call it for each start: %r"
                % (coroutine_factory,)
            )
        name = name or getattr(coroutine_factory, "__name__", "supervised")
        delays = (restart_delay_ms, max_delay_ms)
        return cls.create_task(supervise(runner, coroutine_factory, name, *delays, restart_on_return), name)

    @staticmethod
    def cancel(task):
        """Cancel `task`: CancelledError is raised in it at its await. Safe from a thread.

        Returns False if the task is done already (True from a thread, where that is not known yet). Raises
        RuntimeError for the task that calls it: that one just returns.
        """
        return runner.cancel(task)

    @staticmethod
    def current_task():
        """The task that is running. Raises RuntimeError where none is."""
        return core.current_task()

    # -- Waiting

    @staticmethod
    def sleep(seconds):
        """`await` it to pause the task for `seconds` (float), while all others go on. None is too long."""
        return sleep_ms(int(seconds * 1000))

    @staticmethod
    def sleep_ms(milliseconds):
        """`await` it to pause the task for `milliseconds` (int), while all others go on. No heap is used, but
        for 3 days and more."""
        return sleep_ms(milliseconds)

    @classmethod
    def wait_for(cls, awaitable, timeout):
        """`await` it for the result of `awaitable`, which is cancelled after `timeout` seconds (float; None:
        never). Raises `TaskManager.TimeoutError` (which is `asyncio.TimeoutError`) then."""
        return cls.wait_for_ms(awaitable, None if timeout is None else int(timeout * 1000))

    @classmethod
    def wait_for_ms(cls, awaitable, timeout_ms):
        """`wait_for` with the timeout in ms (int; None: never)."""
        if isinstance(awaitable, core.SingletonGenerator):
            awaitable = as_coroutine(awaitable)  # Now: the next to sleep takes that object.
        return wait_for_ms(cls.create_task, awaitable, timeout_ms)

    @classmethod
    def gather(cls, *awaitables, return_exceptions=False):
        """`await` it for the results of all `awaitables`, which run at the same time, in their order.

        The first exception is raised; with `return_exceptions` they stand in the list among the results.
        """
        return gather(cls.create_task, awaitables, return_exceptions)

    @classmethod
    def map(cls, function, items, limit=5):
        """`await` it for the list of `await function(item)` of all `items`, in their order.

        At most `limit` run at the same time. What one raises stands in the list in its result's place.
        Cancelling it cancels them all.
        """
        from .task_scope import map_items

        return map_items(function, items, limit)

    @staticmethod
    def notify_event():
        """A new asyncio.Event, which may be set in the loop, in a thread and in a scheduled interrupt.
        `event = TaskManager.notify_event()` and `event = await TaskManager.notify_event()` are the same."""
        return NotifyEvent(runner)

    # -- The loop

    @classmethod
    def start(cls, lvgl_loop=None, console=None, watchdog_ms=None):
        """Run the loop until `stop()`. Tasks that are alive then go on at the next `start()`.

        `lvgl_loop`: the LvglLoop to run beside the tasks. `console`: the Console to run on the loop. With it
        Ctrl-C interrupts the console's command; without it `start` raises KeyboardInterrupt between two steps
        and the next `start()` goes on with all tasks. A step that has held the loop for more than a second is
        ended by Ctrl-C, and nothing else then.
        `watchdog_ms`: have the board's watchdog reset it when the loop has not turned for so long (ms). Does
        nothing while disabled. Raises RuntimeError when the loop is running already, or when there is no
        watchdog.
        """
        if cls.disabled:
            print("TaskManager is disabled: start() does nothing until TaskManager.enable()")
            return
        cls._require_idle("start")
        if watchdog_ms is not None:
            runner.services.serve("watchdog", watchdog_ms, watchdog_feeder(watchdog_ms))
        cls.attach(lvgl_loop or runner.io.ui)
        if console is None:
            runner.services.end("console")
        else:
            runner.services.serve("console", console, console.run)
        cls.keep_running = True
        runner.run()

    @classmethod
    def stop(cls):
        """Make `start()` return. No task is ended. Safe from a thread and from a scheduled interrupt."""
        cls.keep_running = False
        runner.leave()

    @staticmethod
    def is_running():
        """Whether the loop is running."""
        return runner.running

    @classmethod
    def run_until_complete(cls, coroutine, timeout_ms=None):
        """Run the loop until `coroutine` is done and return its result, or raise what it raised.

        For tests and smoke tests, where `start()` would not return: all other tasks run meanwhile. Raises
        `TaskManager.TimeoutError` after `timeout_ms`, RuntimeError when the loop is running (await it there).
        """
        cls._require_idle("run_until_complete")
        if timeout_ms is not None:
            coroutine = cls.wait_for_ms(coroutine, timeout_ms)
        task = cls.create_task(coroutine)
        if task is None:
            raise RuntimeError("TaskManager is disabled: call TaskManager.enable() first")
        cls.attach(runner.io.ui)
        return runner.run(task)

    @staticmethod
    def attach(lvgl_loop):
        """Run `lvgl_loop` (an LvglLoop) on the loop from now on, in the place of an earlier one. None: no
        change."""
        if lvgl_loop is not None:
            runner.io.ui = lvgl_loop
            runner.services.serve("lvgl", lvgl_loop, lvgl_loop.run)

    @staticmethod
    def detach():
        """Stop driving LVGL."""
        runner.io.ui = None
        runner.services.end("lvgl")

    @staticmethod
    def lvgl_loop():
        """The LvglLoop that is attached, or None."""
        return runner.io.ui

    @classmethod
    def enable(cls):
        """Undo `disable()`."""
        cls.disabled = runner.disabled = False

    @classmethod
    def disable(cls):
        """Have `start()` and `create_task()` do nothing, for boot code that wants a board without tasks."""
        cls.disabled = runner.disabled = True

    @staticmethod
    def _require_idle(what):
        if runner.running:
            raise RuntimeError(
                "TaskManager.%s() was called while the loop is running: call create_task() or await instead"
                % what
            )

    @staticmethod
    def post(function, *arguments):
        """Have the loop call `function(*arguments)`. Safe from a thread and from a scheduled interrupt.

        Calls run in the order they were posted, each exactly once; the coroutine of a coroutine function
        becomes a task. Raises RuntimeError when 128 wait already.
        """
        runner.inbox.put(function, arguments)

    # -- Errors

    @staticmethod
    def set_exception_handler(handler):
        """Have `handler(context)` called for a failed task, in the place of the printed report (None: that
        again). `context` has the keys of asyncio's, "message", "exception", "future" (the task or None), and
        "name". The error is kept for `last_errors()` all the same."""
        runner.errors.handler = handler

    @staticmethod
    def last_errors():
        """The last 10 failures, oldest first: `(name, exception, traceback, ticks_ms)` each."""
        return list(runner.errors.last)

    @staticmethod
    def report(error, message, name, task=None):
        """Report an exception that would otherwise be lost: keep it, and print it or call the handler.

        `message` says what failed, `name` is the task's or the callback's.
        """
        runner.failed(error, message, name, task)

    @staticmethod
    def after_interrupt(function):
        """Have `function(name, task)` called on the loop after a Ctrl-C that ended a step. `name` is
        the task's or the callback's, `task` None for a callback. None: no longer."""
        runner.after_interrupt = function

    # -- Figures

    @staticmethod
    def list_tasks():
        """The live tasks, oldest first: `(name, state, age_ms, steps, busy_ms, longest_ms)` each. `state` is
        "running", "ready", "sleeping" or "waiting"; the last three are 0 without statistics."""
        entries = sorted(list(runner.tasks.items()), key=lambda entry: age_ms(entry[1]), reverse=True)
        return [info(task, facts) for task, facts in entries]

    @staticmethod
    def stats():
        """A dictionary: `running`, `tasks` (alive), `created`, `errors`, `slow_steps` (numbers since boot),
        `polls`, the heap in bytes (`heap_used`, `heap_free`) and, with LVGL attached, what its loop counts
        (`lvgl`)."""
        figures = {
            "running": runner.running,
            "tasks": len(runner.tasks),
            "created": runner.created(),
            "errors": runner.errors.count,
            "slow_steps": runner.slow_steps,
            "polls": runner.io.polls,
            "heap_used": gc.mem_alloc(),
            "heap_free": gc.mem_free(),
        }
        if runner.io.ui is not None:
            figures["lvgl"] = runner.io.ui.stats()
        return figures

    @staticmethod
    def enable_statistics(enabled, slow_step_ms=50):
        """Whether steps are counted and timed from now on, of tasks that are created from now on, and from
        which length of a step on (ms) such a task is named as blocking the loop."""
        runner.enable_statistics(enabled, slow_step_ms)

    # -- Threads

    @staticmethod
    def good_stack_size():
        """The stack for a thread on this port, in bytes, for `_thread.stack_size()`."""
        from .loop.threads import good_stack_size

        return good_stack_size()

    @staticmethod
    def start_new_thread(function, args=()):
        """Start a thread, with a warning: a thread cannot be stopped from outside, there are few, and neither
        LVGL nor asyncio may be touched in one. `UiBridge.run_in_thread` is what blocking work needs."""
        from .loop.threads import start_new_thread

        return start_new_thread(function, args)


doors.install()
