"""What a board is to the rest of mpos, and the few things that boards share.

boards/NAME/board.py has one function, `init()`, that mpos.main calls once per boot and that returns a
`Hardware`. It creates the display and the inputs and starts nothing: no timer, no task, no second loop. The
loop draws, sets the interrupts and reads the inputs.
"""

import sys


class Input:
    """One input device: a touch panel, some buttons, a keyboard.

    `device` is an `lv.indev_t` or a driver of lvgl_micropython around one; `indev` is the `lv.indev_t`.

    `interrupt` says when there is something to read. None: nothing does, the loop polls every `poll_ms`. Else
    it is an object with `irq(handler)` (a `machine.Pin`, or `PinInterrupt` for several), or a stream
    that polls readable (with `read_event()` to acknowledge); then the loop puts the device into event mode,
    reads when it fires, and polls every `poll_ms` only while something is held down.
    """

    def __init__(self, device, interrupt=None, poll_ms=33):
        self.driver = device
        self.indev = getattr(device, "_indev_drv", device)
        self.interrupt = interrupt
        self.poll_ms = poll_ms


class Hardware:
    """What `init()` of a board returns. `Hardware.current` is that of this boot, for whoever needs it later.

    `display` may be an `lv.display_t` or a driver of lvgl_micropython around one; the attribute `display` is
    always the `lv.display_t`, `display_driver` what was given.

    `backlight(percent)` sets the brightness, 0 is dark; None where it cannot be set.
    `sleep(asleep)` puts the display's controller to sleep or wakes it; None where it cannot.
    `imu` is a dict of the arguments of `SensorManager.init()`, None on a board without a motion sensor.
    `refresh_ms`: how long after a frame the next may be drawn (see LvglLoop); 33 ms is LVGL's own.
    `watchdog_ms`: `mpos.main` starts the chip's watchdog with so many ms, and the loop feeds it. It cannot be
    stopped any more: leave it None on a board that is used without the loop as well.
    """

    current = None

    def __init__(
        self,
        name,
        display,
        inputs=(),
        backlight=None,
        sleep=None,
        imu=None,
        refresh_ms=33,
        watchdog_ms=None,
    ):
        Hardware.current = self
        self.name = name
        self.display_driver = display
        self.display = getattr(display, "_disp_drv", display)
        self.inputs = list(inputs)
        self.refresh_ms = refresh_ms
        self.brightness = 100
        self.imu = imu
        self.watchdog_ms = watchdog_ms
        self._backlight = backlight
        self._sleep = sleep

    def set_backlight(self, percent):
        """Set the brightness, 0 to 100. Does nothing on a board that cannot."""
        self.brightness = percent
        if self._backlight is not None:
            self._backlight(percent)

    def screen_off(self):
        """Backlight off, the display's controller asleep. Call after `LvglLoop.pause()`."""
        if self._backlight is not None:
            self._backlight(0)
        if self._sleep is not None:
            self._sleep(True)

    def screen_on(self):
        """Undo `screen_off()`, with the brightness it had. Call before `LvglLoop.resume()`."""
        if self._sleep is not None:
            self._sleep(False)
        if self._backlight is not None:
            self._backlight(self.brightness)


class PinInterrupt:
    """One or several pins as one interrupt line: any edge of any of them calls the handler.

    With `only_when_low` edges are ignored that leave the pin high: an XPT2046 moves its line while it is
    read, and each read would cause the next.

    `irq(handler)` is called by the loop as it would call `machine.Pin.irq`; None takes the handler off.
    """

    def __init__(self, *pins, only_when_low=False):
        self._pins = pins
        self._only_when_low = only_when_low
        self._handler = None

    def irq(self, handler):
        self._handler = handler
        if handler is not None and self._only_when_low:
            handler = self._low
        for pin in self._pins:
            pin.irq(handler=handler, trigger=pin.IRQ_FALLING | pin.IRQ_RISING)

    def _low(self, pin):
        if not pin.value() and self._handler is not None:
            self._handler(pin)


def driver(name):
    """Import a display or touch driver under the name this firmware has for it.

    lvgl_micropython freezes `st7789`, MicroPythonOS has it as `drivers.display.st7789`.

    Raises ImportError that names the driver and says what was looked for and what was missing.
    """
    missing = []
    for path in (name, "drivers.display." + name, "drivers.indev." + name):
        try:
            return __import__(path, None, None, ("*",))
        except ImportError as error:
            missing.append("%s: %s" % (path, error))
    raise ImportError("this firmware has no driver %s (%s)" % (name, "; ".join(missing)))


def is_mpos_fork(module):
    """True if `driver()` found the module among MicroPythonOS's own drivers.

    Where their constructors differ from upstream's, board.py asks this.
    """
    return module.__name__.startswith("drivers.")


def keep_calibration_with(store):
    """Make drivers that ask for no calibration of their own keep it with `store(name)`.

    lvgl_micropython's `TouchCalData` writes a file into the current directory on the desktop for every
    pointer made, even if nobody calibrates. `store` is a class like `mpos.hardware.calibration.Calibration`.
    """

    class touch_cal_data:
        TouchCalData = store

    sys.modules["touch_cal_data"] = touch_cal_data


def controller_sleep(display):
    """The `sleep` of a `Hardware` whose display driver talks to a MIPI DCS controller (ST7789, ILI9341)."""
    import time

    def sleep(asleep):
        if asleep:
            display.set_params(0x28)  # DISPOFF
            display.set_params(0x10)  # SLPIN
        else:
            display.set_params(0x11)  # SLPOUT
            time.sleep_ms(5)  # both controllers' data sheets: 5 ms before the next command
            display.set_params(0x29)  # DISPON

    return sleep


def st7789_low_byte_first(display):
    """Have an ST7789 on an 8-bit parallel bus take RGB565 as LVGL stores it. Call after `init()`.

    The bus cannot swap the bytes, and lvgl_micropython's driver never sends the command with which the
    controller can: its constructor loses `rgb565_byte_swap`. RAMCTRL's ENDIAN bit, data sheet section 9.2.1.
    """
    display.set_params(0xB0, bytearray([0x00, 0xF0 | 0x08]))
