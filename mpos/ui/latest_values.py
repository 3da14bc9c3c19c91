"""Values of widgets that change faster than the screen: of several between two frames the last one is set."""

import _thread

import lvgl as lv

from ..loop.runner import runner

_lock = _thread.allocate_lock()
_pending = {}  # (id of the widget, setter): (number, widget, setter, values)
_number = 0  # Of the last value: a dictionary does not keep their order.
_asked = False  # Whether the loop has been asked to set what is pending.


def set_latest(widget, setter, *values):
    """Call the method of `widget` named `setter` before the next frame. Safe from a thread."""
    global _number, _asked
    key = (id(widget), setter)
    try:
        with _lock:
            _number = number = _number + 1
            _pending[key] = (number, widget, setter, values)
            asked = _asked
            _asked = True
        if not asked:
            runner.inbox.put(_request_frame)
    except BaseException:
        _asked = False  # The inbox or the heap is full: the next to set a value asks again.
        raise


def _request_frame():
    loop = runner.io.ui
    if loop is None:
        _set_pending()
    else:
        loop.before_frame(_set_pending)


def _set_pending():
    global _asked, _pending
    with _lock:
        _asked = False
        pending = _pending
        _pending = {}
    try:
        for _, widget, setter, values in sorted(pending.values()):
            try:
                getattr(widget, setter)(*values)
            except lv.LvReferenceError:
                pass  # Deleted meanwhile: there is nothing left to show it on.
            except Exception as error:
                runner.failed(error, "UiBridge could not call %s%r" % (setter, values), setter)
    except (KeyboardInterrupt, MemoryError):  # What is set already is set once more.
        with _lock:
            pending.update(_pending)
            _pending = pending
        _request_frame()
        raise
