"""Runs the VM's functions that LVGL calls."""

import sys

import virtual_codec as _codec
import virtual_link as _link

_take = _codec.take
_callbacks = _codec.callbacks


def run_callback():
    """Run the callback that the panel's message in the inbox asks for; returns its result."""
    _codec.read_inbox()
    callback = _codec.take_u32()
    slot = _take()
    entry = _callbacks.get(callback)
    count = _codec.take_u16()
    if entry is None:
        return None
    a = _take() if count else None
    b = _take() if count > 1 else None
    c = _take() if count > 2 else None
    if type(entry) is tuple:
        entry = entry[0]
    elif slot is not None:
        entry = entry._callbacks[slot]
    if not _link.contained:
        return _call(entry, count, a, b, c)
    try:
        return _call(entry, count, a, b, c)
    except Exception as e:
        sys.print_exception(e)
        _callbacks[callback] = _nothing
    return None


def _call(function, count, a, b, c):
    if count == 1:
        return function(a)
    if count == 2:
        return function(a, b)
    if count == 3:
        return function(a, b, c)
    return function()


def _nothing(*_):
    """In the place of a callback that was switched off because it raised."""


_link.run_callback = run_callback
