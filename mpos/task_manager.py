"""TaskManager: the one door to asynchronous work on the device.

It owns the one asyncio loop: apps create their tasks through it, boot code starts it, and everything that
happens on the device between two `await`s happens in it. It knows nothing of LVGL beyond the object it is
given to run beside the tasks.
"""

import _thread
import gc
import sys
from asyncio import core
from collections import namedtuple

from micropython import kbd_intr

from .loop.doorbell import new_doorbell
from .loop.errors import ErrorLog
from .loop.inbox import Inbox
from .loop.parking import Parking
from .loop.poll import LoopIOQueue
from .loop.repair import repair
from .loop.services import Services
from .loop.supervision import supervise
from .loop.task_record import TaskInterrupted, TaskRecord, TimedTaskRecord
from .loop.waiting import PART_MS, NotifyEvent, as_coroutine, as_task, gather, sleep_in_parts, wait_for_ms

# Looked up once: creating a task is a hot path.
_Task = core.Task
_TaskQueue = core.TaskQueue
_ASYNCIO = core.__dict__
_get_ident = _thread.get_ident

TaskInfo = namedtuple("TaskInfo", ("name", "state", "age_ms", "steps", "busy_ms", "longest_ms"))


class TaskManager:
    """All methods are class methods: `from mpos import TaskManager` is all an app needs."""

    TimeoutError = core.TimeoutError
    CancelledError = core.CancelledError
    TaskInterrupted = TaskInterrupted

    task_list = set()  # The live tasks.
    keep_running = None
    disabled = False

    _running = False
    _has_console = False
    _statistics = True
    _created = 0
    _slow_steps = 0
    _services = Services()
    _errors = ErrorLog()
    _torn = None  # The task that ran when a Ctrl-C left the loop, until that is put right.
    _stopped = Parking()
    _mail = Parking()
    _thread_id = _thread.get_ident()
    _doorbell = new_doorbell()
    _inbox = Inbox(_doorbell)
    _io = LoopIOQueue(_doorbell, _inbox, _mail.wake)

    # -- Tasks

    @classmethod
    def create_task(cls, coroutine, name=None):
        """Start `coroutine` as a background task and return the task (an asyncio Task).

        Works before the loop runs (the task then starts with it), in a task, in an LVGL callback and in a
        scheduled interrupt, and in a thread; the loop picks it up at once. `name` is what lists and error
        reports call it. Returns None, with the coroutine closed, while the TaskManager is disabled. Raises
        TypeError for anything that is no coroutine.
        """
        if not hasattr(coroutine, "send"):
            coroutine = as_coroutine(coroutine)
        if cls.disabled:
            coroutine.close()
            return None
        record = (TimedTaskRecord if cls._statistics else TaskRecord)(coroutine, name)
        record.task = task = _Task(record, _ASYNCIO)
        if _get_ident() != cls._thread_id:
            # For the time that this sets: without one Task.cancel() may take it for a task that sleeps, and
            # queue it, before the loop has it.
            _TaskQueue().push(task)
            cls._inbox.put(cls._admit_from_thread, (task,))
            return task
        cls._created += 1
        cls.task_list.add(task)
        core._task_queue.push(task)
        if cls._io.polling:
            cls._doorbell.ring()  # Called from an interrupt, in the middle of a poll that would go on.
        return task

    @classmethod
    def _admit_from_thread(cls, task):
        cancelled = task.data  # By somebody on the loop, to whom the thread gave it.
        cls._created += 1
        cls.task_list.add(task)
        core._task_queue.push(task)
        task.data = cancelled

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
        if name is None:
            name = getattr(coroutine_factory, "__name__", "supervised")
        delays = (restart_delay_ms, max_delay_ms)
        return cls.create_task(supervise(cls, coroutine_factory, delays, restart_on_return, name), name)

    @classmethod
    def cancel(cls, task):
        """Cancel `task`: CancelledError is raised in it at its await. Safe from a thread.

        Returns False if the task is done already (True from a thread, where that is not known yet). Raises
        RuntimeError for the task that calls it: that one just returns.
        """
        if _thread.get_ident() == cls._thread_id:
            return task.cancel()
        cls._inbox.put(task.cancel)
        return True

    @staticmethod
    def current_task():
        """The task that is running. Raises RuntimeError where none is."""
        return core.current_task()

    # -- Waiting

    @staticmethod
    def sleep(seconds):
        """`await` it to pause the task for `seconds` (float), while all others go on. None is too long."""
        return TaskManager.sleep_ms(int(seconds * 1000))

    @staticmethod
    def sleep_ms(milliseconds):
        """`await` it to pause the task for `milliseconds` (int), while all others go on. No heap is used, but
        for 3 days and more."""
        return core.sleep_ms(milliseconds) if milliseconds < PART_MS else sleep_in_parts(milliseconds)

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
        tasks = [as_task(cls.create_task, one) for one in awaitables]
        return gather(cls.create_task, awaitables, tasks, return_exceptions)

    @staticmethod
    def notify_event():
        """A new asyncio.Event. `event = TaskManager.notify_event()` and `event = await
        TaskManager.notify_event()` are the same. `event.set()` is for the loop's thread; elsewhere use
        `UiBridge.post(event.set)`."""
        return NotifyEvent()

    # -- The loop

    @classmethod
    def start(cls, lvgl_loop=None, console=None, watchdog_ms=None):
        """Run the loop until `stop()`. Tasks that are alive then go on at the next `start()`.

        `lvgl_loop`: the LvglLoop to run beside the tasks. `console`: the Console to run on the loop; with it
        Ctrl-C never leaves the loop, without it `start` raises KeyboardInterrupt, and the next `start()`
        resumes all tasks but one in whose step it landed. `watchdog_ms`: have the board's watchdog reset it
        when the loop has not turned for so long (ms). Does nothing while disabled. Raises RuntimeError when
        the loop is running already, or when there is no watchdog.
        """
        if cls.disabled:
            print("TaskManager is disabled: start() does nothing until TaskManager.enable()")
            return
        cls._require_idle("start")
        if watchdog_ms is not None:
            from .loop.watchdog import feeder

            cls._services.serve("watchdog", watchdog_ms, feeder(watchdog_ms))
        cls.attach(lvgl_loop)
        if console is None:
            cls._services.end("console")
        else:
            cls._services.serve("console", console, console.run)
        cls.keep_running = True
        # A new one each time: the task of a start that a Ctrl-C ended may still wait for the old one.
        cls._stopped = Parking()
        main = core.Task(cls._until(cls._stopped), core.__dict__)
        core._task_queue.push(main)
        try:
            if console is not None:
                cls._has_console = True
                kbd_intr(-1)  # Ctrl-C is the console's, who may be in the middle of waiting for it.
            cls._pump(main)
        finally:
            if console is not None:
                cls._has_console = False
                kbd_intr(3)  # It is the caller's again.

    @classmethod
    def stop(cls):
        """Make `start()` return. No task is ended. Safe from a thread and from a scheduled interrupt."""
        cls.keep_running = False
        if _thread.get_ident() == cls._thread_id and not cls._io.polling:
            cls._stopped.wake()
        else:
            cls._inbox.put(cls._stopped.wake)

    @classmethod
    def is_running(cls):
        """Whether the loop is running."""
        return cls._running

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
        return cls._pump(task)

    @classmethod
    def attach(cls, lvgl_loop):
        """Run `lvgl_loop` (an LvglLoop) on the loop from now on, in the place of an earlier one. None: no
        change."""
        if lvgl_loop is not None:
            cls._io.ui = lvgl_loop
            cls._services.serve("lvgl", lvgl_loop, lvgl_loop.run)

    @classmethod
    def detach(cls):
        """Stop driving LVGL."""
        cls._io.ui = None
        cls._services.end("lvgl")

    @classmethod
    def lvgl_loop(cls):
        """The LvglLoop that is attached, or None."""
        return cls._io.ui

    @classmethod
    def enable(cls):
        """Undo `disable()`."""
        cls.disabled = False

    @classmethod
    def disable(cls):
        """Have `start()` and `create_task()` do nothing, for boot code that wants a board without tasks."""
        cls.disabled = True

    @classmethod
    def _require_idle(cls, what):
        if cls._running:
            raise RuntimeError(
                "TaskManager.%s() was called while the loop is running: call create_task() or await instead"
                % what
            )

    @classmethod
    def _pump(cls, main):
        core.Loop.set_exception_handler(cls._on_task_exception)
        cls._thread_id = _thread.get_ident()
        cls._take_queue()
        cls.recover()
        cls._services.serve("inbox", cls, cls._deliver)
        cls.attach(cls._io.ui)
        cls._io.leaving = None
        try:
            cls._running = True
            return core.run_until_complete(main)
        except (KeyboardInterrupt, SystemExit):
            cls._torn, core.cur_task = core.cur_task, None
            cls.recover()
            raise
        except TaskInterrupted:
            if cls._io.leaving is None:
                raise
            raise KeyboardInterrupt
        finally:
            cls._running = False
            cls._io.polling = False
            core.cur_task = None

    @classmethod
    def recover(cls):
        """Put right what a Ctrl-C may have left half done in asyncio's queues and in the inbox.

        `start` and `run_until_complete` do it by themselves. Whoever catches a Ctrl-C without leaving the
        loop, as a console does, calls it.
        """
        repair(cls.task_list - {core.cur_task}, cls._torn)
        cls._torn = None
        cls._inbox.answer()
        cls._mail.wake()

    @classmethod
    def _take_queue(cls):
        """Put our poll in the place of asyncio's, with whoever waits there."""
        other = core._io_queue
        if other is cls._io:
            return
        for reader, writer, stream in other.map.values():
            for task, index in ((reader, 0), (writer, 1)):
                if task is not None:
                    core.cur_task = task
                    cls._io._enqueue(stream, index)
        core._io_queue = cls._io

    @classmethod
    async def _until(cls, stopped):
        while cls.keep_running:
            await stopped

    @classmethod
    async def _deliver(cls):
        while True:
            cls.run_posted()
            await cls._mail

    @classmethod
    def post(cls, function, *arguments):
        """Have the loop call `function(*arguments)`. Safe from a thread and from a scheduled interrupt.

        Calls run in the order they were posted, each exactly once. Raises RuntimeError when 128 wait already.
        """
        cls._inbox.put(function, arguments)

    @classmethod
    def run_posted(cls):
        """Run what threads and interrupts have put into the inbox. The loop does this by itself."""
        inbox = cls._inbox
        if len(inbox):  # Each turn asks, and a bound method costs heap.
            inbox.run(cls.report)

    # -- Errors

    @classmethod
    def set_exception_handler(cls, handler):
        """Have `handler(context)` called for a failed task, in the place of the printed report (None: that
        again). `context` has the keys of asyncio's, "message", "exception", "future" (the task or None), and
        "name". The error is kept for `last_errors()` all the same."""
        cls._errors.handler = handler

    @classmethod
    def last_errors(cls):
        """The last 10 failures, oldest first: `(name, exception, traceback, ticks_ms)` each."""
        return list(cls._errors.last)

    @classmethod
    def report(cls, error, message, name, task=None):
        """Report an exception that would otherwise be lost: keep it, and print it or call the handler.

        `message` says what failed, `name` is the task's or the callback's.
        """
        cls._errors.report(error, message, name, task)

    @classmethod
    def _on_task_exception(cls, loop, context):
        task = context["future"]
        try:
            name = task.coro.title() if isinstance(task.coro, TaskRecord) else repr(task.coro)
        except MemoryError:
            name = "a task"
        cls.report(context["exception"], "Task '{}' failed", name, task)

    # What task records tell.

    @classmethod
    def on_end(cls, record):
        cls.task_list.discard(record.task)

    @classmethod
    def on_interrupt(cls, name):
        print("Ctrl-C landed in task '%s'" % name)
        if cls._has_console:
            cls.recover()  # It was meant for the command that made the call, and the loop goes on.
        else:
            cls._io.leaving = KeyboardInterrupt()

    @classmethod
    def leave(cls, error):
        """Have `start()` raise `error`, a KeyboardInterrupt or SystemExit, when the present step is over."""
        cls._io.leaving = error

    @classmethod
    def on_slow_step(cls, record, ms):
        cls._slow_steps += 1
        print("Task '%s' blocked the loop for %d ms" % (record.title(), ms))

    # -- Figures

    @classmethod
    def list_tasks(cls):
        """The live tasks, oldest first: `(name, state, age_ms, steps, busy_ms, longest_ms)` each. `state` is
        "running", "ready", "sleeping" or "waiting"; the last three are 0 without statistics."""
        records = sorted((task.coro for task in cls.task_list), key=TaskRecord.age_ms)
        records.reverse()
        return [
            TaskInfo(one.title(), one.state(), one.age_ms(), one.steps, one.busy_ms(), one.longest_us // 1000)
            for one in records
        ]

    @classmethod
    def stats(cls):
        """A dictionary: `running`, `tasks` (alive), `created`, `errors`, `slow_steps` (numbers since boot),
        `polls`, the heap in bytes (`heap_used`, `heap_free`) and, with LVGL attached, what its loop counts
        (`lvgl`)."""
        figures = {
            "running": cls._running,
            "tasks": len(cls.task_list),
            "created": cls._created,
            "errors": cls._errors.count,
            "slow_steps": cls._slow_steps,
            "polls": cls._io.polls,
            "heap_used": gc.mem_alloc(),
            "heap_free": gc.mem_free(),
        }
        if cls._io.ui is not None:
            figures["lvgl"] = cls._io.ui.stats()
        return figures

    @classmethod
    def enable_statistics(cls, enabled, slow_step_ms=50):
        """Whether tasks created from now on count their steps and time, and from which length of a step on
        (ms) its task is named as blocking the loop."""
        cls._statistics = enabled
        TaskRecord.slow_us = slow_step_ms * 1000

    # -- Threads

    @staticmethod
    def good_stack_size():
        """The stack for a thread on this port, in bytes, for `_thread.stack_size()`."""
        return 16 * 1024 if sys.platform == "esp32" else 24 * 1024

    @staticmethod
    def start_new_thread(function, args=()):
        """Start a thread, with a warning: a thread cannot be stopped from outside, there are few, and neither
        LVGL nor asyncio may be touched in one. `UiBridge.run_in_thread` is what blocking work needs."""
        print("TaskManager: a thread is started for %s. Prefer UiBridge.run_in_thread." % (function,))
        _thread.stack_size(TaskManager.good_stack_size())
        return _thread.start_new_thread(function, args)


TaskRecord.observer = TaskManager
Services.manager = TaskManager
