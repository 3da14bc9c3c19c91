"""`machine` of the virtual board, with the names and numbers of the ESP32 port.

Reset, watchdog and clock are played by the supervisor of the VM; the bootstrap sets `_control`, the pipe to
it (one line a message), and what a board would read from its chip.
"""

import time

import micropython
from umachine import PinBase, Signal, idle, mem8, mem16, mem32, soft_reset, time_pulse_us  # noqa: F401
from virtual_i2c import I2C, SoftI2C  # noqa: F401

try:
    from umachine import Timer  # noqa: F401 (lvgl_micropython's desktop binary has one)
except ImportError:
    pass

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_control = None
_interrupt = None
_reset_cause = PWRON_RESET
_unique_id = b"\0" * 6
_rtc_offset = 0  # seconds the RTC is ahead of the host's clock
_freq = 240000000
_PINS = 49  # of an ESP32-S3: 0 to 48
_levels = bytearray(_PINS)
_handlers = {}


def reset():
    """Start the board afresh, LVGL included; what is on the flash stays."""
    _control.write(b"reset\n")
    while True:  # until the supervisor ends this VM
        time.sleep(1)


def reset_cause():
    return _reset_cause


def unique_id():
    return _unique_id


def freq(hz=None):
    """The clock in Hz. Setting it is accepted and changes nothing."""
    global _freq
    if hz is None:
        return _freq
    _freq = hz


def lightsleep(ms=0):
    time.sleep_ms(ms)


def disable_irq():
    return 0


def enable_irq(state):
    pass


class RTC:
    """The clock, ahead of or behind the host's as it was set; it keeps going over resets."""

    def datetime(self, value=None):
        """Read or set (year, month, day, weekday, hours, minutes, seconds, microseconds)."""
        global _rtc_offset
        if value is None:
            now = time.time_ns() // 1000
            t = time.gmtime(now // 1000000 + _rtc_offset)
            return (t[0], t[1], t[2], t[6], t[3], t[4], t[5], now % 1000000)
        year, month, day, _, hours, minutes, seconds = value[:7]
        wanted = time.mktime((year, month, day, hours, minutes, seconds, 0, 0, 0))
        _rtc_offset = wanted - time.mktime(time.gmtime())
        _control.write(b"rtc %d\n" % _rtc_offset)

    def init(self, value):
        """Set from (year, month, day, hours, minutes, seconds, microseconds, tzinfo)."""
        self.datetime((value[0], value[1], value[2], 0, value[3], value[4], value[5], 0))


class WDT:
    """The watchdog: the board is reset when `feed` was not called for `timeout` ms. It cannot be stopped."""

    def __init__(self, id=0, timeout=5000):
        if id:
            raise ValueError("WDT(%d) doesn't exist" % id)
        if timeout < 1:
            raise ValueError("WDT timeout too short")
        _control.write(b"wdt %d\n" % timeout)

    def feed(self):
        _control.write(b"feed\n")


class Pin(PinBase):
    """A virtual pin that holds its level; what is written to it is what is read, and what fires `irq`."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2

    def __init__(self, id, mode=-1, pull=-1, value=None):
        if not 0 <= id < _PINS:
            raise ValueError("invalid pin")
        self._id = id
        self.init(mode, pull, value)

    def init(self, mode=-1, pull=-1, value=None):
        if mode == self.IN and pull == self.PULL_UP:
            value = 1
        if value is not None:
            self.value(value)

    def value(self, level=None):
        if level is None:
            return _levels[self._id]
        level = 1 if level else 0
        if level != _levels[self._id]:
            _levels[self._id] = level
            handler = _handlers.get(self._id)
            if handler and handler[1] & (self.IRQ_RISING if level else self.IRQ_FALLING):
                micropython.schedule(handler[0], self)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(not _levels[self._id])

    def irq(self, handler=None, trigger=3, wake=None, hard=False):
        """Call `handler(pin)` on the edges in `trigger`, by micropython.schedule; None stops it."""
        if handler is None:
            _handlers.pop(self._id, None)
        else:
            _handlers[self._id] = (handler, trigger)

    def __repr__(self):
        return "Pin(%d)" % self._id
