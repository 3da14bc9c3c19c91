"""Inbox: work for the loop that comes from outside it, from a thread or from an interrupt.

`put` is the only way into the loop that is safe there. The loop takes what was put, in the order it was put,
each exactly once.
"""

import _thread
from collections import deque


class Inbox:
    """A bounded queue of calls. `doorbell.ring()` is called when the loop has to be woken for them."""

    def __init__(self, doorbell, size=128):
        """`size`: how many calls may wait at the same time."""
        self.size = size
        self._doorbell = doorbell
        self._calls = deque((), size, 1)  # 1: a full queue raises instead of dropping the oldest call
        self._lock = _thread.allocate_lock()
        self._rung = False

    def __len__(self):
        return len(self._calls)

    def put(self, function, args=()):
        """Have the loop call `function(*args)`. Safe from a thread and from a scheduled interrupt.

        Raises RuntimeError when `size` calls are waiting already; nothing was put then.
        """
        call = (function, args)
        lock = self._lock
        try:
            # No branch while the lock is held: MicroPython runs scheduled interrupts at branches, and one
            # that put something in turn would wait for this very lock. The end of a `try` with an `except`
            # is one.
            lock.acquire()
            try:
                self._calls.append(call)
                rung = self._rung
                self._rung = True
            finally:
                lock.release()
        except IndexError:
            raise RuntimeError(
                "the loop's inbox is full: %d calls wait already. Post less, or let the loop turn" % self.size
            )
        if not rung:
            self._doorbell.ring()

    def answer(self):
        """Called by the loop when the bell has rung, before it takes the calls: from now on it rings anew."""
        self._doorbell.silence()
        # Under the lock: a thread between reading this flag and setting it would leave it set for good.
        lock = self._lock
        lock.acquire()
        self._rung = False
        lock.release()

    def take(self):
        """The next call as `(function, args)`. Only the loop calls this, and only when there is one."""
        lock = self._lock
        lock.acquire()
        try:
            call = self._calls.popleft()
        finally:
            lock.release()
        return call

    def run(self, report):
        """Make the calls that are there now. `report(error, message, name)` is told what one raises."""
        # Those only: a call that posts itself again must not keep the loop here.
        for _ in range(len(self)):
            if not len(self):
                return  # A call has itself called this.
            try:
                # No branch between taking the call and making it: a Ctrl-C there would lose it.
                function, arguments = self.take()
                function(*arguments)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:
                report(error, "A posted call failed: %s" % (function,), "posted")
