"""Ctrl-C while the loop runs: a byte of the input, and an interrupt only for a step that holds the loop.

The port's interrupt character is switched off for as long as the loop runs, so that a Ctrl-C can land
neither in the loop's own code nor in a task that behaves: it is read from the input between two steps. Nobody
would read it while a step goes on for ever. So the board looks once a second whether the loop still polls; if
a step has held it since the last look, the interrupt character is switched on until that step is over.

On a board a timer looks: its function runs at the branches of the code that holds the loop, and in its
sleeps. The unix port needs a thread, since nothing else gets a turn in a sleep there. Rejected: an alarm that
each step arms (it costs each step more than this costs an idle board), and leaving the character on (each
line of the loop's code would have to be ready for an exception).
"""

import io
import sys
from select import POLLIN, poll
from time import sleep_ms

from micropython import const, kbd_intr

CTRL_C = const(3)
_LOOK_MS = const(1000)
_TYPED_AHEAD = const(260)  # What a board keeps of it.
_ONCE = (None,)


class TaskInterrupted(Exception):
    """A Ctrl-C has ended this task, which held the loop; a task that awaits it gets this."""


class StepGuard:
    """The switch of the interrupt character. `loop_poll` has `polls`, their count, and `polling`."""

    is_open = False
    """Whether the step that runs has held the loop, and a Ctrl-C interrupts it."""

    def __init__(self, loop_poll):
        self._poll = loop_poll
        self._seen = 0
        self._runs = False
        self._watch = None

    def start(self):
        """The loop begins. Raises the KeyboardInterrupt that came just before."""
        self.is_open = False
        if self._watch is None:
            self._watch = (_TimerWatch if sys.platform == "esp32" else _ThreadWatch)(self.look)
        self._seen = self._poll.polls
        self._runs = True
        self._watch.start()
        _switch_off()

    def end(self):
        """The loop has ended: Ctrl-C interrupts as ever."""
        self._runs = self.is_open = False
        self._watch.stop()
        kbd_intr(CTRL_C)

    def close(self):
        """The step that held the loop is over. True if a Ctrl-C came too late for it. Never raises."""
        self.is_open = False
        try:
            _switch_off()
        except KeyboardInterrupt:
            kbd_intr(-1)
            return True
        return False

    def look(self, _=None):
        """Called once a second, by a timer's interrupt or by a thread. No heap is used."""
        loop_poll = self._poll
        polls = loop_poll.polls
        if loop_poll.polling or polls != self._seen or not self._runs:
            self._seen = polls
            return
        self.is_open = True
        # On a board this raises nothing in here: it is raised at the next branch of the step.
        self._watch.open()
        if loop_poll.polling or loop_poll.polls != polls:  # In a thread: the step has ended meanwhile.
            kbd_intr(-1)
            self.is_open = False


def _switch_off():
    kbd_intr(-1)
    for _ in _ONCE:  # What came before is raised at this jump, and not later.
        pass


class _ThreadWatch:
    """A thread that looks. It never ends: that would take waiting for, and the next loop needs one."""

    def __init__(self, look):
        self._look = look
        self._started = False

    def start(self):
        if not self._started:
            import _thread

            self._started = True
            _thread.start_new_thread(self._run, ())

    def stop(self):
        pass

    def _run(self):
        while True:
            sleep_ms(_LOOK_MS)
            self._look()

    def open(self):
        kbd_intr(CTRL_C)


class _TimerWatch:
    """A timer that looks, on boards: `machine.Timer`'s callbacks are scheduled functions."""

    def __init__(self, look):
        self._look = look
        self._timer = None
        self._typed = _Typed()

    def start(self):
        from machine import Timer

        for number in (-1, 3, 1):  # A virtual one, or the last hardware timer of a chip with four or two.
            try:
                self._timer = self._timer or Timer(number)
                break
            except ValueError:
                pass
        self._timer.init(period=_LOOK_MS, mode=Timer.PERIODIC, callback=self._look)

    def stop(self):
        self._timer.deinit()

    def open(self):
        # The port looks at what arrives, and a Ctrl-C may have arrived before, as a byte. `dupterm_notify`
        # (extmod/os_dupterm.c) lets the port see it once more: it notes the interrupt and returns. There is
        # no branch from there to the end of the scheduled function, so it is raised in the step.
        from os import dupterm, dupterm_notify

        typed = self._typed
        if not typed.find_ctrl_c():
            kbd_intr(CTRL_C)
            return
        before = dupterm(typed)
        kbd_intr(CTRL_C)
        dupterm_notify(None)
        dupterm(before)


class _Typed(io.IOBase):
    """A terminal for `os.dupterm` on which a Ctrl-C is typed that was found in the system's input."""

    def __init__(self):
        self._input = sys.stdin.buffer
        self._poll = poll()
        self._poll.register(self._input, POLLIN)
        self._byte = bytearray(1)

    def find_ctrl_c(self):
        """Take what has arrived, up to the first Ctrl-C; the rest is the console's."""
        byte = self._byte
        for _ in range(_TYPED_AHEAD):
            byte[0] = 0
            for _ in self._poll.ipoll(0):
                self._input.readinto(byte)
            if byte[0] == CTRL_C:
                return True
            if byte[0] == 0:
                break
        return False

    def readinto(self, buffer):
        if self._byte[0] != CTRL_C:
            return None
        buffer[0] = CTRL_C
        self._byte[0] = 0
        return 1

    def write(self, data):
        return len(data)

    def ioctl(self, request, argument):
        return 0
