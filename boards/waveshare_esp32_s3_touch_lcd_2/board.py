"""Waveshare ESP32-S3-Touch-LCD-2: 240x320 ST7789 on SPI, CST816 touch on I2C, used in landscape.

Tried on hardware: no.

Origin of the numbers: [W] Waveshare's wiki page and schematic of the board,
https://www.waveshare.com/wiki/ESP32-S3-Touch-LCD-2; [M] MicroPythonOS, which runs on this board
(internal_filesystem/lib/mpos/board/waveshare_esp32_s3_touch_lcd_2.py at 7723a734).
"""

import i2c
import lcd_bus
import lvgl as lv
import machine

import mpos.hardware as hardware
from mpos.hardware.calibration import Calibration

st7789 = hardware.driver("st7789")
cst816s = hardware.driver("cst816s")

_BUFFER_BYTES = 240 * 60 * 2  # [M] 28800: two of them leave DMA memory for a camera


def init():
    display = _display()
    bus = i2c.I2C.Bus(host=0, scl=47, sda=48, freq=400_000)  # [W] pins, [M] host; touch and motion sensor
    touch = _touch(bus)
    # [M] after the touch driver was made, which notes the size in portrait
    display.set_rotation(lv.DISPLAY_ROTATION._90)
    return hardware.Hardware(
        name="waveshare_esp32_s3_touch_lcd_2",
        display=display,
        # [W] TP_INT is GPIO 46. The CST816 pulls it low for 1 ms at each report while touched and on release.
        inputs=[hardware.Input(touch, interrupt=hardware.PinInterrupt(machine.Pin(46, machine.Pin.IN)))],
        backlight=display.set_backlight,
        imu={"i2c_bus": bus, "address": 0x6B, "mounted_position": 20},  # [M] a QMI8658, FACING_EARTH
        sleep=hardware.controller_sleep(display),
    )


def _display():
    spi = machine.SPI.Bus(host=2, mosi=38, miso=40, sck=39)  # [W] pins, [M] host; shared with the SD card
    bus = lcd_bus.SPIBus(spi_bus=spi, freq=40_000_000, dc=42, cs=45)  # [W] pins, [M] frequency
    memory = lcd_bus.MEMORY_INTERNAL | lcd_bus.MEMORY_DMA
    display = st7789.ST7789(
        data_bus=bus,
        frame_buffer1=bus.allocate_framebuffer(_BUFFER_BYTES, memory),
        frame_buffer2=bus.allocate_framebuffer(_BUFFER_BYTES, memory),
        display_width=240,  # [W]
        display_height=320,  # [W]
        backlight_pin=1,  # [W] LCD_BL
        backlight_on_state=st7789.STATE_PWM,
        color_space=lv.COLOR_FORMAT.RGB565,
        color_byte_order=st7789.BYTE_ORDER_BGR,  # [M]
        rgb565_byte_swap=True,  # [M] SPI sends the high byte first, LVGL stores the low byte first
    )
    display.init()
    display.set_power(True)
    display.set_backlight(100)
    return display


def _touch(bus):
    device = i2c.I2C.Device(bus=bus, dev_id=cst816s.I2C_ADDR, reg_bits=cst816s.BITS)
    return cst816s.CST816S(
        device,
        touch_cal=Calibration("touch"),
        startup_rotation=lv.DISPLAY_ROTATION._180,  # [M]
    )
