"""The motion sensors of a Linux device, through the files of its Industrial I/O subsystem.

Names and units are from Linux, Documentation/ABI/testing/sysfs-bus-iio: (raw + offset) * scale is m/s2,
rad/s, gauss and 0.001 degrees Celsius; a mount matrix turns a reading into the device's axes.
"""

import os
from errno import ENODEV
from math import degrees

from .chip import UnknownChip
from .sensor import (
    TYPE_ACCELEROMETER,
    TYPE_GYROSCOPE,
    TYPE_IMU_TEMPERATURE,
    TYPE_MAGNETIC_FIELD,
    Sensor,
)

# The name in the files, what people call it, the factor to the unit of the type.
_KINDS = {
    TYPE_ACCELEROMETER: ("accel", "Accelerometer", 1.0),
    TYPE_MAGNETIC_FIELD: ("magn", "Magnetometer", 100.0),
    TYPE_GYROSCOPE: ("anglvel", "Gyroscope", degrees(1)),
}


class IioFolder:
    """The folder of IIO's devices, in the place of a RegisterBus."""

    def __init__(self, path):
        self.path = path
        self.name = "in " + path
        self.errors = 0
        self.recoveries = 0

    def devices(self):
        """The list of the devices' folders."""
        try:
            names = os.listdir(self.path)
        except OSError:
            return []
        return [self.path + "/" + name for name in sorted(names) if name.startswith("iio:device")]

    def read(self, path):
        """The text of a file, None where there is none. Raises OSError when the sensor does not answer."""
        try:
            os.stat(path)
        except OSError:
            return None
        try:
            with open(path) as file:
                return file.read().strip()
        except OSError:
            self.errors += 1
            raise

    def recover(self):
        """Nothing to free: the bus is the kernel's."""


class IioSensors:
    """All that the devices have, the first of each kind. `find(folder)` is how Imu gets one."""

    settle_ms = 0

    def __init__(self, folder):
        self._folder = folder
        self._devices = {}  # by sensor type
        self._matrices = {}
        self._temperature = None
        for device in folder.devices():
            for kind, (name, _, _) in _KINDS.items():
                if kind not in self._devices and folder.read(device + "/in_%s_x_raw" % name) is not None:
                    self._devices[kind] = device
                    self._matrices[kind] = self._matrix(device, name)
            if self._temperature is None and folder.read(device + "/in_temp_raw") is not None:
                self._temperature = device + "/in_temp"
        if not self._devices:
            raise UnknownChip("no device there is a motion sensor")

    def start(self):
        """The kernel has started them."""

    def has_lost_its_configuration(self):
        return False

    def sensors(self):
        found = [Sensor(_KINDS[kind][1], kind, "Linux IIO", 1, "?", "?", 0) for kind in sorted(self._devices)]
        if self._temperature is not None:
            found.append(Sensor("Temperature", TYPE_IMU_TEMPERATURE, "Linux IIO", 1, "?", "?", 0))
        return found

    def read(self, kind):
        if kind == TYPE_IMU_TEMPERATURE:
            return None if self._temperature is None else self._scaled(self._temperature, "") / 1000
        device = self._devices.get(kind)
        if device is None:
            return None
        name, _, factor = _KINDS[kind]
        base = device + "/in_" + name
        values = [self._scaled(base, "_" + axis) * factor for axis in "xyz"]
        matrix = self._matrices[kind]
        if matrix is None:
            return tuple(values)
        return tuple([sum([row[i] * values[i] for i in range(3)]) for row in matrix])

    def _scaled(self, base, axis):
        raw = self._folder.read(base + axis + "_raw")
        if raw is None:
            raise OSError(ENODEV)  # the device was unplugged
        return (float(raw) + self._number(base, axis, "_offset", 0)) * self._number(base, axis, "_scale", 1)

    def _number(self, base, axis, what, default):
        """An axis may have a scale of its own, or all share one."""
        text = self._folder.read(base + axis + what)
        if text is None and axis:
            text = self._folder.read(base + what)
        return default if text is None else float(text)

    def _matrix(self, device, name):
        text = self._folder.read(device + "/in_%s_mount_matrix" % name)
        if text is None:
            text = self._folder.read(device + "/in_mount_matrix")
        if text is None:
            return None
        return [[float(number) for number in row.split(",")] for row in text.split(";")]
