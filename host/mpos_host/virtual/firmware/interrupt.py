"""How Ctrl-C interrupts running code safely: by the VM's pending exception, as on a board.

The unix port raises KeyboardInterrupt from its signal handler, out of whatever C function it is in: in the
middle of the heap's own work that leaves the heap locked for ever. A board's port stores the exception as
pending, and the VM raises it between two instructions. Here the supervisor stores it, while the process is
stopped; the bootstrap tells it where: in `mp_state_ctx.thread` (py/mpstate.h), which lies before the table of
modules and is found by its neighbours `dict_locals` and `dict_globals`.
"""

import sys

import uctypes

exception = KeyboardInterrupt()

_WORD = 8
_NEAR = 1024  # words between the thread's state and the table of modules, at most
_AFTER_LOCALS = 4  # dict_globals, nlr_top, nlr_jump_callback_top, mp_pending_exception


def find_pending():
    """The address of `mp_pending_exception`, tried out; 0 if it is not where it is expected."""
    if sys.maxsize < 1 << 32:
        return 0  # A VM of 32 bits: the supervisor writes words of 64.
    wanted = _words(id(locals()), id(globals()))
    address = id(sys.modules) & -_WORD
    for _ in range(_NEAR):
        if uctypes.bytes_at(address, 2 * _WORD) == wanted:
            address += _AFTER_LOCALS * _WORD
            return address if _raises(address) else 0
        address -= _WORD
    return 0


def _words(*values):
    return b"".join([value.to_bytes(_WORD, "little") for value in values])


def _raises(address):
    cell = uctypes.bytearray_at(address, _WORD)
    if cell != bytes(_WORD):
        return False
    try:
        cell[:] = _words(id(exception))
        for _ in range(2):
            pass
    except KeyboardInterrupt:
        return True
    cell[:] = bytes(_WORD)
    return False
