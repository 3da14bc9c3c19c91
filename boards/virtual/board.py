"""The virtual board: a 320x240 panel with touch, played by the host."""

import machine
import virtual_hw

from mpos.hardware import Hardware, Input


def init():
    """Create display and touch. The interrupt line is a stream that turns readable when touched."""
    return Hardware(
        name="virtual",
        display=virtual_hw.display(),
        inputs=[Input(virtual_hw.touch(), interrupt=virtual_hw.touch_interrupt())],
        imu={"i2c_bus": machine.I2C(0), "address": 0x6B},
    )
