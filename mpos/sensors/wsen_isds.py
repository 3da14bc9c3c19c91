"""WSEN-ISDS (Würth Elektronik): accelerometer, gyroscope and temperature, on I2C at 0x6B or 0x6A.

Register numbers are those of drivers in use, yet to be compared with the user manual of the WSEN-ISDS
2536030320001. ST's LSM6DSO has the same registers.
"""

from micropython import const

from .chip import Chip, choose, signed
from .sensor import GRAVITY, TYPE_ACCELEROMETER, TYPE_GYROSCOPE, TYPE_IMU_TEMPERATURE

_CTRL_1 = const(0x10)  # ST: CTRL1_XL
_CTRL_2 = const(0x11)  # ST: CTRL2_G
_CTRL_3 = const(0x12)  # ST: CTRL3_C
_T_OUT_L = const(0x20)

_BLOCK_DATA = const(0x44)  # BDU: no reading is torn between its two bytes; IF_INC: bursts go on

_G = {2: 0, 4: 2, 8: 3, 16: 1}
_DPS = {125: 1, 250: 0, 500: 2, 1000: 4, 2000: 6}
_HZ = {12: 1, 26: 2, 52: 3, 104: 4, 208: 5, 416: 6, 833: 7}


class WSEN_ISDS(Chip):
    """`accelerometer_g`: 2, 4, 8, 16. `gyroscope_dps`: 125 to 2000, doubling. `hz`: 12 to 833."""

    name = "WSEN-ISDS"
    vendor = "Würth Elektronik"
    power = {TYPE_ACCELEROMETER: 0.2, TYPE_GYROSCOPE: 0.65, TYPE_IMU_TEMPERATURE: 0}
    registers = {TYPE_ACCELEROMETER: 0x28, TYPE_GYROSCOPE: 0x22}
    settle_ms = 100  # the gyroscope's start: 70 ms and three samples
    temperature_step = 1 / 256

    def __init__(self, bus, accelerometer_g=8, gyroscope_dps=500, hz=208):
        super().__init__(bus, accelerometer_g, gyroscope_dps)
        rate = choose(_HZ, hz, self.name + " hz") << 4
        self._ctrl_1 = rate | choose(_G, accelerometer_g, self.name + " accelerometer_g") << 2
        self._ctrl_2 = rate | choose(_DPS, gyroscope_dps, self.name + " gyroscope_dps") << 1
        self.checked = (_CTRL_1, self._ctrl_1)
        self.scales = {
            TYPE_ACCELEROMETER: GRAVITY * accelerometer_g * 0.0000305,  # 0.061 mg at 2 g
            TYPE_GYROSCOPE: gyroscope_dps * 0.000035,  # 4.375 mdps at 125 dps: its range is beyond the name
        }

    def start(self):
        write = self.bus.write
        write(_CTRL_3, _BLOCK_DATA)
        write(_CTRL_1, self._ctrl_1)
        write(_CTRL_2, self._ctrl_2)

    def temperature(self):
        data = self.bus.read(_T_OUT_L, 2)
        return signed(data[0], data[1]) / 256 + 25
