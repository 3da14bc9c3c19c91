"""LoopIOQueue: the wait for sockets, inputs and the inbox, with a place for what must be done around it.

Here LVGL's clock is brought up to now before any coroutine runs, a refresh that a coroutine asked for ends
the wait before it begins, and the inbox ends one under way.
"""

import select
from asyncio import core

from micropython import const

from .ctrl_c import CTRL_C, StepGuard

# The longest wait: a task that a scheduled interrupt has queued behind our back is found after it.
_LONGEST_MS = const(1000)


def readable(stream):
    """`await` it until `stream` (a socket, or another object that can be polled) can be read."""
    yield core._io_queue.queue_read(stream)


def writable(stream):
    """`await` it until `stream` can be written."""
    yield core._io_queue.queue_write(stream)


class LoopIOQueue(core.IOQueue):
    """Takes the place of `asyncio.core._io_queue`.

    `on_mail` is called, on the loop, when the inbox has woken it. `ui`: an object with `before_poll()` and
    `after_poll()`, or None. `polling`: whether a wait is under way, which an interrupt must end that queues
    a task.
    """

    def __init__(self, inbox, on_mail):
        super().__init__()
        self.ui = None
        self.polls = 0
        self.polling = False
        self._inbox = inbox
        self.on_mail = on_mail
        self._bell = inbox.stream
        self.poller.register(self._bell, select.POLLIN)
        self.step_guard = StepGuard(self)
        self._input = None
        self._on_ctrl_c = None
        self._byte = bytearray(1)

    def wait_io_event(self, dt):
        """Wait for at most `dt` ms (-1: no limit) for an event, and queue the tasks that waited for it."""
        if self.step_guard.is_open and self.step_guard.close():
            self._on_ctrl_c()
        ui = self.ui
        if ui is not None and ui.before_poll():
            dt = 0
        elif dt < 0 or dt > _LONGEST_MS:
            dt = _LONGEST_MS
        self.polls += 1
        if dt:
            self.polling = True  # From here on an interrupt that queues a task wakes us.
            if self._is_due():
                dt = 0
        for stream, event in self.poller.ipoll(dt):
            if stream is self._bell:
                self.polling = False
                self._inbox.answer()
                if len(self._inbox):
                    self.on_mail()
            else:
                self._wake_tasks(stream, event)
        self.polling = False
        if ui is not None:
            ui.after_poll()

    def watch_input(self, stream, on_ctrl_c):
        """Call `on_ctrl_c()` for each Ctrl-C on `stream`, and drop all else there, for as long as no
        task reads it. `stream` None: read nothing."""
        self._on_ctrl_c = on_ctrl_c
        old = self._input
        if old is stream:
            return
        self._input = stream
        if old is not None and id(old) not in self.map:
            self.poller.unregister(old)
        if stream is not None and id(stream) not in self.map:
            self.poller.register(stream, select.POLLIN)

    def _take_input(self):
        if not self._input.readinto(self._byte):
            self.watch_input(None, self._on_ctrl_c)  # It has ended.
        elif self._byte[0] == CTRL_C:
            self._on_ctrl_c()

    def _is_due(self):
        """Whether a task may run that an interrupt has queued since the runner looked."""
        first = core._task_queue.peek()
        return first is not None and core.ticks_diff(first.ph_key, core.ticks()) <= 0

    def _wake_tasks(self, stream, event):
        if stream is self._input and id(stream) not in self.map:
            self._take_input()
            return
        entry = self.map[id(stream)]
        reader, writer, _ = entry
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
            # asyncio's own drops the whole stream here, with the task that waits for its other direction.
            self._settle(entry)
            return

    def _settle(self, entry):
        reader, writer, stream = entry
        if reader is None and writer is None:
            self._dequeue(stream)
            if stream is self._input:
                self.poller.register(stream, select.POLLIN)
        else:
            self.poller.modify(stream, select.POLLOUT if reader is None else select.POLLIN)

    def take_over(self, other):
        """Let the tasks that wait at `other`, an IOQueue, wait here."""
        running = core.cur_task
        for reader, writer, stream in other.map.values():
            for task, index in ((reader, 0), (writer, 1)):
                if task is not None:
                    core.cur_task = task
                    self._enqueue(stream, index)
        core.cur_task = running

    def clear(self):
        """Let go of all streams; the tasks that wait for them are forgotten."""
        for _, _, stream in list(self.map.values()):
            self._dequeue(stream)
