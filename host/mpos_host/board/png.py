"""PNG files from pixels. The format is that of the PNG specification, sections 5, 10 and 11."""

from __future__ import annotations

import struct
import zlib
from array import array
from functools import cache


def rgb565_to_png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG (8 bits a channel) of `width` x `height` little-endian RGB565 pixels.

    Raises ValueError if `pixels` has another size.
    """
    if len(pixels) != width * height * 2:
        raise ValueError(f"{len(pixels)} bytes are no {width} x {height} RGB565 picture")
    colors = _colors()
    return rgb_to_png(width, height, b"".join([colors[value] for value in array("H", pixels)]))


def rgb_to_png(width: int, height: int, rgb: bytes) -> bytes:
    """A PNG of `width` x `height` pixels of three bytes. Raises ValueError if `rgb` has another size."""
    row = width * 3
    if len(rgb) != row * height:
        raise ValueError(f"{len(rgb)} bytes are no {width} x {height} RGB picture")
    rows = (b"\0" + rgb[start : start + row] for start in range(0, row * height, row))  # filter type 0: none
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(b"".join(rows)))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@cache
def _colors() -> list[bytes]:
    """The three bytes of each of the 65536 colors; the high bits are repeated so that white is white."""
    five = [(value << 3) | (value >> 2) for value in range(32)]
    six = [(value << 2) | (value >> 4) for value in range(64)]
    return [bytes((five[c >> 11], six[c >> 5 & 63], five[c & 31])) for c in range(1 << 16)]
