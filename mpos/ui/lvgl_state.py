"""LvglState: what LVGL remembers of being in the middle of something, and how that is put right.

On a binding that lets it, an exception of a raw callback jumps out through LVGL's C code. LVGL then believes
for ever that its timer handler is running, so that it never runs another timer, and that an event is being
sent, whose data is gone, so that the next deletion of a widget may crash. LVGL has no function to reset
these two. They are two words of its one global structure (core/lv_global.h, misc/lv_timer_private.h), which
lvgl_micropython keeps in MicroPython's heap. It is searched for there, after the first such exception, and
nothing is written before its place has been proved:

- the head and the tail of LVGL's list of timers stand next to each other there;
- `lv.timer_enable()` switches the flag that belongs behind them;
- the time that `lv.timer_get_time_until_next()` returns stands behind that;
- while an event is being sent, the word in front of them is the address of that very event.

Where one of these does not hold, or memory cannot be read, there is no LvglState.
"""

import struct
import sys

import lvgl as lv
import uctypes
from micropython import const

_WORD = struct.calcsize("P")
_CHUNK = const(4096)

# Offsets from the head of the timer list, in bytes: lv_global_t up to lv_timer_state_t, without its resume
# callback, for pointers of 4 and of 8 bytes.
_EVENT = -3 * _WORD if _WORD == 8 else -12
_ENABLED = 2 * _WORD
_UNTIL_NEXT = _ENABLED + 4
_RUNNING = _ENABLED + 8

# The heap is searched only in the block of this size that the timers are in: a board with memory of two
# kinds has a heap in both, and nothing between them.
_BLOCK = const(0x800000)


class LvglState:
    """Made by `find()`."""

    def __init__(self, head):
        self._event = uctypes.bytearray_at(head + _EVENT, _WORD)
        self._running = uctypes.bytearray_at(head + _RUNNING, 1)
        self._no_event = bytes(_WORD)

    def is_damaged(self):
        """Whether LVGL believes to be in the middle of something. Ask where it cannot be. Uses no heap."""
        return self._running[0] != 0 or self._event != self._no_event

    def mend(self):
        """Have LVGL forget what it was in the middle of."""
        self._running[0] = 0
        self._event[:] = self._no_event
        lv._nesting.value = 0


def find():
    """The LvglState of this firmware, or None. Not to be called in a callback of LVGL."""
    try:
        timer = lv.timer_create(_nothing, 1000, None)
        try:
            return _find(timer)
        finally:
            timer.delete()
    except (AttributeError, TypeError, ValueError):
        return None  # A binding that does not show its memory.


def _nothing(_):
    pass


def _find(timer):
    if _is_copied(timer):
        return None
    oldest = timer
    while True:
        following = oldest.get_next()
        if following is None:
            break
        oldest = following
    ends = struct.pack("PP", _address(timer), _address(oldest))
    start, end = _heap_around(_address(timer))
    for head in _occurrences(ends, start, end):
        if _is_proved(head):
            return LvglState(head)
    return None


def _is_copied(thing):
    """Whether the binding gives copies of LVGL's memory, as it does where LVGL is in another process."""
    one, other = thing.__dereference__(1), thing.__dereference__(1)
    return uctypes.addressof(one) != uctypes.addressof(other)


def _address(thing):
    return uctypes.addressof(thing.__dereference__(1))


def _heap_around(address):
    """From the lowest to the highest address in the block of `address` at which Python has surely put
    something into the heap: all between them is heap, and can be read.

    The names of a module that was written in Python are in the heap. Those of one that is built in may be
    anywhere, and between them and the heap there may be nothing.
    """
    block = address // _BLOCK
    known = [id(module.__dict__) for module in sys.modules.values() if hasattr(module, "__file__")]
    known = [one for one in known if one // _BLOCK == block]
    known.append(address)
    return min(known) // _WORD * _WORD, max(known)


def _occurrences(pattern, start, end):
    """The addresses at which `pattern` stands, at a multiple of a word."""
    overlap = len(pattern) - 1
    while start < end:
        size = min(_CHUNK + overlap, end - start)
        chunk = bytes(uctypes.bytearray_at(start, size))
        found = chunk.find(pattern)
        while found >= 0:
            if (start + found) % _WORD == 0:
                yield start + found
            found = chunk.find(pattern, found + 1)
        start += _CHUNK


def _is_proved(head):
    """Whether what is around `head` behaves as LVGL's global structure."""
    enabled = uctypes.bytearray_at(head + _ENABLED, 1)
    until_next = uctypes.bytearray_at(head + _UNTIL_NEXT, 4)
    event = uctypes.bytearray_at(head + _EVENT, _WORD)
    if enabled[0] != 1:
        return False
    lv.timer_enable(False)
    switched_off = enabled[0] == 0
    lv.timer_enable(True)
    if not switched_off or enabled[0] != 1:
        return False
    if struct.unpack("I", until_next)[0] != lv.timer_get_time_until_next():
        return False
    seen = []

    def during_event(e):
        seen.append(struct.unpack("P", event)[0] == _address(e))

    # It is not deleted: that is what a damaged LVGL does not survive. One empty object is the price.
    target = lv.obj(None)
    target.add_event_cb(during_event, lv.EVENT.CLICKED, None)
    target.send_event(lv.EVENT.CLICKED, None)
    return seen == [True]
