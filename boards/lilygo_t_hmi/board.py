"""LilyGO T-HMI: 240x320 ST7789 on an 8-bit parallel bus, XPT2046 resistive touch on SPI, two buttons.

Tried on hardware: no.

Origin of the numbers: [L] LilyGO's repository, https://github.com/Xinyuan-LilyGO/T-HMI at 901f969
(examples/factory/pins.h and factory.ino); [M] MicroPythonOS, which runs on this board
(internal_filesystem/lib/mpos/board/lilygo_t_hmi.py at 7723a734).

The touch panel has to be calibrated once (`await mpos.hardware.calibration.calibrate()`): until then the
driver spreads its whole range over the screen, which is off by a finger's width at the edges.
"""

import lcd_bus
import lvgl as lv
import machine

import mpos.hardware as hardware
import mpos.hardware.keypad as keypad
from mpos.hardware.calibration import Calibration

st7789 = hardware.driver("st7789")
xpt2046 = hardware.driver("xpt2046")

_WIDTH = 240  # [L]
_HEIGHT = 320  # [L]
_LCD_CS = 6  # [L] CS_PIN
_TOUCH_CS = 2  # [L] TOUCHSCREEN_CS_PIN
_BUFFER_BYTES = 240 * 60 * 2  # [M] 28800


def init():
    machine.Pin(14, machine.Pin.OUT, value=1)  # [L] PWR_ON_PIN: stay on when on battery
    machine.Pin(10, machine.Pin.OUT, value=1)  # [L] PWR_EN_PIN: supply of the display
    display = _display()
    touch = _touch()
    # [L] TOUCHSCREEN_IRQ_PIN is 9, low while touched.
    touched = hardware.PinInterrupt(machine.Pin(9, machine.Pin.IN, machine.Pin.PULL_UP), only_when_low=True)
    buttons = _buttons()
    return hardware.Hardware(
        name="lilygo_t_hmi",
        display=display,
        inputs=[
            hardware.Input(touch, interrupt=touched),
            hardware.Input(buttons.indev, interrupt=buttons.interrupt),
        ],
        backlight=display.set_backlight,
        sleep=hardware.controller_sleep(display),
    )


def _display():
    # [L] pins and clock (EXAMPLE_LCD_PIXEL_CLOCK_HZ)
    bus = lcd_bus.I80Bus(
        dc=7,
        wr=8,
        cs=_LCD_CS,
        data0=48,
        data1=47,
        data2=39,
        data3=40,
        data4=41,
        data5=42,
        data6=45,
        data7=46,
        freq=10_000_000,
    )
    memory = lcd_bus.MEMORY_INTERNAL | lcd_bus.MEMORY_DMA
    display = st7789.ST7789(
        data_bus=bus,
        frame_buffer1=bus.allocate_framebuffer(_BUFFER_BYTES, memory),
        frame_buffer2=bus.allocate_framebuffer(_BUFFER_BYTES, memory),
        display_width=_WIDTH,
        display_height=_HEIGHT,
        backlight_pin=38,  # [L] BK_LIGHT_PIN
        backlight_on_state=st7789.STATE_PWM,
        color_space=lv.COLOR_FORMAT.RGB565,
        color_byte_order=st7789.BYTE_ORDER_RGB,  # [L] and [M]
    )
    display.init()
    hardware.st7789_low_byte_first(display)
    display.set_color_inversion(False)  # [M] the driver's init turns it on
    display.set_backlight(100)
    return display


def _touch():
    # [L] pins TOUCHSCREEN_...; [M] host and frequency (the chip's limit is 2.5 MHz)
    spi = machine.SPI.Bus(host=2, mosi=3, miso=4, sck=1)
    device = machine.SPI.Device(spi_bus=spi, freq=1_000_000, cs=_TOUCH_CS)
    calibration = Calibration("touch")
    if hardware.is_mpos_fork(xpt2046):
        # MicroPythonOS's own driver selects the chip itself.
        return xpt2046.XPT2046(
            device,
            display_width=_WIDTH,
            display_height=_HEIGHT,
            lcd_cs=_LCD_CS,
            touch_cs=_TOUCH_CS,
            touch_cal=calibration,
        )
    return xpt2046.XPT2046(device, touch_cal=calibration)


def _buttons():
    def pin(number):
        return machine.Pin(number, machine.Pin.IN, machine.Pin.PULL_UP)

    # [L] BUTTON1_PIN is "next" and BUTTON2_PIN "ok" in the factory program
    return keypad.Buttons([(pin(0), lv.KEY.NEXT), (pin(21), lv.KEY.ENTER)])
