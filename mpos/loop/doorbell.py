"""Doorbell: how a thread or an interrupt ends the poll that the loop sleeps in.

The loop waits in `select.poll`, and only a pollable object ends that wait. Which object costs nothing while
nobody rings differs by port: where poll is the operating system's, it must be a file descriptor (a flag that
is no descriptor makes MicroPython ask it every millisecond); on a microcontroller, poll asks its objects
anyway, and a flag can be set where a socket cannot be used.
"""

import errno
import io
import sys
import time

from micropython import const

# ioctl requests and answers of py/stream.h.
_POLL = const(3)
_CLOSE = const(4)
_POLL_IN = const(1)

# The dynamic ports of RFC 6335.
_FIRST_PORT = const(49152)
_PORTS = const(16384)


class FlagDoorbell(io.IOBase):
    """A flag that poll asks for. `ring()` is safe from a thread and from a hard interrupt."""

    def __init__(self):
        self._rung = False
        self.stream = self

    def ioctl(self, request, argument):
        if request == _POLL:
            return argument & _POLL_IN if self._rung else 0
        return 0 if request == _CLOSE else -errno.EINVAL

    def ring(self):
        self._rung = True

    def silence(self):
        self._rung = False

    def close(self):
        self._rung = False


class SocketDoorbell:
    """A datagram to ourselves on loopback. `ring()` is safe from a thread."""

    def __init__(self):
        import socket

        self._buffer = bytearray(8)
        self.stream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.stream.setblocking(False)
            self._sender.setblocking(False)
            self._sender.connect(self._bind(socket.getaddrinfo))
        except OSError:
            self.close()
            raise

    def _bind(self, getaddrinfo):
        # MicroPython has no getsockname, so the port is chosen here rather than by the system.
        port = _FIRST_PORT + time.ticks_us() % _PORTS
        for _ in range(_PORTS):
            address = getaddrinfo("127.0.0.1", port)[0][-1]
            try:
                self.stream.bind(address)
                return address
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            port = _FIRST_PORT + (port - _FIRST_PORT + 1) % _PORTS
        raise OSError(errno.EADDRINUSE, "no free UDP port on loopback from 49152 to 65535")

    def ring(self):
        try:
            self._sender.send(b"\x00")
        except OSError:
            pass  # The receive buffer is full of rings already: the loop will wake.

    def silence(self):
        # None: nothing left to read.
        while self.stream.readinto(self._buffer) is not None:
            pass

    def close(self):
        self.stream.close()
        self._sender.close()


def new_doorbell():
    """The doorbell for this port. Raises OSError where no socket can be had."""
    return SocketDoorbell() if sys.platform in ("linux", "darwin") else FlagDoorbell()
