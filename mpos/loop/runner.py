"""The runner: it polls, then steps the tasks that are due, in rounds.

A round polls once, brings LVGL's clock up to now, and runs what is due in the order of its time until a
millisecond of steps has passed; a longer step ends it. So however many tasks spin, sockets, inputs and LVGL
are never further away than one round. Each step is timed here, with one clock call a step.
"""

import _thread
import sys
from asyncio import core
from time import ticks_diff, ticks_ms, ticks_us

from micropython import const

from .ctrl_c import TaskInterrupted
from .errors import ErrorLog
from .inbox import Inbox
from .parking import Parking, hurry
from .poll import LoopIOQueue
from .services import Services
from .tasks import UNCOUNTED, UNSEEN_US, Helper, carry, title
from .waiting import as_coroutine

_ROUND_US = const(1000)
_NEVER = const(0x3FFFFFFF)
_SECOND_US = const(1000000)

# As in tasks.
_STEPS = const(2)
_BUSY_US = const(3)
_LONGEST_US = const(5)
_SLOW_US = const(6)

# How many tasks must have ended before the dictionary may be made smaller.
_SHRINK = const(64)

# What asyncio lets a task end with, and what of it is no failure. Made once: a tuple costs heap.
_KNOWN = (Exception, core.CancelledError)
_NO_FAILURE = (StopIteration, core.CancelledError)

_Task = core.Task
_ASYNCIO = core.__dict__
_get_ident = _thread.get_ident


class _Canceller(Helper):
    """Cancels a task in a step of its own."""

    def __init__(self, task):
        self._task = task

    def send(self, value):
        self._task.cancel()


class _Stop(Exception):
    """Has the runner return."""


_STOP = _Stop()


class _Leaver(Helper):
    """Has the runner leave its rounds, between two steps of others."""

    def __init__(self, runner):
        self._runner = runner

    def send(self, value):
        self._runner.leave_now()


