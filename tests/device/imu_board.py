"""A motion sensor on the simulated I2C bus, and SensorManager on it."""

import virtual_imu
from virtual_i2c import I2C, wires

from mpos import SensorManager
from mpos.sensors.calibration import CalibrationStore

_BUS = 0


class Board:
    """A fresh chip at rest on bus 0; a context manager. `arguments` are those of SensorManager.init()."""

    def __init__(self, chip="QMI8658", address=0x6B, **arguments):
        self.wires = wires(_BUS)
        self.address = address
        self.chip = getattr(virtual_imu, chip)()
        self._arguments = arguments

    def __enter__(self):
        CalibrationStore().reset()
        self.attach()
        self.start()
        return self

    def __exit__(self, *exc):
        self.wires.hold(0)
        self.vanish()
        CalibrationStore().reset()
        SensorManager.deinit()

    def start(self):
        """As at a boot."""
        SensorManager.init(I2C(_BUS), self.address, **self._arguments)

    def vanish(self):
        self.wires.chips.pop(self.address, None)

    def attach(self):
        self.wires.chips[self.address] = self.chip


def near(values, expected, tolerance=0.01):
    return len(values) == len(expected) and all([abs(a - b) <= tolerance for a, b in zip(values, expected)])


def printed(function):
    """What `function()` prints, and what it returns."""
    import builtins

    lines = []
    before = builtins.print
    builtins.print = lambda *values, **options: lines.append(" ".join([str(value) for value in values]))
    try:
        return lines, function()
    finally:
        builtins.print = before
