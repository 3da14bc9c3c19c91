"""`sys` as a board has it: `sys.stdout.buffer` writes bytes, while print and `sys.stdout.write` write text.

A board's port turns each line end of text into CR LF and leaves bytes alone. Here the supervisor does it, and
must be told which bytes are bytes: a mark and their number go before them (serial_port.RawMarks).
"""

import io
import struct

import usys

_mark = bytearray(b"\xff\xfe\x1bRAW\0\0\0\0")
_MARK_SIZE = 6


class _Bytes(io.IOBase):
    def write(self, data, size=-1):
        if not 0 <= size <= len(data):
            size = len(data)
        struct.pack_into("<I", _mark, _MARK_SIZE, size)
        out = usys.stdout.buffer
        out.write(_mark)
        done = 0
        view = memoryview(data)
        while done < size:
            done += out.write(view[done:size])
        return size

    def flush(self):
        pass

    def ioctl(self, request, argument):
        return argument if request == 3 else 0  # 3: MP_STREAM_POLL, always writable


class _Text(io.IOBase):
    def __init__(self):
        self.buffer = _Bytes()
        self.write = usys.stdout.write

    def flush(self):
        pass

    def ioctl(self, request, argument):
        return argument if request == 3 else 0


class Sys:
    """The names of the built-in module; what is set (path, ps1, ps2, tracebacklimit) is set there."""

    def __init__(self):
        keep = object.__setattr__
        for name in dir(usys):
            if name not in ("stdout", "path", "ps1", "ps2", "tracebacklimit", "__class__", "__dict__"):
                keep(self, name, getattr(usys, name))
        keep(self, "stdout", _Text())

    def __getattr__(self, name):
        return getattr(usys, name)

    def __setattr__(self, name, value):
        setattr(usys, name, value)

    def __repr__(self):
        return "<module 'sys'>"
