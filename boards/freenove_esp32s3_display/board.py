"""Freenove ESP32-S3 Display 2.8" (FNK0104A, B): 240x320 ILI9341 on SPI, FT6336U touch on I2C, in landscape.

Tried on hardware: no.

Origin of the numbers: [F] Freenove's repository, https://github.com/Freenove/Freenove_ESP32_S3_Display at
4fb95e3 (Libraries/TFT_eSPI_Setups, Touch/Sketches/Sketch_13.1_LVGL/display.h); [M] MicroPythonOS, which runs
on this board (internal_filesystem/lib/mpos/board/freenove_esp32s3_display.py at 7723a734).
"""

import time

import i2c
import lcd_bus
import lvgl as lv
import machine

import mpos.hardware as hardware
import mpos.hardware.keypad as keypad
from mpos.hardware.calibration import Calibration

ili9341 = hardware.driver("ili9341")
ft6x36 = hardware.driver("ft6x36")

_BUFFER_BYTES = 240 * 60 * 2  # [M] 28800


def init():
    display = _display()
    touch = _touch()
    # [M] after the touch driver was made, which notes the size in portrait
    display.set_rotation(lv.DISPLAY_ROTATION._270)
    # [F] the BOOT button, GPIO 0
    button = keypad.Buttons([(machine.Pin(0, machine.Pin.IN, machine.Pin.PULL_UP), lv.KEY.ESC)])
    return hardware.Hardware(
        name="freenove_esp32s3_display",
        display=display,
        inputs=[
            # [F] INT_N_PIN is 17. The driver sets the FT6336U to hold it low while touched (G_MODE 0).
            hardware.Input(touch, interrupt=hardware.PinInterrupt(machine.Pin(17, machine.Pin.IN))),
            hardware.Input(button.indev, interrupt=button.interrupt),
        ],
        backlight=display.set_backlight,
        sleep=hardware.controller_sleep(display),
    )


def _display():
    spi = machine.SPI.Bus(host=1, mosi=11, miso=13, sck=12)  # [F] pins, [M] host
    bus = lcd_bus.SPIBus(spi_bus=spi, freq=40_000_000, dc=46, cs=10)  # [F]
    memory = lcd_bus.MEMORY_INTERNAL | lcd_bus.MEMORY_DMA
    display = ili9341.ILI9341(
        data_bus=bus,
        frame_buffer1=bus.allocate_framebuffer(_BUFFER_BYTES, memory),
        frame_buffer2=bus.allocate_framebuffer(_BUFFER_BYTES, memory),
        display_width=240,  # [F]
        display_height=320,  # [F]
        backlight_pin=45,  # [F] TFT_BL
        backlight_on_state=ili9341.STATE_PWM,
        color_space=lv.COLOR_FORMAT.RGB565,
        color_byte_order=ili9341.BYTE_ORDER_BGR,  # [F]
        rgb565_byte_swap=True,  # [M] SPI sends the high byte first, LVGL stores the low byte first
    )
    display.init(2)  # [F] ILI9341_2_DRIVER: the second of the two init sequences
    display.set_power(True)
    display.set_backlight(100)
    display.set_color_inversion(True)  # [F] TFT_INVERSION_ON
    return display


def _touch():
    reset = machine.Pin(18, machine.Pin.OUT, value=0)  # [F] RST_N_PIN
    time.sleep_ms(10)  # [F]
    reset.value(1)
    time.sleep_ms(200)  # [M] the chip answers only then
    bus = i2c.I2C.Bus(host=0, scl=15, sda=16, freq=400_000)  # [F] pins, [M] host; shared with the audio codec
    device = i2c.I2C.Device(bus=bus, dev_id=ft6x36.I2C_ADDR, reg_bits=ft6x36.BITS)
    return ft6x36.FT6x36(
        device,
        touch_cal=Calibration("touch"),
        startup_rotation=lv.DISPLAY_ROTATION._180,  # [M]
    )
