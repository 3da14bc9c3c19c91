"""MockImu: a simulated motion sensor for a platform without one."""

from math import cos, pi, radians, sin
from time import ticks_ms

from micropython import const

from .sensor import (
    GRAVITY,
    TYPE_ACCELEROMETER,
    TYPE_GYROSCOPE,
    TYPE_IMU_TEMPERATURE,
    TYPE_MAGNETIC_FIELD,
    Sensor,
)

# The device rocks about x and about y; the gyroscope is the derivative of these angles.
_ROLL = radians(15)
_PITCH = radians(10)
_ROLL_MS = const(8000)
_PITCH_MS = const(13000)


class MockImu:
    """With `motion` it rocks slowly, else it lies still and level. Its readings are true: a calibration
    changes nothing and is not kept, or the next real sensor would have it."""

    is_real = False

    def __init__(self, motion=True):
        self.motion = motion

    def sensors(self):
        return [
            Sensor("Mock Accelerometer", TYPE_ACCELEROMETER, "mpos", 1, "±1 g", "float", 0),
            Sensor("Mock Gyroscope", TYPE_GYROSCOPE, "mpos", 1, "±12 °/s", "float", 0),
            Sensor("Mock Magnetometer", TYPE_MAGNETIC_FIELD, "mpos", 1, "±50 uT", "float", 0),
            Sensor("Mock Temperature", TYPE_IMU_TEMPERATURE, "mpos", 1, "25 °C", "float", 0),
        ]

    def up_direction(self):
        return 2, 1

    def settling_ms(self):
        return 0

    def read(self, kind, may_wait=True):
        if kind == TYPE_ACCELEROMETER:
            roll, pitch = _ROLL * sin(self._phase(_ROLL_MS)), _PITCH * sin(self._phase(_PITCH_MS))
            return -GRAVITY * sin(pitch), GRAVITY * sin(roll) * cos(pitch), GRAVITY * cos(roll) * cos(pitch)
        if kind == TYPE_GYROSCOPE:
            if not self.motion:
                return 0.0, 0.0, 0.0
            return self._rate(15, _ROLL_MS), self._rate(10, _PITCH_MS), 0.0
        if kind == TYPE_MAGNETIC_FIELD:
            return 20.0, 0.0, -45.0  # uT, about that of the middle latitudes
        return 25.0 if kind == TYPE_IMU_TEMPERATURE else None

    read_raw = read

    def _phase(self, period_ms):
        return 2 * pi * (ticks_ms() % period_ms) / period_ms if self.motion else 0.0

    def _rate(self, degrees, period_ms):
        return degrees * 2000 * pi / period_ms * cos(self._phase(period_ms))
