"""QMI8658 (QST): accelerometer, gyroscope and temperature, on I2C at 0x6B or 0x6A.

Register numbers are those of drivers in use (MicroPythonOS's among them); they are yet to be compared with
the QMI8658A data sheet, whose names they have.
"""

from micropython import const

from .chip import Chip, choose, signed
from .sensor import GRAVITY, TYPE_ACCELEROMETER, TYPE_GYROSCOPE, TYPE_IMU_TEMPERATURE

_CTRL1 = const(0x02)
_CTRL2 = const(0x03)
_CTRL3 = const(0x04)
_CTRL5 = const(0x06)
_CTRL7 = const(0x08)
_TEMP_L = const(0x33)

# ADDR_AI: a burst reads one register after the other. BE (0x20, its value after reset) does not swap the
# bytes of AX_L and AX_H: those used on hardware (MicroPythonOS's) set it and read low first.
_ADDRESS_INCREMENT = const(0x60)
_LOW_PASS = const(0x77)  # aLPF_EN, gLPF_EN, each at 13.37 % of the data rate
_ENABLE = const(0x03)  # aEN, gEN

_G = {2: 0, 4: 1, 8: 2, 16: 3}
_DPS = {16: 0, 32: 1, 64: 2, 128: 3, 256: 4, 512: 5, 1024: 6, 2048: 7}
_HZ = {1000: 3, 500: 4, 250: 5, 125: 6, 62: 7}  # nominal; with the gyroscope on it is 0.9 of that


class QMI8658(Chip):
    """`accelerometer_g`: 2, 4, 8, 16. `gyroscope_dps`: 16 to 2048, powers of two. `hz`: 62 to 1000."""

    name = "QMI8658"
    vendor = "QST Corporation"
    power = {TYPE_ACCELEROMETER: 0.2, TYPE_GYROSCOPE: 0.7, TYPE_IMU_TEMPERATURE: 0}
    registers = {TYPE_ACCELEROMETER: 0x35, TYPE_GYROSCOPE: 0x3B}
    checked = (_CTRL7, _ENABLE)
    settle_ms = 100  # the gyroscope's start: 60 ms and three samples
    temperature_step = 1 / 256

    def __init__(self, bus, accelerometer_g=8, gyroscope_dps=256, hz=1000):
        super().__init__(bus, accelerometer_g, gyroscope_dps)
        rate = choose(_HZ, hz, "QMI8658 hz")
        self._ctrl2 = choose(_G, accelerometer_g, "QMI8658 accelerometer_g") << 4 | rate
        self._ctrl3 = choose(_DPS, gyroscope_dps, "QMI8658 gyroscope_dps") << 4 | rate
        self.scales = {
            TYPE_ACCELEROMETER: GRAVITY * accelerometer_g / 32768,
            TYPE_GYROSCOPE: gyroscope_dps / 32768,
        }

    def start(self):
        write = self.bus.write
        write(_CTRL7, 0)  # The sensors are off while they are configured.
        write(_CTRL1, _ADDRESS_INCREMENT)
        write(_CTRL2, self._ctrl2)
        write(_CTRL3, self._ctrl3)
        write(_CTRL5, _LOW_PASS)
        write(_CTRL7, _ENABLE)

    def temperature(self):
        data = self.bus.read(_TEMP_L, 2)
        return signed(data[0], data[1]) / 256
