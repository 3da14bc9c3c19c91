"""Orientation: roll and pitch of the device, from gravity and from how it turns.

A complementary filter: the gyroscope's turn is quick and drifts, gravity is slow and does not, and each
corrects the other. Without a gyroscope it is gravity alone, smoothed. There is no heading: it needs a
magnetometer.
"""

from collections import namedtuple
from math import atan2, degrees, sqrt
from time import ticks_diff

from .sensor import TYPE_GYROSCOPE

Orientation = namedtuple("Orientation", ("roll", "pitch", "ticks_ms"))


class ComplementaryFilter:
    """`time_constant_s`: for how long the gyroscope is trusted more than gravity."""

    def __init__(self, time_constant_s=0.5):
        self._time_constant_s = time_constant_s
        self.roll = self.pitch = 0.0
        self._started = False

    def update(self, accelerometer, gyroscope, seconds):
        """Take one sample of each, (x, y, z) in m/s2 and in deg/s or None, `seconds` after the last."""
        x, y, z = accelerometer
        # Right-handed axes, z to the sky at rest: roll about x, pitch about y.
        roll = degrees(atan2(y, z))
        pitch = degrees(atan2(-x, sqrt(y * y + z * z)))
        if not self._started:
            self._started = True
            self.roll, self.pitch = roll, pitch
            return
        trust = seconds / (self._time_constant_s + seconds)
        if gyroscope is not None:
            self.roll += gyroscope[0] * seconds
            self.pitch += gyroscope[1] * seconds
        self.roll = _wrapped(self.roll + _wrapped(roll - self.roll) * trust)
        self.pitch += (pitch - self.pitch) * trust


class OrientationStream:
    """`async for orientation in ...`: `roll` (-180 to 180) and `pitch` (-90 to 90) in degrees, `ticks_ms`."""

    def __init__(self, stream, read, time_constant_s):
        self._stream = stream
        self._read = read
        self._filter = ComplementaryFilter(time_constant_s)
        self._last = None

    def __aiter__(self):
        return self

    async def __anext__(self):
        sample = await self._stream.__anext__()
        now = sample.ticks_ms
        seconds = 0.0 if self._last is None else ticks_diff(now, self._last) / 1000
        self._last = now
        turn = self._filter
        turn.update(sample.value, self._read(TYPE_GYROSCOPE, False), seconds)
        return Orientation(turn.roll, turn.pitch, now)


def _wrapped(angle):
    """The same angle between -180 and 180 degrees."""
    while angle > 180:
        angle -= 360
    while angle < -180:
        angle += 360
    return angle