class Runner:
    """There is one: `runner` below. All methods are for the loop's thread unless they say otherwise."""

    def __init__(self):
        self.tasks = {}  # Of the live tasks: their facts.
        self._failures = {}  # Tasks that have failed and wait for their report: their facts.
        self.running = False
        self.counting = True
        self.slow_us = 50000
        self._more_steps = 0
        self.disabled = False
        self.slow_steps = 0
        self.errors = ErrorLog()
        self.inbox = Inbox()
        self._mail = Parking()
        self.io = LoopIOQueue(self.inbox, self._mail.wake)
        self.services = Services(self)
        self.thread = _get_ident()
        self.after_interrupt = None
        """See `TaskManager.after_interrupt`."""
        # While a command of the console executes: called with (run, main) to run(main) and let Ctrl-C end it.
        self.guard = None
        self._leaving = None  # What `run` is about to raise.
        self._leaver = _Task(_Leaver(self))
        self._leaver_waits = False
        self._main = None
        self._is_nested = False
        self._peak = 0
        self._ended = 0
        self._uncounted = self._new_facts(None)  # Of the engine's helpers.

    # -- Tasks

    def create_task(self, coroutine, name=None):
        """Start `coroutine` as a background task and return the task (an asyncio Task).

        Works before the loop runs (the task then starts with it), in a task, in an LVGL callback and in a
        scheduled interrupt, and in a thread; the loop picks it up at once. `name` is what lists and error
        reports call it. Returns None, with the coroutine closed, while the TaskManager is disabled. Raises
        TypeError for anything that is no coroutine.
        """
        # A hot path: no call but those of the machine.
        if not hasattr(coroutine, "send"):
            coroutine = as_coroutine(coroutine)
        if self.disabled:
            coroutine.close()
            return None
        task = _Task(coroutine, _ASYNCIO)
        if _get_ident() != self.thread:
            return self._send(task, name)
        self.tasks[task] = [name, ticks_ms(), 0, 0, 0, UNSEEN_US, self.slow_us, self._more_steps]
        core._task_queue.push(task)
        if self.io.polling:
            self.inbox.ring()  # Called from an interrupt, in the middle of a poll that would go on.
        return task

    def adopt(self, coroutine):
        """`asyncio.create_task`: `create_task` for code that does not know of the TaskManager."""
        task = _Task(coroutine, _ASYNCIO)
        if _get_ident() != self.thread:
            return self._send(task, None)
        self._admit(task, None)
        if self.io.polling:
            self.inbox.ring()
        return task

    def start_helper(self, helper):
        """Start a task that no list shows: `helper` is a `tasks.Helper`. Returns the task."""
        task = _Task(helper, _ASYNCIO)
        core._task_queue.push(task)
        return task

    def _new_facts(self, name):
        return [name, ticks_ms(), 0, 0, 0, UNSEEN_US, self.slow_us, self._more_steps]

    def _send(self, task, name):
        """Send a task that a thread has made to the loop."""
        # For the time that this sets: without one Task.cancel() may take it for a task that sleeps, and queue
        # it, before the loop has it.
        core.TaskQueue().push(task)
        self.inbox.put(self._admit, (task, name))
        return task

    def _admit(self, task, name):
        cancelled = task.data  # By somebody on the loop, to whom a thread gave it.
        self.tasks[task] = self._new_facts(name)
        core._task_queue.push(task)
        task.data = cancelled

    def _meet(self, task):
        """The facts of a task that was made behind our back, or is one of the engine's helpers or over."""
        if task.done() or isinstance(task.coro, Helper):
            return self._uncounted
        try:
            self.tasks[task] = facts = self._new_facts(None)
            return facts
        except MemoryError:
            return self._uncounted

    def enable_statistics(self, enabled, slow_step_ms):
        """Whether steps are counted from now on; never those of tasks that are created while they are not."""
        self.counting = enabled
        self.slow_us = slow_step_ms * 1000 if enabled else _NEVER
        self._more_steps = 0 if enabled else UNCOUNTED

    def created(self):
        """How many tasks were created since boot."""
        return self._ended + len(self.tasks)

    def is_elsewhere(self):
        """Whether the caller is in another thread than the loop."""
        return _get_ident() != self.thread

    def _title(self, task, facts):
        try:
            return title(task, facts or self._new_facts(None))
        except MemoryError:
            return "a task"

    def allow_slow_steps(self, limit_ms):
        """From which length on a step of the running task is reported, in ms; None: never."""
        facts = self.tasks.get(core.cur_task)
        if facts is not None:
            facts[_SLOW_US] = _NEVER if limit_ms is None else limit_ms * 1000

    def cancel(self, task):
        """`Task.cancel()`, safe from a thread."""
        if _get_ident() == self.thread:
            return task.cancel()
        self.inbox.put(task.cancel)
        return True

    def end_task(self, task):
        """Cancel `task`, also in one of its own steps, as in a callback of LVGL that it has called: no task
        can cancel itself, so that it is done next."""
        if task is core.cur_task:
            core._task_queue.push(_Task(_Canceller(task)))
        else:
            task.cancel()

    # -- The loop

    def run(self, main=None):
        """Run all tasks until `main` (a task) is done, and return its result or raise what it raised; without
        one until `leave()`.

        In a command of the console, whose step lasts meanwhile, the loop goes on from here. Raises
        RuntimeError in any other task, and in another thread.
        """
        if self.running:
            return self._run_inside(main)
        self.thread = _get_ident()
        self._take_queue()
        if self._leaver_waits:  # From a run that ended otherwise before.
            self._leaver_waits = False
            core._task_queue.remove(self._leaver)
        io = self.io
        io.watch_input(None if self.services.has("console") else _stdin(), self._on_ctrl_c)
        io.step_guard.start()
        try:
            self.running = True
            started = self.services.serve("inbox", self, self._deliver)
            if started is not None:
                hurry(started)  # It needs memory for its first step, and a later one may have none.
            return self._run(main)
        finally:
            io.step_guard.end()
            self.running = io.polling = False
            core.cur_task = None

    def _run_inside(self, main):
        if self.guard is None or main is None or _get_ident() != self.thread:
            raise RuntimeError("the loop is running already: await it, or start it with create_task()")
        outer, core.cur_task = core.cur_task, None
        guard, self.guard = self.guard, None
        self._is_nested = True
        outer_main = self._main
        try:
            return guard(self._run, main)
        finally:
            self._is_nested = False
            self._main = outer_main
            core.cur_task = outer
            self.guard = guard
            outer.data = False

    def _run(self, main):
        self._main = main
        io = self.io
        try:
            while True:
                try:
                    self._rounds(main)
                    break
                except KeyboardInterrupt:
                    if not io.step_guard.is_open:
                        raise
                    io.step_guard.close()
                    # It came when the step that it was for had just ended: it is a message like any other.
                    self._on_ctrl_c()
        except _Stop:
            if main is None:
                return None
            self.leave()  # It was for the run that this one is in.
            raise RuntimeError("the loop was stopped before the end of what it was to run")
        main.state = False
        how = main.data
        if isinstance(how, StopIteration):
            return how.value
        raise how

    def leave(self, error=None):
        """Have `run` end between two steps, raising `error` if there is one. Safe from a thread and from a
        scheduled interrupt."""
        if _get_ident() != self.thread:
            self.inbox.put(self.leave, (error,))
            return
        self._leaving = _STOP if error is None else error
        if not self._leaver_waits:
            self._leaver_waits = True
            core._task_queue.push(self._leaver)
            if self.io.polling:
                self.inbox.ring()

    def leave_now(self):
        """The turn of what `leave` has queued."""
        self._leaver_waits = False
        # A stop is for a run without an end of its own.
        if self._leaving is not _STOP or self._main is None or self._is_nested:
            raise self._leaving

    def _rounds(self, main):
        queue = core._task_queue
        peek = queue.peek
        pop = queue.pop
        known = self.tasks.get
        wait = self.io.wait_io_event
        asyncio = core
        task = None
        while main is None or not main.done():
            task = peek()
            wait(-1 if task is None else max(0, ticks_diff(task.ph_key, ticks_ms())))
            counting = self.counting
            spent = 0
            now = ticks_ms()
            last = ticks_us()
            while spent < _ROUND_US:
                try:
                    # In here nothing but a step raises.
                    while spent < _ROUND_US:
                        task = peek()
                        if task is None or ticks_diff(task.ph_key, now) > 0:
                            spent = _NEVER
                            break
                        error = task.data
                        task.data = False
                        pop()
                        asyncio.cur_task = task
                        facts = known(task)
                        if facts is None:
                            facts = self._meet(task)
                        if error is None:
                            task.coro.send(None)
                        else:
                            self._throw(task, error)
                        if task.data is not None:
                            self._settle(task)
                        if counting:
                            facts[_STEPS] += 1
                            began = last
                            last = ticks_us()
                            took = ticks_diff(last, began)
                            spent += took
                            facts[_BUSY_US] += took
                            if took > facts[_LONGEST_US]:
                                self._note_longest(task, facts, took)
                            if facts[_BUSY_US] >= _SECOND_US:
                                carry(facts)
                        else:
                            spent = ticks_diff(ticks_us(), last)
                except BaseException as error:
                    took = ticks_diff(ticks_us(), last)
                    spent += took
                    if task is self._leaver:
                        task.data = None
                        raise
                    if task is None or task.data is not False and isinstance(error, KeyboardInterrupt):
                        raise  # Between two steps.
                    self._end(task, error)
                    if counting and took > facts[_LONGEST_US]:
                        self._note_longest(task, facts, took)
                    last = ticks_us()
                    if task is main:
                        break

    def _throw(self, task, error):
        if task.done():
            # It has failed, and nobody has awaited it since.
            task.data = error
            facts = self._failures.pop(task, None)
            if task.state is None:
                self.failed(error, "Task '{}' failed", self._title(task, facts), task)
        else:
            task.coro.throw(error)

    def _settle(self, task):
        """A step is over, and the task does not sleep."""
        awaited = task.data
        if awaited is False:
            # A bare `yield`.
            if isinstance(task.coro, Helper):
                task.data = None
            else:
                core._task_queue.push(task)
        elif type(awaited) is _Task and not task.done():
            while type(awaited) is _Task:
                awaited = awaited.data
                if awaited is task:
                    task.data = _Link(task.data)
                    return

    def _end(self, task, error):
        """Do what asyncio does at the end of a task."""
        if task.done():
            self._translate(task, None, error)  # The handler of its failure has exited.
            return
        facts = self.tasks.pop(task, None)
        if not isinstance(error, _KNOWN):
            error = self._translate(task, facts, error)
        is_failure = not isinstance(error, _NO_FAILURE)
        state = task.state
        is_awaited = False
        if state is True:
            pass
        elif callable(state):
            task.state = False
            is_awaited = True
            try:
                state(task, error)
            except BaseException as second:
                self.failed(second, "The end of task '{}' failed", self._title(task, facts))
        else:
            while state.peek():
                core._task_queue.push(state.pop())
                is_awaited = True
        task.state = False if is_awaited else None
        if is_failure and not is_awaited:
            core._task_queue.push(task)
            self._keep_for_report(task, facts)
        task.data = error
        if facts is not None:
            self._ended += 1
        if self._ended % _SHRINK == 0:
            self._shrink()

    def _keep_for_report(self, task, facts):
        try:
            self._failures[task] = facts
        except MemoryError:
            pass  # It is reported without its name.

    def _translate(self, task, facts, error):
        """What the tasks that await `task` get for an exception that asyncio does not let through."""
        try:
            name = self._title(task, facts)
            if isinstance(error, KeyboardInterrupt):
                return self.interrupted(name, task)
            if isinstance(error, SystemExit):
                self.leave(error)
                return TaskInterrupted("SystemExit ended task '%s'" % name)
            return RuntimeError("task '%s' ended with %r" % (name, error))
        except MemoryError as second:
            return second

    def _shrink(self):
        """Give the memory back that the dictionary has from a time of many more tasks."""
        tasks = self.tasks
        count = len(tasks)
        if count + _SHRINK >= self._peak // 4:
            self._peak = max(self._peak, count + _SHRINK)
            return
        try:
            kept = list(tasks.items())
        except MemoryError:
            return
        self._peak = count + _SHRINK
        tasks.clear()
        for task, facts in kept:
            tasks[task] = facts

    def _note_longest(self, task, facts, took):
        facts[_LONGEST_US] = took
        if took > facts[_SLOW_US] and facts is not self._uncounted:
            self.slow_steps += 1
            try:
                print("Task '%s' blocked the loop for %d ms" % (title(task, facts), took // 1000))
            except MemoryError:
                pass

    def _take_queue(self):
        """Put our poll in the place of asyncio's, with the tasks that wait there."""
        if core._io_queue is not self.io:
            self.io.take_over(core._io_queue)
            core._io_queue = self.io

    async def _deliver(self):
        while True:
            self.run_posted()
            await self._mail

    def run_posted(self):
        """Run what threads and interrupts have put into the inbox."""
        inbox = self.inbox
        if len(inbox):  # Each turn of LVGL asks, and a bound method costs heap.
            inbox.run(self.create_task, self.failed)

    # -- Errors

    def failed(self, error, message, name, task=None):
        """Report an exception that would otherwise be lost (see ErrorLog.report)."""
        if isinstance(error, KeyboardInterrupt):
            error = self.interrupted(name, task)
        self.errors.report(error, message, name, task)

    def interrupted(self, name, task=None, tell=True):
        """A Ctrl-C has ended a step of `task`, or the callback called `name`: the exception that it
        is from here on, for those who await the task and for the report. Ctrl-C is a message again."""
        self.io.step_guard.close()
        if tell and self.after_interrupt is not None:
            # Later: this may be in the middle of LVGL, or of the task's end.
            self.inbox.put(self.after_interrupt, (name, task))
        return TaskInterrupted("Ctrl-C ended '%s', which held the loop" % name)

    def _on_ctrl_c(self):
        if not self.services.has("console"):
            self.leave(KeyboardInterrupt())

    def forget_all(self):
        """Forget all tasks, as `asyncio.new_event_loop()` does."""
        core._task_queue = core.TaskQueue()
        self._leaver_waits = False
        self._take_queue()
        self.io.clear()
        self.tasks.clear()
        self.services.forget()
        self._mail = Parking()
        self.io.on_mail = self._mail.wake
        core.cur_task = None


def _stdin():
    return getattr(sys.stdin, "buffer", sys.stdin)


class _Link:
    """What a task awaits that, over others, awaits it in turn. `Task.cancel()` would follow that for ever."""

    def __init__(self, awaited):
        self._awaited = awaited

    def remove(self, task):
        self._awaited.state.remove(task)


runner = Runner()
