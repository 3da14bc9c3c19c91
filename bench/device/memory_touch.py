"""A touch panel for the board whose display is in memory. Its interrupt line is a datagram on loopback."""

import io
import socket
import time

import lvgl as lv

from mpos.hardware import Input

_GET_FILENO = 10  # MP_STREAM_GET_FILENO of py/stream.h
_FIRST_PORT = 49152
_PORTS = 16384


class MemoryTouch:
    """`touch(x, y, pressed)` is the finger; the device is added to `hardware.inputs`."""

    def __init__(self, hardware):
        self._x = self._y = 0
        self._pressed = False
        self._line = _Line()
        self._indev = lv.indev_create()
        self._indev.set_type(lv.INDEV_TYPE.POINTER)
        self._indev.set_read_cb(self._read)
        hardware.inputs.append(Input(self._indev, interrupt=self._line))

    def touch(self, x, y, pressed):
        self._x, self._y, self._pressed = x, y, pressed
        self._line.raise_event()

    def _read(self, indev, data):
        data.point.x, data.point.y = self._x, self._y
        data.state = lv.INDEV_STATE.PRESSED if self._pressed else lv.INDEV_STATE.RELEASED


class _Line(io.IOBase):
    """An interrupt line as a stream: `read_event()` takes the interrupt back."""

    def __init__(self):
        self._receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._receiver.setblocking(False)
        self._sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._buffer = bytearray(8)
        # Not the port that the loop's own doorbell tries first.
        port = _FIRST_PORT + _PORTS - 1 - time.ticks_us() % _PORTS
        address = socket.getaddrinfo("127.0.0.1", port)[0][-1]
        self._receiver.bind(address)
        self._sender.connect(address)

    def ioctl(self, request, argument):
        return self._receiver.fileno() if request == _GET_FILENO else -1

    def raise_event(self):
        self._sender.send(b"\0")

    def read_event(self):
        while self._receiver.readinto(self._buffer) is not None:
            pass
