"""Motion events: what the accelerometer's samples tell of shaking, tilting, falling, tapping and walking.

A detector is fed one sample after the other, (x, y, z) in m/s2 and its time in ms, and says True when the
motion has happened. `MotionEvents` feeds one from a stream.
"""

from math import acos, degrees, sqrt
from time import ticks_diff

from micropython import const

from .sensor import GRAVITY

_SHAKE_PEAKS = const(3)
_SHAKE_PEAK_MS = const(60)  # between two peaks: a hand shakes with 3 to 8 Hz, twice a period
_SHAKE_WITHIN_MS = const(1000)
_TAP_MS = const(60)  # a tap is over by then; what lasts longer is a push
_TAP_QUIET_MS = const(200)
_STEP_MIN_MS = const(250)  # people take 1 to 4 steps a second
_STEP_MAX_MS = const(2000)


class Shake:
    """Three peaks of acceleration within a second. `threshold`: m/s2 beyond gravity."""

    hz = 50

    def __init__(self, threshold=8):
        self._threshold = threshold
        self._peaks = 0
        self._above = False
        self._first = self._last = 0

    def feed(self, x, y, z, now):
        above = abs(sqrt(x * x + y * y + z * z) - GRAVITY) > self._threshold
        rose = above and not self._above
        self._above = above
        if not rose or (self._peaks and ticks_diff(now, self._last) < _SHAKE_PEAK_MS):
            return False
        if not self._peaks or ticks_diff(now, self._first) > _SHAKE_WITHIN_MS:
            self._peaks, self._first = 0, now
        self._peaks += 1
        self._last = now
        if self._peaks < _SHAKE_PEAKS:
            return False
        self._peaks = 0
        return True


class Tilt:
    """The device leans by `angle` degrees from how it lay when it was last asked, or last said so."""

    hz = 20

    def __init__(self, angle=30):
        self._angle = angle
        self._from = None
        self._x = self._y = self._z = 0.0

    def feed(self, x, y, z, now):
        if self._from is None:
            self._x, self._y, self._z = self._from = x, y, z
            return False
        # A low pass of about a quarter of a second keeps knocks out.
        self._x += (x - self._x) / 4
        self._y += (y - self._y) / 4
        self._z += (z - self._z) / 4
        if angle_between(self._from, (self._x, self._y, self._z)) < self._angle:
            return False
        self._from = self._x, self._y, self._z
        return True


class FreeFall:
    """Nearly no weight for `ms`: under `threshold` m/s2. It is told once a fall, while it lasts."""

    hz = 100

    def __init__(self, threshold=3, ms=100):
        self._squared = threshold * threshold
        self._ms = ms
        self._since = None
        self._told = False

    def feed(self, x, y, z, now):
        if x * x + y * y + z * z >= self._squared:
            self._since = None
            self._told = False
            return False
        if self._since is None:
            self._since = now
        if self._told or ticks_diff(now, self._since) < self._ms:
            return False
        self._told = True
        return True


class Tap:
    """A knock that is over within 60 ms. `threshold`: m/s2 beside what was before."""

    hz = 200

    def __init__(self, threshold=5):
        self._squared = threshold * threshold
        self._rest = None  # the acceleration before the knock
        self._began = None
        self._quiet_since = None

    def feed(self, x, y, z, now):
        rest = self._rest
        if rest is None:
            self._rest = x, y, z
            return False
        dx, dy, dz = x - rest[0], y - rest[1], z - rest[2]
        knocked = dx * dx + dy * dy + dz * dz > self._squared
        if self._began is None:
            if not knocked:
                self._rest = rest[0] + dx / 4, rest[1] + dy / 4, rest[2] + dz / 4
            elif self._quiet_since is None or ticks_diff(now, self._quiet_since) > _TAP_QUIET_MS:
                self._began = now
            return False
        if ticks_diff(now, self._began) > _TAP_MS:
            self._rest, self._began, self._quiet_since = (x, y, z), None, now  # a push: rest is elsewhere now
            return False
        if knocked:
            return False
        self._began, self._quiet_since = None, now
        return True


class Step:
    """A step of somebody who carries the device. `threshold`: m/s2 that the weight swings by."""

    hz = 50

    def __init__(self, threshold=1.2):
        self._threshold = threshold
        self._weight = None
        self._high = False
        self._last = None

    def feed(self, x, y, z, now):
        weight = sqrt(x * x + y * y + z * z) - GRAVITY
        if self._weight is None:
            self._weight = weight
        self._weight += (weight - self._weight) / 3
        if not self._high and self._weight > self._threshold:
            self._high = True
            before, self._last = self._last, now
            if before is None:
                return False
            # The first swing is no step yet: a device that is picked up makes one.
            return _STEP_MIN_MS <= ticks_diff(now, before) <= _STEP_MAX_MS
        if self._high and self._weight < 0:
            self._high = False
        return False


DETECTORS = {"shake": Shake, "tilt": Tilt, "free_fall": FreeFall, "tap": Tap, "step": Step}


class MotionEvents:
    """`async for ticks_ms in events`: the time of each motion, from a stream of the accelerometer."""

    def __init__(self, stream, detector):
        self._stream = stream
        self._detector = detector

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            sample = await self._stream.__anext__()
            x, y, z = sample.value
            if self._detector.feed(x, y, z, sample.ticks_ms):
                return sample.ticks_ms


def new_detector(kind, options):
    """Raises ValueError for a motion that is unknown, TypeError for an option that it has not."""
    if kind not in DETECTORS:
        raise ValueError("motion %r: one of %s" % (kind, ", ".join(sorted(DETECTORS))))
    return DETECTORS[kind](**options)


def angle_between(a, b):
    """Degrees between two vectors; 0 if one of them is none."""
    lengths = sqrt(_dot(a, a) * _dot(b, b))
    if not lengths:
        return 0.0
    return degrees(acos(max(-1.0, min(1.0, _dot(a, b) / lengths))))


def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
