"""What the drivers of motion sensors share, and finding the driver for the chip on a bus.

A driver is a file with one class: `start()` writes its configuration, `read(sensor_type)` returns one reading
in the chip's own axes, in units of `mpos.sensors.sensor`. Both raise OSError when the chip does not answer.
"""

from .sensor import TYPE_ACCELEROMETER, TYPE_IMU_TEMPERATURE, Sensor

# Register of the identity, its value, the module and the class.
_KNOWN = (
    (0x00, 0x05, "qmi8658", "QMI8658"),
    (0x0F, 0x6A, "wsen_isds", "WSEN_ISDS"),
    (0x0F, 0x6C, "lsm6dso", "LSM6DSO"),
    (0x75, 0x19, "mpu6886", "MPU6886"),
    (0x00, 0x13, "bma423", "BMA423"),
)


class UnknownChip(Exception):
    """Something answers at the address, and no driver knows it."""


def find(bus, **options):
    """The driver of the chip on `bus` (a RegisterBus), not started; `options` go to its class.

    Raises OSError when nothing answers, UnknownChip when no driver fits.
    """
    identities = []
    for register, identity, module, name in _KNOWN:
        try:
            found = bus.read(register)[0]
        except OSError:
            if not identities:
                raise  # nothing is there
            continue  # a chip without this register
        if found == identity:
            driver = __import__("mpos.sensors." + module, None, None, (name,))
            return getattr(driver, name)(bus, **options)
        identities.append("0x%02x: 0x%02x" % (register, found))
    raise UnknownChip("no driver knows the chip at 0x%02x (%s)" % (bus.address, ", ".join(identities)))


class Chip:
    """A motion sensor on a RegisterBus. The driver sets the class attributes and the two scales."""

    name = vendor = ""
    version = 1
    power = {}  # mA, by sensor type: the sensors that the chip has
    settle_ms = 0  # from `start()` to the first reading that counts
    big_endian = False
    temperature_step = 0.0  # degrees Celsius of one count
    checked = (0, 0)  # A register and what `start()` left in it; else the chip was reset behind our back.
    registers = {}  # The first register, by sensor type.

    def __init__(self, bus, accelerometer_g, gyroscope_dps, resolution=16):
        self.bus = bus
        self.accelerometer_g = accelerometer_g
        self.gyroscope_dps = gyroscope_dps
        self.scales = {}  # m/s2 or deg/s of one count, by sensor type
        self._bits = resolution

    def sensors(self):
        """The list of Sensor that the chip is."""
        return [self._sensor(kind) for kind in sorted(self.power)]

    def _sensor(self, kind):
        if kind == TYPE_IMU_TEMPERATURE:
            about = ("Temperature", "-40 to 85 °C", "%.3f °C" % self.temperature_step)
        elif kind == TYPE_ACCELEROMETER:
            step = self.scales[kind] * (1 << (16 - self._bits))
            about = ("Accelerometer", "±%d g" % self.accelerometer_g, "%.4f m/s²" % step)
        else:
            about = ("Gyroscope", "±%d °/s" % self.gyroscope_dps, "%.4f °/s" % self.scales[kind])
        return Sensor(
            "%s %s" % (self.name, about[0]),
            kind,
            self.vendor,
            self.version,
            about[1],
            about[2],
            self.power[kind],
        )

    def temperature(self):
        raise NotImplementedError

    def has_lost_its_configuration(self):
        """Whether the chip was reset, by a dip of its supply, since `start()`."""
        return self.bus.read(self.checked[0])[0] != self.checked[1]

    def read(self, kind):
        """(x, y, z) of the accelerometer or the gyroscope, the temperature; None if it has no such sensor."""
        if kind == TYPE_IMU_TEMPERATURE:
            return self.temperature()
        scale = self.scales.get(kind)
        if scale is None:
            return None
        data = self.bus.read(self.registers[kind], 6)
        low, high = (1, 0) if self.big_endian else (0, 1)
        return (
            signed(data[low], data[high]) * scale,
            signed(data[low + 2], data[high + 2]) * scale,
            signed(data[low + 4], data[high + 4]) * scale,
        )


def signed(low, high):
    """The two's complement number of 16 bits."""
    value = low | high << 8
    return value - 65536 if value & 0x8000 else value


def choose(table, value, what):
    """`table[value]`. Raises ValueError that names what can be had."""
    if value not in table:
        raise ValueError("%s %r: choose one of %s" % (what, value, sorted(table)))
    return table[value]
