"""Register-level models of motion sensors, for the virtual board's I2C and for tests.

Each keeps the registers of its chip, with their values after power-up. `move(g, dps, celsius)` sets what it
feels, in the chip's own axes; it shows in the data registers as the range in the control registers says,
clipped like the chip's, and only while the sensor is switched on.
"""


class _Model:
    """A chip of 128 registers. Subclasses say what they show and what a write does."""

    RESET = ()  # (register, value after power-up) of those that are not 0

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


class MPU6886(_Model):
    RESET = ((0x75, 0x19), (0x6B, 0x41))

    def written(self, register, value):
        if register == 0x6B and value & 0x80:  # PWR_MGMT_1.DEVICE_RESET
            self.power_up()
        else:
            super().written(register, value)

    def measure(self):
        r = self.registers
        on = not r[0x6B] & 0x40  # PWR_MGMT_1.SLEEP
        self.store(0x3B, self.g, 2 << (r[0x1C] >> 3 & 3), on, True)
        self.store(0x43, self.dps, 250 << (r[0x1B] >> 3 & 3), on, True)
        self.store_16(0x41, round((self.celsius - 25) * 326.8) if on else 0, True)


class BMA423(_Model):
    RESET = ((0x00, 0x13), (0x22, 0x80), (0x40, 0xA8), (0x41, 0x01), (0x7C, 0x03))

    def measure(self):
        r = self.registers
        on = r[0x7D] & 0x04  # PWR_CTRL.acc_en
        self.store(0x12, self.g, 2 << (r[0x41] & 3), on, mask=0xFFF0)
        r[0x22] = round(self.celsius - 23) & 0xFF if on else 0x80


class WSEN_ISDS(_Model):
    RESET = ((0x0F, 0x6A), (0x12, 0x04))

    def increments(self):
        return self.registers[0x12] & 0x04  # CTRL_3.IF_INC

    def measure(self):
        r = self.registers
        g = (2, 16, 4, 8)[r[0x10] >> 2 & 3]
        dps = 125 if r[0x11] & 2 else (250, 500, 1000, 2000)[r[0x11] >> 2 & 3]
        self.store(0x28, self.g, g * 0.0000305 * 32768, r[0x10] >> 4)
        self.store(0x22, self.dps, dps * 0.000035 * 32768, r[0x11] >> 4)
        self.store_16(0x20, round((self.celsius - 25) * 256) if r[0x10] >> 4 else 0)


class LSM6DSO(WSEN_ISDS):
    RESET = ((0x0F, 0x6C), (0x12, 0x04))
