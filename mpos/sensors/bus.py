"""RegisterBus: the registers of one chip on I2C, with its errors counted and a stuck bus freed."""

from time import sleep_us

from micropython import const

_CLOCKS = const(9)  # A byte and its acknowledge: what a chip at most still wants to send.
_HALF_CLOCK_US = const(5)  # 100 kHz, the slowest mode of the I2C specification (UM10204, table 10)


class RegisterBus:
    """The chip at `address` of `i2c` (a `machine.I2C`, or anything with its methods for registers).

    `scl` and `sda` (`machine.Pin`) are needed to free the bus from a chip that holds SDA low, and
    `reopen()` returns an I2C object for these pins anew, since the pins are taken from the old one. Without
    them a stuck bus stays stuck until the chip lets go.
    """

    def __init__(self, i2c, address, scl=None, sda=None, reopen=None):
        self.address = address
        self.name = "at 0x%02x" % address
        self.errors = 0  # transfers that failed
        self.recoveries = 0  # times that SDA was held, and freed
        self._i2c = i2c
        self._scl = scl
        self._sda = sda
        self._reopen = reopen
        self._byte = bytearray(1)
        self._buffers = {1: bytearray(1)}

    def read(self, register, count=1):
        """Read `count` bytes from `register` on. The bytearray is used again by the next read of that size.
        Raises OSError."""
        buffer = self._buffers.get(count)
        if buffer is None:
            buffer = self._buffers[count] = bytearray(count)
        try:
            self._i2c.readfrom_mem_into(self.address, register, buffer)
        except OSError:
            self.errors += 1
            raise
        return buffer

    def write(self, register, value):
        """Write the byte `value` to `register`. Raises OSError."""
        self._byte[0] = value
        try:
            self._i2c.writeto_mem(self.address, register, self._byte)
        except OSError:
            self.errors += 1
            raise

    def recover(self):
        """Free the bus if a chip holds SDA low, as it does when a reset cut a transfer short: clock it until
        it lets go, then send a STOP (UM10204, 3.1.16). Takes 0.1 ms at most."""
        scl, sda = self._scl, self._sda
        if scl is None or sda is None or self._reopen is None:
            return
        try:
            sda.init(sda.OPEN_DRAIN, value=1)
            scl.init(scl.OPEN_DRAIN, value=1)
            if not sda.value():
                for _ in range(_CLOCKS):
                    _level(scl, 0)
                    _level(scl, 1)
                    if sda.value():
                        self.recoveries += 1
                        break
                _level(scl, 0)
                _level(sda, 0)
                _level(scl, 1)
                _level(sda, 1)
        finally:
            self._i2c = self._reopen()


def _level(pin, level):
    pin.value(level)
    sleep_us(_HALF_CLOCK_US)
