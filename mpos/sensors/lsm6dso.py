"""LSM6DSO (STMicroelectronics): accelerometer, gyroscope and temperature, on I2C at 0x6A or 0x6B.

Register numbers are those of drivers in use, yet to be compared with the data sheet, DS12140. What this
driver uses is as in the WSEN-ISDS.
"""

from .sensor import TYPE_ACCELEROMETER, TYPE_GYROSCOPE, TYPE_IMU_TEMPERATURE
from .wsen_isds import WSEN_ISDS


class LSM6DSO(WSEN_ISDS):
    """`accelerometer_g`: 2, 4, 8, 16. `gyroscope_dps`: 125 to 2000, doubling. `hz`: 12 to 833."""

    name = "LSM6DSO"
    vendor = "STMicroelectronics"
    power = {TYPE_ACCELEROMETER: 0.17, TYPE_GYROSCOPE: 0.55, TYPE_IMU_TEMPERATURE: 0}
