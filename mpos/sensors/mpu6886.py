"""MPU6886 (TDK InvenSense): accelerometer, gyroscope and temperature, on I2C at 0x68 or 0x69.

Register numbers are those of drivers in use; they are yet to be compared with the data sheet, DS-000193.
MicroPythonOS turns x round for how M5Stack mounts it; here that is the board's mounting.
"""

from micropython import const

from .chip import Chip, choose, signed
from .sensor import GRAVITY, TYPE_ACCELEROMETER, TYPE_GYROSCOPE, TYPE_IMU_TEMPERATURE

_SMPLRT_DIV = const(0x19)
_CONFIG = const(0x1A)
_GYRO_CONFIG = const(0x1B)
_ACCEL_CONFIG = const(0x1C)
_ACCEL_CONFIG2 = const(0x1D)
_TEMP_OUT_H = const(0x41)
_PWR_MGMT_1 = const(0x6B)

_AWAKE = const(0x01)  # not SLEEP; CLKSEL 1: the best clock there is
_LOW_PASS = const(0x02)  # DLPF_CFG: 92 Hz for the gyroscope, A_DLPF_CFG: 99 Hz; both at 1 kHz

_G = {2: 0, 4: 1, 8: 2, 16: 3}
_DPS = {250: 0, 500: 1, 1000: 2, 2000: 3}
_HZ = {1000: 0, 500: 1, 250: 3, 125: 7, 100: 9, 50: 19}  # 1 kHz / (1 + SMPLRT_DIV)


class MPU6886(Chip):
    """`accelerometer_g`: 2, 4, 8, 16. `gyroscope_dps`: 250, 500, 1000, 2000. `hz`: 50 to 1000."""

    name = "MPU6886"
    vendor = "TDK InvenSense"
    power = {TYPE_ACCELEROMETER: 0.4, TYPE_GYROSCOPE: 2.6, TYPE_IMU_TEMPERATURE: 0}
    registers = {TYPE_ACCELEROMETER: 0x3B, TYPE_GYROSCOPE: 0x43}
    big_endian = True
    checked = (_PWR_MGMT_1, _AWAKE)
    settle_ms = 50  # the gyroscope's start from sleep: 35 ms
    temperature_step = 1 / 326.8

    def __init__(self, bus, accelerometer_g=8, gyroscope_dps=500, hz=1000):
        super().__init__(bus, accelerometer_g, gyroscope_dps)
        self._accel_config = choose(_G, accelerometer_g, "MPU6886 accelerometer_g") << 3
        self._gyro_config = choose(_DPS, gyroscope_dps, "MPU6886 gyroscope_dps") << 3
        self._divider = choose(_HZ, hz, "MPU6886 hz")
        self.scales = {
            TYPE_ACCELEROMETER: GRAVITY * accelerometer_g / 32768,
            TYPE_GYROSCOPE: gyroscope_dps / 32768,
        }

    def start(self):
        write = self.bus.write
        write(_PWR_MGMT_1, _AWAKE)
        write(_SMPLRT_DIV, self._divider)
        write(_CONFIG, _LOW_PASS)
        write(_GYRO_CONFIG, self._gyro_config)
        write(_ACCEL_CONFIG, self._accel_config)
        write(_ACCEL_CONFIG2, _LOW_PASS)

    def temperature(self):
        data = self.bus.read(_TEMP_OUT_H, 2)
        return signed(data[1], data[0]) / 326.8 + 25
