"""Threads for blocking work: a function runs in one, and the task that waits for it gets the result."""

import _thread
import sys
import time

from micropython import const

from .parking import Parking
from .runner import runner

_THREADS = const(4)

_running = 0
_waiting = []


def good_stack_size():
    """The stack for a thread on this port, in bytes, for `_thread.stack_size()`."""
    return 16 * 1024 if sys.platform == "esp32" else 24 * 1024


def start_new_thread(function, args):
    """Start a thread that nobody waits for, with a warning."""
    print("TaskManager: a thread is started for %s. Prefer UiBridge.run_in_thread." % (function,))
    _thread.stack_size(good_stack_size())
    return _thread.start_new_thread(function, args)


def running():
    """How many functions run in threads now."""
    return _running


async def run_in_thread(function, *arguments):
    """Run `function(*arguments)` in a thread of its own, of which 4 run at a time; its result."""
    global _running
    turn = Parking()
    job = _Job(function, arguments)
    try:
        while _running >= _THREADS:
            _waiting.append(turn)
            await turn
        _running += 1
        job.has_place = True
        _thread.stack_size(good_stack_size())
        _thread.start_new_thread(job.run, ())
        job.is_started = True
    except BaseException:
        if turn in _waiting:
            _waiting.remove(turn)
        if not job.is_started:
            job.leave_place()  # If it was our turn already, it is the next one's.
        raise
    await job.end
    if job.error is not None:
        raise job.error
    return job.result


class _Job:
    """One function in a thread, and its outcome. `has_place`: it counts among those that may run."""

    def __init__(self, function, arguments):
        self.result = None
        self.error = None
        self.has_place = False
        self.is_started = False
        self.end = Parking()
        self._function = function
        self._arguments = arguments

    def run(self):
        """The thread."""
        try:
            self.result = self._function(*self._arguments)
        except BaseException as error:
            self.error = error
        while True:
            try:
                runner.inbox.put(self._finish)
                return
            except (RuntimeError, MemoryError):
                time.sleep_ms(2)  # The inbox or the heap is full; this thread has nothing else to do.

    def leave_place(self):
        """Let the next one run."""
        global _running
        if self.has_place:
            self.has_place = False
            _running -= 1
        if _waiting:
            _waiting.pop(0).wake()

    def _finish(self):
        self.end.wake()
        self.leave_place()
