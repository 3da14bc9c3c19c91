"""Register-level models of motion sensors, for the virtual board's I2C and for tests.

Each keeps the registers of its chip, with their values after power-up. `move(g, dps, celsius)` sets what it
feels, in the chip's own axes; it shows in the data registers as the range in the control registers says,
clipped like the chip's, and only while the sensor is switched on.
"""


class _Model:
    """A chip of 128 registers. Subclasses say what they show and what a write does."""

    def __init__(self):
        self.g = (0.0, 0.0, 1.0)
        self.dps = (0.0, 0.0, 0.0)
        self.celsius = 25.0
        self.reads = 0  # bursts
        self.power_up()

    def power_up(self):
        """As after a dip of the supply: every register has its first value."""
        self.registers = bytearray(128)
        for register, value in self.RESET:
            self.registers[register] = value

    def move(self, g=None, dps=None, celsius=None):
        if g is not None:
            self.g = g
        if dps is not None:
            self.dps = dps
        if celsius is not None:
            self.celsius = celsius

    def read(self, register, buffer):
        self.reads += 1
        self.measure()
        for i in range(len(buffer)):
            buffer[i] = self.registers[register + i if self.increments() else register]

    def write(self, register, data):
        for i in range(len(data)):
            self.written(register + i, data[i])

    def written(self, register, value):
        self.registers[register] = value

    def increments(self):
        return True

    def measure(self):
        raise NotImplementedError

    def store(self, register, values, full_scale, on, big_endian=False, mask=0xFFFF):
        """Put three values into six registers as shares of `full_scale`; zeros while the sensor is off."""
        for axis in range(3):
            count = round(values[axis] / full_scale * 32768) if on else 0
            self.store_16(register + 2 * axis, count, big_endian, mask)

    def store_16(self, register, count, big_endian=False, mask=0xFFFF):
        count = min(32767, max(-32768, count)) & mask
        low, high = (1, 0) if big_endian else (0, 1)
        self.registers[register + low] = count & 0xFF
        self.registers[register + high] = count >> 8


class QMI8658(_Model):
    RESET = ((0x00, 0x05), (0x01, 0x7C), (0x02, 0x20))

    def increments(self):
        return self.registers[0x02] & 0x40  # CTRL1.ADDR_AI

    def measure(self):
        r = self.registers
        self.store(0x35, self.g, 2 << (r[0x03] >> 4 & 3), r[0x08] & 1)
        self.store(0x3B, self.dps, 16 << (r[0x04] >> 4 & 7), r[0x08] & 2)
        self.store_16(0x33, round(self.celsius * 256) if r[0x08] & 3 else 0)
