"""Imu: one motion sensor that may vanish and come back, with its calibration and its mounting applied."""

from time import sleep_ms, ticks_add, ticks_diff, ticks_ms

from micropython import const

from .chip import UnknownChip, find
from .sensor import FACING_EARTH, TYPE_ACCELEROMETER, TYPE_GYROSCOPE

_FIRST_RETRY_MS = const(100)
_LAST_RETRY_MS = const(10000)


class Imu:
    """The chip on `bus` (a RegisterBus, or what `find` takes), found and started at the first read.

    No method raises for hardware that does not answer: `read` returns None, tells it once, and tries
    again after 0.1 s, 0.2 s, ... 10 s.
    """

    is_real = True

    def __init__(self, bus, store, facing, options=None, find=find):
        self.bus = bus
        self.chip = None
        self.failures = 0  # reads and starts that got no answer
        self._store = store
        self._flip_z = -1 if facing == FACING_EARTH else 1
        self._options = options or {}
        self._find = find
        self._running = False
        self._told = False
        self._settled_at = None
        self._was_settled = False
        self._retry_at = None
        self._retry_ms = _FIRST_RETRY_MS

    def find(self):
        """Whether there is a chip. Tells nothing and plans no other attempt."""
        try:
            self.chip = self._find(self.bus, **self._options)
        except (OSError, UnknownChip):
            return False
        return True

    def sensors(self):
        """The chip's list of Sensor; empty while no chip has answered yet."""
        self._ensure_running()
        return self.chip.sensors() if self.chip is not None else []

    def read(self, kind, may_wait=True):
        """One reading in the device's axes: (x, y, z), a temperature, or None.

        With `may_wait` the first reading of all blocks until the chip has started, 0.1 s at most."""
        value = self.read_raw(kind, may_wait)
        if value is None or not isinstance(value, tuple):
            return value
        store = self._store
        if kind == TYPE_ACCELEROMETER:
            offsets = store.accel_offsets
        elif kind == TYPE_GYROSCOPE:
            offsets = store.gyro_offsets
        else:
            return value
        x, y, z = value[0] - offsets[0], value[1] - offsets[1], value[2] - offsets[2]
        mounting = store.mounting
        if mounting is not None:
            return _axis(mounting[0], x, y, z), _axis(mounting[1], x, y, z), _axis(mounting[2], x, y, z)
        return x, y, (z * self._flip_z if kind == TYPE_ACCELEROMETER else z)

    def read_raw(self, kind, may_wait=True):
        """One reading in the chip's axes, without calibration, or None."""
        if not self._ensure_running() or not self._is_settled(may_wait):
            return None
        for attempt in (1, 2):
            try:
                value = self.chip.read(kind)
                if value == (0, 0, 0) and self.chip.has_lost_its_configuration():
                    self._start()
                    return None
                return value
            except OSError as error:
                self.bus.recover()
                if attempt == 2:
                    self._failed(error)
        return None

    def up_direction(self):
        """(axis, sign): which axis of the chip, 0 to 2, points to the sky (1) or away (-1) when the device
        lies on its back."""
        mounting = self._store.mounting
        if mounting is None:
            return 2, self._flip_z
        return abs(mounting[2]) - 1, (1 if mounting[2] > 0 else -1)

    def _ensure_running(self):
        if self._running:
            return True
        if self._retry_at is not None and ticks_diff(ticks_ms(), self._retry_at) < 0:
            return False
        try:
            if self.chip is None:
                self.chip = self._find(self.bus, **self._options)
            self._start()
        except (OSError, UnknownChip) as error:
            self.bus.recover()
            self._failed(error)
        return self._running

    def _start(self):
        self.chip.start()
        self._running = True
        self._retry_at = None
        self._retry_ms = _FIRST_RETRY_MS
        self._settled_at = ticks_add(ticks_ms(), self.chip.settle_ms)
        if self._told:
            self._told = False
            print("The motion sensor %s answers again" % self.bus.name)

    def settling_ms(self):
        """How long the chip still needs until its readings count; 0 if it is not starting."""
        if not self._ensure_running() or self._settled_at is None:
            return 0
        return max(0, ticks_diff(self._settled_at, ticks_ms()))

    def _is_settled(self, may_wait):
        if self._settled_at is None:
            return True
        left = ticks_diff(self._settled_at, ticks_ms())
        if left > 0:
            if self._was_settled or not may_wait:
                return False  # When it comes back while the device is in use, nobody is held up for it.
            sleep_ms(left)
        self._settled_at = None
        self._was_settled = True
        return True

    def _failed(self, error):
        self.failures += 1
        self._running = False
        self._retry_at = ticks_add(ticks_ms(), self._retry_ms)
        self._retry_ms = min(2 * self._retry_ms, _LAST_RETRY_MS)
        if not self._told:
            self._told = True
            why = error if isinstance(error, UnknownChip) else repr(error)
            print("No motion sensor %s: %s. It is tried again" % (self.bus.name, why))


def _axis(number, x, y, z):
    if number == 1:
        return x
    if number == 2:
        return y
    if number == 3:
        return z
    return -_axis(-number, x, y, z)
