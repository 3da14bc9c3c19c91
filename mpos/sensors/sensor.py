"""Sensor: what an app learns of one sensor, and the types it asks for by number."""

from micropython import const

# Android's numbers (android.hardware.Sensor), and two of MicroPythonOS's own.
TYPE_ACCELEROMETER = const(1)  # m/s2, (x, y, z)
TYPE_MAGNETIC_FIELD = const(2)  # uT, (x, y, z)
TYPE_GYROSCOPE = const(4)  # deg/s, (x, y, z)
TYPE_TEMPERATURE = const(13)  # degrees Celsius: of the IMU, or else of the processor
TYPE_IMU_TEMPERATURE = const(14)
TYPE_SOC_TEMPERATURE = const(15)

FACING_EARTH = const(20)
FACING_SKY = const(21)

GRAVITY = 9.80665  # m/s2, standard gravity (CGPM 1901)


class Sensor:
    """One sensor. `max_range` and `resolution` are texts for people, `power` is in mA."""

    def __init__(self, name, sensor_type, vendor, version, max_range, resolution, power_ma):
        self.name = name
        self.type = sensor_type
        self.vendor = vendor
        self.version = version
        self.max_range = max_range
        self.resolution = resolution
        self.power = power_ma

    def __repr__(self):
        return "Sensor(%s, type=%d)" % (self.name, self.type)
