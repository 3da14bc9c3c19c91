"""Stands in for `lcd_bus` of lvgl_micropython's ESP32 port: what is sent to a display is counted and kept.

Signatures are those of ext_mod/lcd_bus: esp32_src/spi_bus.c, esp32_src/i80_bus.c, modlcd_bus.c. A transfer is
complete at once, and the driver's callback is called, as the DMA-done interrupt would.
"""

MEMORY_32BIT = 2
MEMORY_8BIT = 4
MEMORY_DMA = 8
MEMORY_SPIRAM = 1024
MEMORY_INTERNAL = 2048

BUSES = []


class _Bus:
    _lanes = 1

    def __init__(self):
        self.commands = []  # (command, parameters)
        self.pixels = 0  # bytes of pictures
        self.areas = []  # of the pictures, as (x1, y1, x2, y2)
        self.distinct = set()  # byte values seen in pictures
        self._callback = None
        self._buffer_size = 0
        BUSES.append(self)

    def init(self, width, height, bpp, buffer_size, rgb565_byte_swap, cmd_bits, param_bits):
        self._buffer_size = buffer_size

    def allocate_framebuffer(self, size, caps):
        return bytearray(size)

    def free_framebuffer(self, framebuffer):
        pass

    def register_callback(self, callback):
        self._callback = callback

    def get_lane_count(self):
        return self._lanes

    def tx_param(self, cmd, params=None):
        self.commands.append((cmd, b"" if params is None else bytes(params)))

    def tx_color(self, cmd, data, x_start, y_start, x_end, y_end, rotation, last_update):
        if len(data) > self._buffer_size:
            raise ValueError("more than the bus was set up for")
        if len(data) != (x_end - x_start + 1) * (y_end - y_start + 1) * 2:
            raise ValueError("the area and the data do not match")
        self.pixels += len(data)
        self.areas.append((x_start, y_start, x_end, y_end))
        self.distinct |= set(bytes(data))
        self._callback()


class SPIBus(_Bus):
    def __init__(
        self,
        *,
        spi_bus,
        dc,
        freq,
        cs=-1,
        dc_low_on_data=False,
        lsb_first=False,
        cs_high_active=False,
        spi_mode=0,
        dual=False,
        quad=False,
        octal=False,
    ):
        super().__init__()


class I80Bus(_Bus):
    _lanes = 8

    def __init__(
        self,
        *,
        dc,
        wr,
        data0,
        data1,
        data2,
        data3,
        data4,
        data5,
        data6,
        data7,
        cs=-1,
        freq=10000000,
        dc_idle_high=False,
        dc_cmd_high=False,
        dc_dummy_high=False,
        dc_data_high=True,
        cs_active_high=False,
        reverse_color_bits=False,
        pclk_active_low=False,
        pclk_idle_low=False,
    ):
        super().__init__()


class RGBBus(_Bus):
    pass
