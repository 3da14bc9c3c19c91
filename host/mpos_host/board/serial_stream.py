"""The serial port under mpremote's transport, with a deadline on every read that names what it waits for."""

from __future__ import annotations

import codecs
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from mpos_host.project import UserError

# Seconds. How long one read of the port blocks; in between, the board is checked for being alive.
_READ = 0.2

# Seconds of silence that are allowed where nobody said how long to wait.
_SILENCE = 10


class DeviceTimeout(UserError):
    """Something did not happen in time. `output` is what the device printed until then."""

    def __init__(self, what: str, seconds: float, output: str = ""):
        super().__init__(f"the board did not answer: waited {round(seconds, 1):g} s for {what}")
        self.what = what
        self.seconds = seconds
        self.output = output


class DeviceGone(UserError):
    """The board died or its port vanished; the text says why. `traceback` is what it still said about it."""

    def __init__(self, reason: str, output: str = "", traceback: str = ""):
        super().__init__(f"the board is gone: {reason}")
        self.reason = reason
        self.output = output
        self.traceback = traceback.strip()


def open_transport(port: str, gone: Callable[[], str | None]) -> tuple[SerialTransport, SerialStream]:
    """mpremote's transport for `port`, reading through a `SerialStream`. `gone` says why the board died."""
    if not Path(port).exists() and "://" not in port and not port.upper().startswith("COM"):
        raise UserError(f"there is no port {port}: plug the board in; `mpos boards` lists what is connected")
    if Path(port).exists() and not os.access(port, os.R_OK | os.W_OK):
        raise UserError(f"no permission for {port}: join its group (often dialout) and log in again")
    try:
        transport = SerialTransport(port, timeout=_READ)
    except (TransportError, serial.SerialException):
        if Path(port).exists() and not _is_terminal(port):
            raise UserError(f"{port} is no serial port; `mpos boards` lists what is connected") from None
        raise UserError(f"{port} is in use by another program: close that one and try again") from None
    serial_port: Any = transport.serial
    serial_port.write_timeout = _SILENCE
    stream = SerialStream(serial_port, gone)
    transport.serial = cast(Any, stream)
    transport.is_pty = True  # for mpremote that means: reads block until there is something; ours do
    return transport, stream


def _is_terminal(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return True  # somebody has it for himself: opening it says so
    try:
        return os.isatty(descriptor)
    finally:
        os.close(descriptor)


class SerialStream:
    """The port with a buffer, in place of the pyserial object in mpremote's transport.

    mpremote reads byte by byte, and from a pseudo-terminal without limit; through this every read has a
    limit: that of the `deadline()` around it, else 10 s of silence.
    """

    def __init__(self, port: serial.Serial, gone: Callable[[], str | None]):
        self._port = port
        self._gone = gone
        self._buffer = bytearray()
        self._limit: tuple[str, float, float] | None = None
        self._text = codecs.getincrementaldecoder("utf-8")("replace")  # of for_a_while()
        self.stopped_at = b""

    @contextmanager
    def deadline(self, what: str, seconds: float) -> Iterator[None]:
        """All reads within the block are for `what` and may take `seconds` together.

        Raises `DeviceTimeout` with what was read but not taken.
        """
        self._limit = (what, seconds, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._limit = None

    def until(
        self,
        ending: bytes,
        what: str,
        seconds: float,
        output: Callable[[str], None] | None = None,
        also: bytes | None = None,
    ) -> str:
        """What comes before `ending` (or `also`; `stopped_at` says which). `output` gets it as it comes.

        Raises `DeviceTimeout`, `DeviceGone`; their `output` is what came instead.
        """
        endings = [ending] if also is None else [ending, also]
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = ""
        with self.deadline(what, seconds):
            while True:
                at, self.stopped_at = self._find(endings)
                piece = decoder.decode(self._take(at))
                self._take(len(self.stopped_at))
                text += piece
                if output is not None and piece:
                    output(piece)
                if self.stopped_at:
                    return text
                try:
                    self._fill()
                except (DeviceTimeout, DeviceGone) as error:
                    error.output = text + self._buffer.decode("utf-8", "replace")
                    raise

    def for_a_while(self, seconds: float) -> str:
        """All that comes within `seconds`, returning early with the first of it."""
        if not self._buffer:
            try:
                with self.deadline("output", seconds):
                    self._fill()
            except DeviceTimeout:
                return ""
        return self._text.decode(self._take(len(self._buffer)))

    def put_back(self, data: bytes) -> None:
        """Make `data` the next that is read."""
        self._buffer[:0] = data

    def skip(self, data: bytes) -> None:
        """Drop `data` if it is the next that would be read."""
        if self._buffer.startswith(data):
            self._take(len(data))

    def has(self, *endings: bytes) -> bool:
        """Whether one of `endings` has arrived."""
        if self._waiting():
            self._fill()
        return any(ending in self._buffer for ending in endings)

    # What mpremote's transport uses of pyserial.

    def read(self, size: int = 1) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        return bytes(self._take(size))

    def inWaiting(self) -> int:
        return len(self._buffer) + self._waiting()

    def write(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except serial.SerialTimeoutException:
            raise DeviceTimeout("the board to read its input", 10) from None
        except (OSError, serial.SerialException) as error:
            raise DeviceGone(self._gone() or str(error)) from None

    @property
    def fd(self) -> int | None:
        return self._port.fd

    @property
    def rts(self) -> bool:
        return self._port.rts

    @rts.setter
    def rts(self, value: bool) -> None:
        self._port.rts = value

    @property
    def dtr(self) -> bool:
        return self._port.dtr

    @dtr.setter
    def dtr(self, value: bool) -> None:
        self._port.dtr = value

    def close(self) -> None:
        self._port.close()

    def _find(self, endings: list[bytes]) -> tuple[int, bytes]:
        """Where the first of the endings is, and which; without one, how much cannot be the start of one."""
        found = [(at, ending) for ending in endings if (at := self._buffer.find(ending)) >= 0]
        return min(found) if found else (max(0, len(self._buffer) - max(map(len, endings)) + 1), b"")

    def _take(self, size: int) -> bytearray:
        piece = self._buffer[:size]
        del self._buffer[:size]
        return piece

    def _waiting(self) -> int:
        """Bytes that can be read at once."""
        try:
            return self._port.in_waiting
        except OSError as error:
            raise DeviceGone(self._gone() or str(error)) from None

    def _fill(self) -> None:
        """Wait for input; a read blocks for `_READ` at most, so that a dead board is noticed.

        A board that never stops printing gets no more time than one that is silent.
        """
        what, seconds, deadline = self._limit or ("an answer", _SILENCE, time.monotonic() + _SILENCE)
        while True:
            try:
                data = self._port.read(max(1, self._waiting()))
            except (OSError, serial.SerialException) as error:
                raise DeviceGone(self._gone() or str(error)) from None
            self._buffer += data
            late = time.monotonic() - deadline
            if data and late < _READ:
                return
            reason = self._gone()
            if reason:
                raise DeviceGone(reason)
            if late >= 0:
                raise DeviceTimeout(what, seconds)
