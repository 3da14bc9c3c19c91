"""Waiting for sockets, and bounding how long: without a task or an allocation per wait.

This is the one module of the network code that knows how asyncio keeps the tasks that wait.

asyncio.wait_for() makes two tasks for each call, too much for every read of a download. A Deadline is one
task that is made once and sleeps in the loop's time queue only while its owner waits: set() puts it in,
clear() takes it out. If its time comes first, the loop runs it, and it ends the wait the way Task.cancel()
does, but with the error it was given.
"""

from asyncio import core
from time import ticks_add, ticks_ms

from .tasks import Helper


def queue_read(sock):
    """Called in the step of a task that is about to yield to the loop: it runs on when `sock` can be read."""
    core._io_queue.queue_read(sock)


def queue_write(sock):
    """As queue_read(), for when `sock` can be written."""
    core._io_queue.queue_write(sock)


def queue_again():
    """As queue_read(), for when all other tasks that are ready have had their turn."""
    core._task_queue.push(core.cur_task)


def forget(sock):
    """No task waits for `sock` any more, as it is about to be closed."""
    poller = core._io_queue
    if id(sock) in poller.map:  # the waiting coroutine was thrown away without a cancellation
        poller._dequeue(sock)


def readable(sock, deadline, timeout_ms):
    """`await` it to wait until `sock` can be read, for `timeout_ms` at most (None: for ever)."""
    # A generator: the only way to yield to the loop from MicroPython code.
    deadline.set(timeout_ms)
    try:
        yield queue_read(sock)
    finally:
        deadline.clear()


def writable(sock, deadline, timeout_ms):
    """As readable(), until `sock` can be written."""
    deadline.set(timeout_ms)
    try:
        yield queue_write(sock)
    finally:
        deadline.clear()


class Timer(Helper):
    """Calls `function()` on the loop when its time is over. It is no task that could be cancelled or awaited.

    asyncio's queue takes anything that has the face of a task: this object is the coroutine of one, which is
    made once and is in the queue only while the timer runs.
    """

    def __init__(self, function):
        self._function = function
        self._task = core.Task(self)
        self._queue = None  # the one that holds the task; kept, as a new event loop has another one

    def start(self, ms):
        """Run for `ms` from now on."""
        self.stop()
        queue = core._task_queue
        queue.push(self._task, ticks_add(ticks_ms(), ms))
        self._queue = queue

    def stop(self):
        """Does nothing when it does not run."""
        queue = self._queue
        if queue is not None:
            self._queue = None
            queue.remove(self._task)

    def send(self, _value):
        """Called by the loop, as for any task's coroutine, when the time is over."""
        self._queue = None
        self._function()


class Deadline:
    """Bounds a wait; at most one at a time. One for each connection."""

    def __init__(self, make_error):
        """`make_error()` is called when a wait takes too long; the waiting task gets what it returns."""
        self._make_error = make_error
        self._timer = Timer(self._expire)
        self._waiter = None

    def set(self, timeout_ms):
        """The running task is about to wait for a socket or an Event, for at most `timeout_ms` (or None)."""
        self._waiter = core.cur_task
        if timeout_ms is None:
            self._timer.stop()
        else:
            self._timer.start(timeout_ms)

    def clear(self):
        """The wait is over, or was given up."""
        self._waiter = None
        self._timer.stop()

    def _expire(self):
        self.wake(self._make_error)

    def wake(self, make_error):
        """End the wait with the exception `make_error()` returns. Does nothing if it has ended already.

        A task that the poller or a cancellation has already made ready keeps that: the answer came in time.
        """
        if self.waiting():
            try:
                error = make_error()
            except MemoryError as no_message:
                error = no_message
            waiter = self._waiter
            waiter.cancel()  # takes it off the poller and makes it ready
            waiter.data = error  # what the loop will throw into it, instead of CancelledError
        self._waiter = None

    def waiting(self):
        """Whether a task, other than the running one, waits on the poller with this deadline."""
        task = self._waiter
        # While it waits on the poller its data is that, which has remove(); made ready, it is something else.
        return task is not None and task is not core.cur_task and hasattr(task.data, "remove")
