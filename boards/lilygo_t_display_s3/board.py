"""LilyGO T-Display-S3: 170x320 ST7789 on an 8-bit parallel bus, two buttons, used in landscape.

Tried on hardware: no.

Origin of the numbers: [L] LilyGO's repository, https://github.com/Xinyuan-LilyGO/T-Display-S3 at a68b5b3
(examples/factory/pin_config.h); [M] MicroPythonOS, which runs on this board
(internal_filesystem/lib/mpos/board/lilygo_t_display_s3.py at 7723a734).
"""

import lcd_bus
import lvgl as lv
import machine

import mpos.hardware as hardware
import mpos.hardware.keypad as keypad

st7789 = hardware.driver("st7789")

_BUFFER_BYTES = 320 * 40 * 2  # two of 40 lines: one is drawn while the other is sent


def init():
    machine.Pin(15, machine.Pin.OUT, value=1)  # [L] PIN_POWER_ON: else the display is dark on battery
    display = _display()
    buttons = _buttons()
    return hardware.Hardware(
        name="lilygo_t_display_s3",
        display=display,
        inputs=[hardware.Input(buttons.indev, interrupt=buttons.interrupt)],
        backlight=display.set_backlight,
        sleep=hardware.controller_sleep(display),
    )


def _display():
    # [L] pins PIN_LCD_..., and the clock (EXAMPLE_LCD_PIXEL_CLOCK_HZ)
    bus = lcd_bus.I80Bus(
        dc=7,
        wr=8,
        cs=6,
        data0=39,
        data1=40,
        data2=41,
        data3=42,
        data4=45,
        data5=46,
        data6=47,
        data7=48,
        freq=16_000_000,
    )
    memory = lcd_bus.MEMORY_INTERNAL | lcd_bus.MEMORY_DMA
    display = st7789.ST7789(
        data_bus=bus,
        frame_buffer1=bus.allocate_framebuffer(_BUFFER_BYTES, memory),
        frame_buffer2=bus.allocate_framebuffer(_BUFFER_BYTES, memory),
        display_width=170,  # [L]
        display_height=320,  # [L]
        power_pin=9,  # [L] PIN_LCD_RD: must be high, nothing is read
        reset_pin=5,  # [L] PIN_LCD_RES
        reset_state=st7789.STATE_LOW,  # [M]
        backlight_pin=38,  # [L] PIN_LCD_BL
        backlight_on_state=st7789.STATE_PWM,
        offset_x=0,
        offset_y=35,  # [M] the glass shows the middle 170 of 240 columns
        color_space=lv.COLOR_FORMAT.RGB565,
        color_byte_order=st7789.BYTE_ORDER_BGR,  # [M]
    )
    display.set_power(True)  # [M] before init, which would be garbled
    display.init()
    hardware.st7789_low_byte_first(display)
    display.set_backlight(100)
    display.set_rotation(lv.DISPLAY_ROTATION._270)  # [M]
    display.set_color_inversion(True)  # [M]
    return display


def _buttons():
    """Two buttons are previous and next; both together are enter, the first held is back ([M])."""

    def pin(number):
        return machine.Pin(number, machine.Pin.IN, machine.Pin.PULL_UP)

    return keypad.Chords(
        pins=[pin(0), pin(14)],  # [L] PIN_BUTTON_1, PIN_BUTTON_2
        keys={0b01: lv.KEY.PREV, 0b10: lv.KEY.NEXT, 0b11: lv.KEY.ENTER},
        long_keys={0b01: lv.KEY.ESC},
    )
