"""Stands in for `machine` of lvgl_micropython's ESP32 port: pins, PWM, ADC, SPI and I2C without hardware.

Signatures are those of micropy_updates/esp32/machine_hw_spi.c and of MicroPython's ESP32 port. What is
created is kept in lists, so that a check can press a button, fire an interrupt or touch a panel.
"""

PINS = {}
TOUCH: list = [None]  # (x, y) in the panel's own coordinates while it is touched, else None
ADCS = []


class Pin:
    IN = 1
    OUT = 3
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2

    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        if not 0 <= id <= 48:
            raise ValueError("invalid pin")
        self.id = id
        self.mode = mode
        self.handler = None
        self.level = (1 if pull == self.PULL_UP else 0) if value is None else value
        PINS[id] = self

    def __call__(self, *value):
        return self.value(*value)

    def value(self, *value):
        if value:
            if self.mode != self.OUT:
                raise ValueError(f"pin {self.id} is no output")
            self.level = int(bool(value[0]))
        return self.level

    def irq(self, handler=None, trigger=IRQ_RISING | IRQ_FALLING):
        if self.mode != self.IN:
            raise ValueError(f"pin {self.id} is no input")
        self.handler = handler

    def drive(self, level):
        """From outside: put the line to `level`; an edge fires the interrupt."""
        edge = self.level != level
        self.level = level
        if edge and self.handler is not None:
            self.handler(self)


class PWM:
    def __init__(self, pin, *, freq=5000):
        self.pin = pin
        self.duty = 0

    def duty_u16(self, *value):
        if value:
            self.duty = value[0]
        return self.duty


class ADC:
    ATTN_11DB = 3

    def __init__(self, pin, *, atten=0):
        self.reading = 32768
        ADCS.append(self)

    def read_u16(self):
        return self.reading


class _XPT2046:
    """The resistive controller behind an SPI device: 12 bits, shifted left by 3, in two bytes."""

    def answer(self, command):
        if TOUCH[0] is None:
            return 4095 if command == 0xC0 else 0  # Z2 high, all else low: not touched
        x, y = TOUCH[0]
        # 0xD0 and 0x90 are X and Y, spread over 10 to 4090 as the driver takes them to be.
        return {0xB0: 2000, 0xC0: 2000, 0xD0: 10 + x * 4080 // 240, 0x90: 10 + y * 4080 // 320}[command]


class _SPIBus:
    def __init__(self, *, host, sck, mosi=-1, miso=-1, dual_pins=None, quad_pins=None, octal_pins=None):
        if host not in (1, 2):
            raise ValueError("invalid host")


class _SPIDevice:
    def __init__(
        self,
        *,
        spi_bus,
        freq,
        cs,
        polarity=0,
        phase=0,
        bits=8,
        firstbit=0,
        dual=False,
        quad=False,
        octal=False,
    ):
        if not isinstance(spi_bus, _SPIBus):
            raise TypeError("spi_bus")
        self._chip = _XPT2046()

    def write_readinto(self, send, receive):
        value = self._chip.answer(send[0]) << 3
        receive[0], receive[1], receive[2] = 0, value >> 8, value & 0xFF


class SPI:
    Bus = _SPIBus
    Device = _SPIDevice


def _cst816s(register):
    x, y = TOUCH[0] or (0, 0)
    return {
        0xA7: 0xB5,  # chip id
        0x02: int(TOUCH[0] is not None),
        0x03: x >> 8,
        0x04: x & 0xFF,
        0x05: y >> 8,
        0x06: y & 0xFF,
    }.get(register, 0)


def _ft6x36(register):
    if register == 0xA3:  # chip id
        return 0x64
    return 0xFF if register > 0x06 else _cst816s(register)


class I2C:
    """A bus with the two touch controllers of our boards, by their addresses."""

    CHIPS = {0x15: _cst816s, 0x38: _ft6x36}

    def __init__(self, id, *, scl, sda, freq=400000, timeout=50000):
        self.written = []

    def scan(self):
        return list(self.CHIPS)

    def readfrom_mem_into(self, address, register, buffer, *, addrsize=8):
        for index in range(len(buffer)):
            buffer[index] = self.CHIPS[address](register + index)

    def writeto(self, address, data, stop=True):
        if address not in self.CHIPS:
            raise OSError(19)
        self.written.append((address, bytes(data)))
