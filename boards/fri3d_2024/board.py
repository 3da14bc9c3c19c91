"""Fri3d Camp 2024 badge ("fox"): 240x296 ST7789 on SPI, six buttons, a joystick, used in landscape.

Tried on hardware: no.

Origin of the numbers: [F] the badge's own firmware, https://github.com/Fri3dCamp/badge_firmware at 421c448
(components/fri3d_bsp/include/fri3d_bsp/boards/fox/bsp.h); [M] MicroPythonOS, which runs on this badge
(internal_filesystem/lib/mpos/board/fri3d_2024.py at 7723a734).
"""

import lcd_bus
import lvgl as lv
import machine

import mpos.hardware as hardware
import mpos.hardware.keypad as keypad

st7789 = hardware.driver("st7789")

_BUFFER_BYTES = 240 * 60 * 2  # [M] 28800: two of them leave DMA memory for a camera
_JOYSTICK_POLL_MS = 50


def init():
    display = _display()
    buttons = _buttons()
    return hardware.Hardware(
        name="fri3d_2024",
        display=display,
        inputs=[
            hardware.Input(buttons.indev, interrupt=buttons.interrupt),
            hardware.Input(_joystick().indev, poll_ms=_JOYSTICK_POLL_MS),
        ],
        # The backlight is wired to the supply: only the controller can be put to sleep.
        sleep=hardware.controller_sleep(display),
        imu={
            "i2c_bus": _sensor_bus(),
            "address": 0x6B,
            "mounted_position": 20,
        },  # [M] a WSEN-ISDS, FACING_EARTH
    )


def _display():
    spi = machine.SPI.Bus(host=2, mosi=6, miso=8, sck=7)  # [F] SPI3_HOST is 2 here
    bus = lcd_bus.SPIBus(spi_bus=spi, freq=40_000_000, dc=4, cs=5)  # [F] pins, [M] frequency ([F] has 20 MHz)
    memory = lcd_bus.MEMORY_INTERNAL | lcd_bus.MEMORY_DMA
    display = st7789.ST7789(
        data_bus=bus,
        frame_buffer1=bus.allocate_framebuffer(_BUFFER_BYTES, memory),
        frame_buffer2=bus.allocate_framebuffer(_BUFFER_BYTES, memory),
        display_width=240,  # [F] 296x240 in landscape
        display_height=296,
        reset_pin=48,  # [F]
        reset_state=st7789.STATE_LOW,  # [M]
        color_space=lv.COLOR_FORMAT.RGB565,
        color_byte_order=st7789.BYTE_ORDER_BGR,  # [F]
        rgb565_byte_swap=True,  # [M] SPI sends the high byte first, LVGL stores the low byte first
    )
    display.init()
    display.set_power(True)
    display.set_color_inversion(False)  # [F] the driver's init turns it on
    display.set_rotation(lv.DISPLAY_ROTATION._270)  # [M]
    # [F] axes swapped, not mirrored, BGR (MADCTL 0x28), which none of the driver's rotations gives.
    display.set_params(0x36, bytearray([0x28]))
    return display


def _sensor_bus():
    return machine.I2C(0, scl=machine.Pin(18), sda=machine.Pin(9))  # [M] pins and number


def _buttons():
    def pin(number):
        return machine.Pin(number, machine.Pin.IN, machine.Pin.PULL_UP)

    # [F] pins and keys (BSP_BUTTON_..., BSP_KEY_...)
    return keypad.Buttons(
        [
            (pin(39), lv.KEY.ENTER),  # A
            (pin(40), lv.KEY.ESC),  # B
            (pin(38), lv.KEY.NEXT),  # X
            (pin(41), lv.KEY.PREV),  # Y
            (pin(45), lv.KEY.HOME),  # MENU
            (pin(0), lv.KEY.END),  # START
        ]
    )


def _joystick():
    # [F] axes on GPIO 1 and 3; 20 to 3060 mV, so that the middle is the middle of the range.
    x = machine.ADC(machine.Pin(1), atten=machine.ADC.ATTN_11DB)
    y = machine.ADC(machine.Pin(3), atten=machine.ADC.ATTN_11DB)
    return keypad.Joystick(x, y)
