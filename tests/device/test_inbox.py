"""Inbox: what interrupts and threads put is taken, in whatever moment of the loop they come."""

import micropython
from raising import raises

from mpos.loop.inbox import Inbox


class Interrupting:
    """A queue; an interrupt is scheduled while the loop puts into it, and runs at the next branch."""

    def __init__(self, calls, interrupt):
        self._calls = calls
        self._interrupt = interrupt
        self.came = False

    def append(self, call):
        if not self.came:
            self.came = True
            micropython.schedule(self._interrupt, None)
        self._calls.append(call)

    def __len__(self):
        return len(self._calls)

    def popleft(self):
        return self._calls.popleft()


def run(inbox):
    """Make the calls; returns what they raised."""
    errors = []
    inbox.run(None, lambda error, message, name: errors.append(error))
    return errors


def test_an_interrupt_in_the_middle_of_a_put_may_put_too():
    for waiting, room in ((0, 2), (1, 1), (2, 0)):
        inbox = Inbox(2)
        calls = []
        held = []

        def interrupt(_):
            held.append(inbox._lock.locked())  # It would wait for ever.
            if not held[-1]:
                try:
                    inbox.put(calls.append, ("interrupt",))
                except RuntimeError:
                    calls.append("full")

        for _ in range(waiting):
            inbox.put(calls.append, ("before",))
        inbox._calls = Interrupting(inbox._calls, interrupt)
        if room:
            inbox.put(calls.append, ("loop",))
        else:
            assert "full" in raises(RuntimeError, inbox.put, calls.append, ("loop",))
        for _ in range(3):
            pass  # Branches, in case there was none.
        run(inbox)
        assert held == [False], (waiting, held)
        full = ["full"] if room < 2 else []
        after = ["loop"] * (room > 0) + ["interrupt"] * (room > 1)
        assert calls == full + ["before"] * waiting + after, calls


def test_a_call_may_raise_anything_and_only_what_ends_the_program_comes_out():
    class Odd(BaseException):
        pass

    inbox = Inbox(8)

    def fail(error):
        raise error

    for error in (Odd, GeneratorExit, ValueError, SystemExit, ValueError):
        inbox.put(fail, (error,))
    errors = []

    def note(error, message, name):
        errors.append(type(error))

    raises(SystemExit, inbox.run, None, note)
    assert errors == [Odd, GeneratorExit, ValueError]
    assert len(inbox) == 1
