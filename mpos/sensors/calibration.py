"""What is learned about a motion sensor once and kept over boots: its offsets and how it is mounted."""

import json
import os

_NONE = (0.0, 0.0, 0.0)


class CalibrationStore:
    """The file `/calibration/imu.json`. A damaged file counts as none.

    `accel_offsets` (m/s2) and `gyro_offsets` (deg/s) are what the chip shows too much, in its own axes.
    `mounting` is None or the chip's axes that are the device's x, y and z: 1, 2, 3 for the chip's x, y, z,
    negative if it points the other way.
    """

    folder = "/calibration"

    def __init__(self):
        self._path = self.folder + "/imu.json"
        values = self._load()
        self.accel_offsets = _three(values.get("accel_offsets"), _NONE)
        self.gyro_offsets = _three(values.get("gyro_offsets"), _NONE)
        mounting = _three(values.get("mounting"), None)
        self.mounting = mounting if mounting is None or is_rotation(mounting) else None

    def save(self):
        """Keep the present values. The old file stays whole until the new one is complete. Raises OSError."""
        try:
            os.mkdir(self.folder)
        except OSError:
            pass  # it is there already; if not, open() below says why
        with open(self._path + ".new", "w") as file:
            json.dump(
                {
                    "accel_offsets": self.accel_offsets,
                    "gyro_offsets": self.gyro_offsets,
                    "mounting": self.mounting,
                },
                file,
            )
        os.rename(self._path + ".new", self._path)

    def reset(self):
        """Forget all, now and for the next boot."""
        self.accel_offsets = self.gyro_offsets = _NONE
        self.mounting = None
        try:
            os.remove(self._path)
        except OSError:
            pass  # there was none

    def _load(self):
        try:
            with open(self._path) as file:
                values = json.load(file)
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}


def is_rotation(axes):
    """Whether the signed axis numbers are a rotation: each axis once, and right-handed as the chip is."""
    if len(axes) != 3 or sorted([abs(axis) for axis in axes]) != [1, 2, 3]:
        return False
    x, y, z = axes
    even = (abs(x), abs(y), abs(z)) in ((1, 2, 3), (2, 3, 1), (3, 1, 2))
    return (x * y * z > 0) == even


def _three(values, default):
    if not isinstance(values, (list, tuple)) or len(values) != 3:
        return default
    if not all(isinstance(value, (int, float)) for value in values):
        return default
    return tuple(values)
