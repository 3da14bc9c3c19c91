"""LVGL as lvgl_micropython's binding presents it, forwarded to the virtual board's panel.

Nothing of LVGL is listed here: a name is asked for when it is first used (panel/names.py answers) and kept.
What is different from the real binding is in virtual_classes.py: methods looked up on classes.
"""

import virtual_callbacks  # noqa: F401
import virtual_classes  # noqa: F401
import virtual_codec as _codec
import virtual_link as _link
from virtual_objects import LvReferenceError, obj  # noqa: F401

_begin = _link.begin
_exchange = _link.exchange
_start = _codec.start
_put = _codec.put
_finish = _codec.finish
_got = _link._got


class _Nesting:
    """`_nesting.value`: how many callbacks run; one too high for each exception that left one."""

    def __getattr__(self, name):
        if name == "value":
            return _link.nesting
        raise AttributeError(name)

    def __setattr__(self, name, value):
        _link.nesting = value


_nesting = _Nesting()


def timer_handler():
    """Run LVGL's timers; ms until the next one."""
    _begin(_link.HANDLER, 0)
    _exchange()
    return _got.call


task_handler = timer_handler


def tick_inc(ms):
    """Move LVGL's clock. The panel learns of it with the next request."""
    if type(ms) is not int:
        raise TypeError("tick_inc needs an int")
    _link.tick += ms


def tick_get():
    return _link.tick & 0xFFFFFFFF


def tick_elaps(previous):
    return (_link.tick - previous) & 0xFFFFFFFF


def timer_get_time_until_next():
    """What LVGL said with the last answer."""
    return _got.until


def __getattr__(name):
    if name[:2] == "__":
        raise AttributeError(name)
    _start(_link.NAME, 0)
    _put(name)
    value = _finish()
    globals()[name] = value
    return value


_start(_link.OPTIONS, 0)
_link.contained = bool(_finish() & 1)
_start(_link.NAME, 0)
_put("obj")
_finish()
