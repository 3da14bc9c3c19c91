"""LoopIOQueue: asyncio's poll with a place for those who must act just before and just after it.

Every step of asyncio's loop goes through `wait_io_event`. Here LVGL's clock is brought up to now before any
coroutine runs, a refresh that a coroutine asked for ends the wait before it begins, and the doorbell ends one
under way.
"""

import select
from asyncio import core


class LoopIOQueue(core.IOQueue):
    """Takes the place of `asyncio.core._io_queue`.

    `inbox` and `on_mail`: who is to be called, on the loop, when the inbox's doorbell has rung.
    `ui`: an object with `before_poll()` and `after_poll()`, or None. `leaving`: set it to an exception
    to have it leave the loop before the next step, which is where that costs no task.
    """

    def __init__(self, doorbell, inbox, on_mail):
        super().__init__()
        self.ui = None
        self.leaving = None
        self.polls = 0
        self.polling = False
        self._inbox = inbox
        self._on_mail = on_mail
        self._bell = bell = doorbell.stream
        # asyncio takes an empty map for "nothing can ever happen" and then polls every 3 ms.
        self.map[id(bell)] = [None, None, bell]
        self.poller.register(bell, select.POLLIN)

    def wait_io_event(self, dt):
        """asyncio calls this before each step: wait for at most `dt` ms (-1: without limit) for an event."""
        # Few locals: a larger frame would come from the heap each time (see TaskRecord).
        if self.leaving is not None:
            self._leave()
        ui = self.ui
        if ui is not None and ui.before_poll():
            dt = 0
        self.polls += 1
        self.polling = True  # From here on an interrupt that creates a task rings.
        if dt and self._is_due():
            dt = 0
        while True:
            for ready in self.poller.ipoll(dt):
                self._wake_tasks(ready)
            # Without a time limit asyncio takes a task from its queue without looking again.
            if dt >= 0 or core._task_queue.peek():
                break
        self.polling = False
        if ui is not None:
            ui.after_poll()

    def _is_due(self):
        """Whether a task may run, queued by an interrupt since asyncio looked."""
        first = core._task_queue.peek()
        return first is not None and core.ticks_diff(first.ph_key, core.ticks()) <= 0

    def _leave(self):
        leaving = self.leaving
        self.leaving = None
        raise leaving

    def _wake_tasks(self, ready):
        stream, event = ready
        if stream is self._bell:
            self._inbox.answer()
            self._on_mail()
            return
        entry = self.map[id(stream)]
        reader, writer, _ = entry
        # Each is taken out of the map before it is queued: a Ctrl-C in between then leaves a task that is
        # nowhere, which can be found, and never one that is queued twice, which corrupts asyncio's queue.
        if event & ~select.POLLOUT and reader is not None:
            entry[0] = None
            core._task_queue.push(reader)
        if event & ~select.POLLIN and writer is not None:
            entry[1] = None
            core._task_queue.push(writer)
        self._settle(entry)

    def remove(self, task):
        """Take `task` off the stream it waits for; asyncio calls this to cancel it."""
        for key in self.map:  # Iterating a dictionary does not allocate, a list of its items would.
            entry = self.map[key]
            if entry[0] is task:
                entry[0] = None
            elif entry[1] is task:
                entry[1] = None
            else:
                continue
            # asyncio's own drops the whole stream here, with whoever else waits for its other direction.
            self._settle(entry)
            return

    def _settle(self, entry):
        reader, writer, stream = entry
        if reader is None and writer is None:
            self._dequeue(stream)
        else:
            self.poller.modify(stream, select.POLLOUT if reader is None else select.POLLIN)
