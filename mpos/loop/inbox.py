"""Inbox: work for the loop that comes from outside it, from a thread or from an interrupt.

`put` is the only way into the loop that is safe there. The loop takes the calls in the order they were put,
each exactly once.

The loop sleeps in `select.poll`, and only a pollable object ends that. Which object costs nothing meanwhile
differs by port: where poll is the operating system's, it must be a file descriptor (a flag that is no
descriptor makes MicroPython ask it every millisecond); on a microcontroller, poll asks its objects anyway,
and a flag can be set where a socket cannot be used.
"""

import _thread
import errno
import io
import sys
import time
from asyncio import core
from collections import deque

from micropython import const

# ioctl requests and answers of py/stream.h.
_POLL = const(3)
_CLOSE = const(4)
_POLL_IN = const(1)

# The dynamic ports of RFC 6335.
_FIRST_PORT = const(49152)
_PORTS = const(16384)


class _FlagBell(io.IOBase):
    """A flag that poll asks for."""

    def __init__(self):
        self._rung = False
        self.stream = self

    def ioctl(self, request, argument):
        if request == _POLL:
            if not self._rung:
                # A poll of this port runs scheduled interrupts, and asks again after each.
                first = core._task_queue.peek()
                if first is None or core.ticks_diff(first.ph_key, core.ticks()) > 0:
                    return 0
            return argument & _POLL_IN
        return 0 if request == _CLOSE else -errno.EINVAL

    def ring(self):
        self._rung = True

    def silence(self):
        self._rung = False

    def close(self):
        self._rung = False


class _SocketBell:
    """A datagram to ourselves on loopback."""

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


class Inbox:
    """A bounded queue of calls. Each first one ends the poll of `stream`, in which the loop sleeps."""

    def __init__(self, size=128):
        """`size`: how many calls may wait at the same time. Raises OSError where no socket can be had."""
        self.size = size
        self._bell = _SocketBell() if sys.platform in ("linux", "darwin") else _FlagBell()
        self.stream = self._bell.stream
        self._calls = deque((), size, 1)  # 1: a full queue raises instead of dropping the oldest call
        self._lock = _thread.allocate_lock()
        self._rung = False

    def __len__(self):
        return len(self._calls)

    def put(self, function, args=()):
        """Have the loop call `function(*args)`. Safe from a thread and from a scheduled interrupt.

        Raises RuntimeError when `size` calls are waiting already; nothing was put then.
        """
        call = (function, args)
        lock = self._lock
        try:
            # No branch while the lock is held: MicroPython runs scheduled interrupts at branches, and one
            # that put something in turn would wait for this very lock. The end of a `try` with an `except`
            # is one.
            lock.acquire()
            try:
                self._calls.append(call)
                rung = self._rung
                self._rung = True
            finally:
                lock.release()
        except IndexError:
            raise RuntimeError(
                "the loop's inbox is full: %d calls wait already. Post less, or let the loop turn" % self.size
            )
        if not rung:
            self._bell.ring()

    def ring(self):
        """End the poll without a call. Safe from a thread and from a scheduled interrupt."""
        self._bell.ring()

    def answer(self):
        """Called by the loop when the poll was ended, before it takes the calls: the next is to end one."""
        self._bell.silence()
        # Under the lock: a thread between reading this flag and setting it would leave it set for good.
        lock = self._lock
        lock.acquire()
        self._rung = False
        lock.release()

    def take(self):
        """The next call as `(function, args)`. Only the loop calls this, and only when there is one."""
        lock = self._lock
        lock.acquire()
        try:
            call = self._calls.popleft()
        finally:
            lock.release()
        return call

    def run(self, start, report):
        """Make the calls that are there now. `start(coroutine)` gets what a coroutine function gave, and
        `report(error, message, name)` is told what a call raises."""
        # Those only: a call that posts itself again must not keep the loop here.
        for _ in range(len(self)):
            if not len(self):
                return  # A call has itself called this.
            function, arguments = self.take()
            try:
                result = function(*arguments)
                if result is not None and hasattr(result, "send"):
                    start(result)
            except SystemExit:
                raise
            except BaseException as error:
                report(error, "A posted call failed: {}", function)
