"""BMA423 (Bosch Sensortec): accelerometer of 12 bits and temperature, on I2C at 0x18 or 0x19.

Register numbers are those of drivers in use, yet to be compared with the data sheet, BST-BMA423-DS000. The
chip's own step counter and gestures need a configuration of 6 KB from Bosch, which is not here; the
acceleration needs none.
"""

from time import sleep_us

from micropython import const

from .chip import Chip, choose, signed
from .sensor import GRAVITY, TYPE_ACCELEROMETER, TYPE_IMU_TEMPERATURE

_TEMPERATURE = const(0x22)
_ACC_CONF = const(0x40)
_ACC_RANGE = const(0x41)
_PWR_CONF = const(0x7C)
_PWR_CTRL = const(0x7D)

_CONTINUOUS = const(0xA0)  # acc_perf_mode on, acc_bwp norm_avg4
_ACC_ENABLE = const(0x04)
_AFTER_WRITE_US = const(450)  # between two writes while advanced power save is on, as it is after power-up

_G = {2: 0, 4: 1, 8: 2, 16: 3}
_HZ = {50: 7, 100: 8, 200: 9, 400: 10, 800: 11, 1600: 12}


class BMA423(Chip):
    """`accelerometer_g`: 2, 4, 8, 16. `hz`: 50 to 1600, doubling."""

    name = "BMA423"
    vendor = "Bosch Sensortec"
    power = {TYPE_ACCELEROMETER: 0.15, TYPE_IMU_TEMPERATURE: 0}
    registers = {TYPE_ACCELEROMETER: 0x12}
    checked = (_PWR_CTRL, _ACC_ENABLE)
    settle_ms = 30  # two samples at the lowest rate
    temperature_step = 1.0

    def __init__(self, bus, accelerometer_g=4, hz=200):
        super().__init__(bus, accelerometer_g, 0, resolution=12)
        self._range = choose(_G, accelerometer_g, "BMA423 accelerometer_g")
        self._conf = _CONTINUOUS | choose(_HZ, hz, "BMA423 hz")
        # Twelve bits, left-justified in sixteen.
        self.scales = {TYPE_ACCELEROMETER: GRAVITY * accelerometer_g / 32768}

    def start(self):
        write = self.bus.write
        write(_PWR_CONF, 0)
        sleep_us(_AFTER_WRITE_US)
        write(_PWR_CTRL, _ACC_ENABLE)
        write(_ACC_CONF, self._conf)
        write(_ACC_RANGE, self._range)

    def temperature(self):
        value = self.bus.read(_TEMPERATURE)[0]
        return None if value == 0x80 else signed(0, value) / 256 + 23  # 0x80: no valid temperature yet
