"""What both soak programs are made of: each part makes work for the loop and keeps an account of it.

An account is counts only, in places that were allocated at the start: what is measured must not grow. Each
part has `work()`, the coroutine that does it, and `mismatches()`, a list of sentences, empty if all is well.
"""

import _thread
import time
from array import array

import lvgl as lv
from micropython import const

from mpos import TaskManager, UiBridge
from mpos.ui.callbacks import guarded

_PERIOD_MS = const(33)
_NAP_MS = const(5)


class Accounts:
    """Each of many tasks begins once and ends once. A slot is used again when its task has ended."""

    def __init__(self, size=64):
        self._begun = bytearray(size)
        self._ended = bytearray(size)
        self._tasks = [None] * size
        self._next = 0
        self.created = self.cancelled_early = 0
        self.wrong = []

    def admit(self, coroutine_of, name):
        """Start `coroutine_of(begin, end)` as a task: it must call the two."""
        slot = self._free_slot()
        self._begun[slot] = self._ended[slot] = 0
        self.created += 1
        task = TaskManager.create_task(coroutine_of(slot), name)
        self._tasks[slot] = task
        return task

    def begin(self, slot):
        """The task in `slot` has begun."""
        self._begun[slot] += 1

    def end(self, slot):
        """The task in `slot` has come to its end, by whichever way."""
        self._ended[slot] += 1

    def alive(self):
        """How many tasks have not ended."""
        return sum(1 for task in self._tasks if task is not None and not task.done())

    def settle(self):
        """Close the account of each task that has ended."""
        for slot in range(len(self._tasks)):
            self._close(slot)

    def _free_slot(self):
        for _ in range(len(self._tasks)):
            slot = self._next = (self._next + 1) % len(self._tasks)
            if self._close(slot):
                return slot
        raise RuntimeError("all %d tasks are alive: tasks are made faster than they end" % len(self._tasks))

    def _close(self, slot):
        task = self._tasks[slot]
        if task is None:
            return True
        if not task.done():
            return False
        begun, ended = self._begun[slot], self._ended[slot]
        if begun == 0 and ended == 0:
            self.cancelled_early += 1
        elif (begun, ended) != (1, 1):
            self.wrong.append("a task began %d times and ended %d times" % (begun, ended))
        self._tasks[slot] = None
        return True


class Posts:
    """Threads that post numbers; each number arrives once and in its thread's order."""

    def __init__(self, threads=4, pause_ms=4):
        self.posted = array("L", [0] * threads)
        self.made = array("L", [0] * threads)
        self.full = array("L", [0] * threads)
        self.wrong = bytearray(threads)
        self._pause_ms = pause_ms
        self._ended = bytearray(threads)
        self._gate_open = True
        self.stopping = False

    def start(self):
        """Start the threads; `stop()` ends them."""
        for number in range(len(self.posted)):
            _thread.start_new_thread(self._run, (number,))

    def stop(self):
        self.stopping = True

    def have_ended(self):
        """Whether all threads have."""
        return min(self._ended) == 1

    def hold(self, held):
        """Have the threads wait, or go on."""
        self._gate_open = not held

    def to_come(self):
        """How many posts have not been made yet."""
        return sum(self.posted) - sum(self.made)

    def mismatches(self):
        found = []
        for number in range(len(self.posted)):
            if self.wrong[number] or self.posted[number] != self.made[number]:
                found.append(
                    "thread %d posted %d calls, %d were made, %d out of order"
                    % (number, self.posted[number], self.made[number], self.wrong[number])
                )
        return found

    def _run(self, number):
        while not self.stopping:
            if self._gate_open:
                value = self.posted[number]
                self.posted[number] = value + 1  # Before: the loop may make it while post() returns.
                try:
                    UiBridge.post(self._make, number, value)
                except RuntimeError:
                    self.posted[number] = value
                    self.full[number] += 1
            time.sleep_ms(self._pause_ms)
        self._ended[number] = 1

    def _make(self, number, value):
        # No branch: a Ctrl-C cannot come between the beginning and the end of this.
        self.wrong[number] |= value != self.made[number]
        self.made[number] += 1


class Frames:
    """When frames are drawn while something moves: those that come later than twice the period.

    A thread that does nothing but sleep tells how much of that was the machine's own: what it oversleeps,
    nobody could have run.
    """

    def __init__(self, display):
        self.count = self.late = self.unexplained = 0
        self.longest_ms = self.longest_unexplained_ms = self.longest_stall_ms = 0
        self.excused = True  # The next gap has a reason: nothing moved, or a command held the loop.
        self.stopping = False
        self._last = time.ticks_ms()
        self._stalled_ms = 0
        self._napping_since = self._last
        display.add_event_cb(guarded(self._on_frame, "frame"), lv.EVENT.RENDER_START, None)
        _thread.start_new_thread(self._watch_machine, ())

    def mismatches(self):
        """A late frame now and then may be the machine's doing unseen; many, or one very late, are ours."""
        # A board of two processes is held up by either, and the thread sees one of them only.
        gross_ms = 500 + 2 * self.longest_stall_ms
        if self.longest_unexplained_ms > gross_ms or self.unexplained > 5 + self.count // 20:
            return [
                "%d of %d frames were later than %d ms with the machine running; the latest after %d ms"
                % (self.unexplained, self.count, 2 * _PERIOD_MS, self.longest_unexplained_ms)
            ]
        return []

    def _on_frame(self, event):
        now = time.ticks_ms()
        gap = time.ticks_diff(now, self._last)
        self._last = now
        stalled = self._stalled_ms + max(0, time.ticks_diff(now, self._napping_since) - _NAP_MS)
        self._stalled_ms = 0
        self.count += 1
        if self.excused:
            self.excused = False
            return
        self.longest_ms = max(self.longest_ms, gap)
        if gap > 2 * _PERIOD_MS:
            self.late += 1
            gap -= stalled
            if gap > 2 * _PERIOD_MS:
                self.unexplained += 1
                self.longest_unexplained_ms = max(self.longest_unexplained_ms, gap)

    def _watch_machine(self):
        while not self.stopping:
            self._napping_since = began = time.ticks_ms()
            time.sleep_ms(_NAP_MS)
            overslept = time.ticks_diff(time.ticks_ms(), began) - _NAP_MS
            if overslept > 1:
                self._stalled_ms += overslept
                self.longest_stall_ms = max(self.longest_stall_ms, overslept)


async def until(condition, what, seconds=20):
    """Wait for `condition()`. Raises AssertionError that names `what` after so many seconds."""
    deadline = time.ticks_add(time.ticks_ms(), seconds * 1000)
    while not condition():
        assert time.ticks_diff(deadline, time.ticks_ms()) > 0, "it never came: " + what
        await TaskManager.sleep_ms(5)
