"""Buttons and joysticks as LVGL keypads.

Each class makes one `lv.indev_t` (attribute `indev`) in the default group, whose read callback looks at the
pins. `interrupt` is for `mpos.hardware.Input`; a joystick has none.
"""

import time

import lvgl as lv
from micropython import const

from ..ui.callbacks import guarded
from . import PinInterrupt

_BOUNCE_MS = const(20)  # contacts of push buttons settle within 5 to 10 ms


def default_group():
    """The group that keypads move the focus in and new widgets join; made on the first call."""
    group = lv.group_get_default()
    if group is None:
        group = lv.group_create()
        group.set_default()
    return group


def _keypad(read):
    indev = lv.indev_create()
    indev.set_type(lv.INDEV_TYPE.KEYPAD)
    indev.set_read_cb(guarded(read, "keypad"))
    indev.set_group(default_group())
    return indev


class Buttons:
    """One key per button. `keys` is a list of (pin, key); a pin is low while its button is pressed.

    Of several buttons pressed together, the first of the list counts.
    """

    def __init__(self, keys):
        self._keys = keys
        self._key = keys[0][1]
        self._pressed = False
        self._changed = time.ticks_add(time.ticks_ms(), -_BOUNCE_MS)
        self.interrupt = PinInterrupt(*[pin for pin, _ in keys])
        self.indev = _keypad(self._read)

    def _read(self, indev, data):
        key = None
        for pin, candidate in self._keys:
            if not pin.value():
                key = candidate
                break
        now = time.ticks_ms()
        if (key is not None) != self._pressed and time.ticks_diff(now, self._changed) >= _BOUNCE_MS:
            self._pressed = key is not None
            self._changed = now
        if key is not None:
            self._key = key
        data.key = self._key
        data.state = lv.INDEV_STATE.PRESSED if self._pressed else lv.INDEV_STATE.RELEASED


class Chords:
    """More keys than buttons: which buttons were down together, and how long, decides the key on release.

    `keys` maps a bit mask (bit 0 is the first pin) to the key; `long_keys` the same for holding them for
    `long_ms`. A pin is low while its button is pressed. Nothing has to be polled while a button is held.
    """

    def __init__(self, pins, keys, long_keys, long_ms=700):
        self._pins = pins
        self._keys = keys
        self._long_keys = long_keys
        self._long_ms = long_ms
        self._seen = 0  # the buttons since the first went down; 0 when all are up
        self._since = self._changed = time.ticks_add(time.ticks_ms(), -_BOUNCE_MS)
        self._key = lv.KEY.ENTER
        self._reported = False  # LVGL has been told "pressed" and must be told "released"
        self.interrupt = PinInterrupt(*pins)
        self.indev = _keypad(self._read)

    def _read(self, indev, data):
        key = None if self._reported else self._completed()
        if key is not None:
            self._key = key
        self._reported = key is not None
        data.key = self._key
        data.state = lv.INDEV_STATE.PRESSED if self._reported else lv.INDEV_STATE.RELEASED
        data.continue_reading = self._reported

    def _completed(self):
        """The key if the last button of a chord has just been released, else None."""
        down = 0
        for bit, pin in enumerate(self._pins):
            if not pin.value():
                down |= 1 << bit
        now = time.ticks_ms()
        if down:
            if not self._seen and time.ticks_diff(now, self._changed) >= _BOUNCE_MS:
                self._since = self._changed = now
                self._seen = down
            elif self._seen:
                self._seen |= down
            return None
        if not self._seen or time.ticks_diff(now, self._changed) < _BOUNCE_MS:
            return None
        held = time.ticks_diff(now, self._since)
        seen, self._seen, self._changed = self._seen, 0, now
        key = self._long_keys.get(seen) if held >= self._long_ms else None
        return self._keys.get(seen) if key is None else key


class Joystick:
    """Two potentiometers as arrow keys. It has no interrupt: poll it, slowly.

    `x` and `y` are `machine.ADC`s; right and up read high. Further than `threshold` (of 32768) from the
    middle is a key.
    """

    interrupt = None

    def __init__(self, x, y, threshold=12000):
        self._x = x
        self._y = y
        self._threshold = threshold
        self._key = lv.KEY.ENTER
        self.indev = _keypad(self._read)

    def _read(self, indev, data):
        key = self._direction()
        if key is not None:
            self._key = key
        data.key = self._key
        data.state = lv.INDEV_STATE.RELEASED if key is None else lv.INDEV_STATE.PRESSED

    def _direction(self):
        try:
            x = self._x.read_u16() - 32768
            y = self._y.read_u16() - 32768
        except OSError:  # the ADC is busy
            return None
        if abs(x) < self._threshold and abs(y) < self._threshold:
            return None
        if abs(x) > abs(y):
            return lv.KEY.RIGHT if x > 0 else lv.KEY.LEFT
        return lv.KEY.UP if y > 0 else lv.KEY.DOWN
