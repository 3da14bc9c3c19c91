"""The virtual board's I2C: buses on which register-level models of chips answer.

A model has `read(register, buffer)` and `write(register, data)`; `wires(0).chips[0x6B] = model` puts it on
the bus. Bus 0 has a motion sensor at 0x6B (see virtual_imu).
"""

_ENODEV = 19  # what the ESP32 port raises when no chip acknowledges
_ETIMEDOUT = 116  # and when a line is held (errno of ESP-IDF)
_wires = {}


def wires(bus):
    """The Wires of bus number `bus`, for tests and whoever plays a chip."""
    if bus not in _wires:
        _wires[bus] = Wires()
        if bus == 0:
            from virtual_imu import QMI8658

            _wires[bus].chips[0x6B] = QMI8658()
    return _wires[bus]


class Wires:
    """The two lines of a bus. `hold(clocks)` has a chip hold SDA low until SCL was clocked that often."""

    def __init__(self):
        self.chips = {}  # by address; take one out to make it vanish
        self.transfers = 0
        self.held = 0
        self.stops = 0
        self.scl = Line(self)
        self.sda = Line(self)

    def hold(self, clocks):
        self.held = clocks

    def transfer(self, address):
        """The chip at `address`. Raises OSError as the ESP32 port does."""
        self.transfers += 1
        if self.held:
            raise OSError(_ETIMEDOUT)
        chip = self.chips.get(address)
        if chip is None:
            raise OSError(_ENODEV)
        return chip


class Line:
    """SCL or SDA as an open-drain `machine.Pin`, while nobody transfers."""

    OPEN_DRAIN = 7

    def __init__(self, wires):
        self._wires = wires
        self._level = 1

    def init(self, mode=-1, pull=-1, value=None):
        if value is not None:
            self._level = value

    def value(self, level=None):
        wires = self._wires
        if level is None:
            return 0 if self is wires.sda and wires.held else self._level
        rising = level and not self._level
        self._level = level
        if rising and self is wires.scl and wires.held:
            wires.held -= 1
        elif rising and self is wires.sda and wires.scl.value():
            wires.stops += 1
        return None


class I2C:
    """`machine.I2C`, for what drivers of registers use of it."""

    def __init__(self, id=0, *, scl=None, sda=None, freq=400000, timeout=50000):
        if id not in (0, 1):
            raise ValueError("I2C(%d) doesn't exist" % id)
        self._bus = id

    @property
    def _wires(self):
        return wires(self._bus)

    def scan(self):
        return sorted(self._wires.chips)

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        buffer = bytearray(nbytes)
        self.readfrom_mem_into(addr, memaddr, buffer, addrsize=addrsize)
        return bytes(buffer)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        self._wires.transfer(addr).read(memaddr, buf)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self._wires.transfer(addr).write(memaddr, buf)


class SoftI2C(I2C):
    """`machine.SoftI2C`: the same, on bus 1 unless the pins are bus 0's (there are none to compare)."""

    def __init__(self, scl=None, sda=None, *, freq=400000, timeout=50000):
        super().__init__(1)
