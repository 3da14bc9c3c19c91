"""Calibrating a motion sensor, and judging its calibration, from a number of readings of a device at rest.

The functions are generators: each step is one reading, and the caller waits between two. So the same code
serves the methods that wait on the loop and those that block.
"""

from .sensor import GRAVITY, TYPE_ACCELEROMETER, TYPE_GYROSCOPE

# Variances beyond these are a device in motion, in (m/s2)2 and (deg/s)2.
_ACCELEROMETER_VARIANCE = 0.5
_GYROSCOPE_VARIANCE = 5.0


class Statistics:
    """Mean and variance of (x, y, z), added one by one (Welford's method)."""

    def __init__(self):
        self.count = 0
        self.mean = [0.0, 0.0, 0.0]
        self._squares = [0.0, 0.0, 0.0]

    def add(self, values):
        self.count += 1
        for axis in range(3):
            delta = values[axis] - self.mean[axis]
            self.mean[axis] += delta / self.count
            self._squares[axis] += delta * (values[axis] - self.mean[axis])

    def variance(self):
        return tuple([squares / self.count if self.count else 0.0 for squares in self._squares])


def collect(read, kinds, samples):
    """Generator of `samples` steps; returns a dict of Statistics by sensor type."""
    if samples < 1:
        raise ValueError("samples %r: at least 1" % samples)
    found = {kind: Statistics() for kind in kinds}
    for _ in range(samples):
        for kind, statistics in found.items():
            value = read(kind)
            if value is not None:
                statistics.add(value)
        yield
    return found


def calibrate(imu, store, kind, samples):
    """Generator; returns the offsets (x, y, z), kept in `store`, or None: no answer, or the device moved."""
    if kind not in (TYPE_ACCELEROMETER, TYPE_GYROSCOPE):
        return None
    statistics = (yield from collect(imu.read_raw, (kind,), samples))[kind]
    if statistics.count < samples:
        print("Not calibrated: %d of %d readings" % (statistics.count, samples))
        return None
    limit = _ACCELEROMETER_VARIANCE if kind == TYPE_ACCELEROMETER else _GYROSCOPE_VARIANCE
    if max(statistics.variance()) > limit:
        print("Not calibrated: the device was moved")
        return None
    offsets = statistics.mean
    if kind == TYPE_ACCELEROMETER:
        axis, sign = imu.up_direction()
        offsets[axis] -= sign * GRAVITY
        store.accel_offsets = tuple(offsets)
    else:
        store.gyro_offsets = tuple(offsets)
    if imu.is_real:
        store.save()
    return tuple(offsets)


def stationarity(read, samples, accelerometer_limit, gyroscope_limit):
    """Generator; returns what `SensorManager.check_stationarity()` does, None without an answer."""
    found = yield from collect(read, (TYPE_ACCELEROMETER, TYPE_GYROSCOPE), samples)
    if not found[TYPE_ACCELEROMETER].count:
        return None
    accelerometer = max(found[TYPE_ACCELEROMETER].variance())
    gyroscope = max(found[TYPE_GYROSCOPE].variance())
    moves = []
    if accelerometer >= accelerometer_limit:
        moves.append("movement (variance %.3f)" % accelerometer)
    if gyroscope >= gyroscope_limit:
        moves.append("rotation (variance %.3f)" % gyroscope)
    return {
        "is_stationary": not moves,
        "accel_variance": accelerometer,
        "gyro_variance": gyroscope,
        "message": "The device moves: " + ", ".join(moves) if moves else "The device is at rest",
    }


def quality(read, samples):
    """Generator; returns what `SensorManager.check_calibration_quality()` does, None without an answer.

    The score is the mean of up to four marks between 0 and 1, as MicroPythonOS gives them: how quiet
    each sensor is, and how near to (0, 0, g) and to (0, 0, 0).
    """
    found = yield from collect(read, (TYPE_ACCELEROMETER, TYPE_GYROSCOPE), samples)
    accelerometer, gyroscope = found[TYPE_ACCELEROMETER], found[TYPE_GYROSCOPE]
    if not accelerometer.count:
        return None
    issues = []
    x, y, z = accelerometer.mean
    noise = max(accelerometer.variance())
    aside, upright = (abs(x) + abs(y)) / 2, abs(z - GRAVITY)
    marks = [1 - noise, 1 - (aside + upright) / 5]
    if noise > _ACCELEROMETER_VARIANCE:
        issues.append("The accelerometer is not quiet: variance %.3f" % noise)
    if aside > 1:
        issues.append("The accelerometer's x and y are not near 0: %.2f, %.2f m/s2" % (x, y))
    if upright > 1:
        issues.append("The accelerometer's z is not near 9.8: %.2f m/s2" % z)
    if gyroscope.count:
        noise = max(gyroscope.variance())
        error = sum([abs(value) for value in gyroscope.mean]) / 3
        marks += [1 - noise / 10, 1 - error / 10]
        if noise > _GYROSCOPE_VARIANCE:
            issues.append("The gyroscope is not quiet: variance %.3f" % noise)
        if error > 2:
            issues.append("The gyroscope is not near 0: %.2f, %.2f, %.2f deg/s" % tuple(gyroscope.mean))
    score = sum([max(0.0, mark) for mark in marks]) / len(marks)
    return {
        "accel_mean": tuple(accelerometer.mean),
        "accel_variance": accelerometer.variance(),
        "gyro_mean": tuple(gyroscope.mean),
        "gyro_variance": gyroscope.variance(),
        "quality_score": score,
        "quality_rating": "Good" if score >= 0.8 else "Fair" if score >= 0.5 else "Poor",
        "issues": issues,
    }
