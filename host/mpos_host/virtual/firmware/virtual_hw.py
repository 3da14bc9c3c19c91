"""The virtual board's display and touch panel, as its board.py finds them."""

import io

import virtual_codec as _codec
import virtual_link as _link

_GET_FILENO = 10  # MP_STREAM_GET_FILENO in py/stream.h: the poll then waits for the descriptor itself


def display():
    """LVGL's display: 320 x 240 pixels. The panel draws it; nothing of it is in this heap."""
    return _hardware(0)


def touch():
    """LVGL's input device of the touch panel. `read()` takes all samples that wait."""
    return _hardware(1)


def touch_interrupt():
    """The touch panel's interrupt line: a stream that polls readable when samples wait."""
    return TouchInterrupt(_link.interrupt_line)


def _hardware(number):
    _codec.start(_link.HARDWARE, number)
    return _codec.finish()


class TouchInterrupt(io.IOBase):
    """Register it with a poll; call `read_event()` before reading the device."""

    def __init__(self, line):
        self._line = line
        self._byte = bytearray(1)

    def ioctl(self, request, _):
        return self._line.fileno() if request == _GET_FILENO else -1

    def read_event(self):
        """Take the interrupt back. Does not block and allocates nothing."""
        self._line.readinto(self._byte)
