"""Pictures as rows of RGB: reading PNG files, and comparing two pictures.

The reader takes what this project writes and what image tools make of it: 8 bits a channel, RGB or RGBA or
palette, not interlaced. Format: PNG specification (second edition), sections 5, 9, 10 and 11.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from mpos_host.board.png import rgb_to_png

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {2: 3, 3: 1, 6: 4}  # color type: bytes of a pixel


@dataclass(frozen=True)
class Picture:
    """`rgb` is three bytes a pixel, row by row from the top."""

    width: int
    height: int
    rgb: bytes

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class Difference:
    """`pixels` differ more than tolerated, the most by `largest` (0 to 255) in a channel."""

    pixels: int
    share: float
    largest: int
    marked: Picture


def read_png(data: bytes) -> Picture:
    """Raises ValueError if `data` is no PNG of a kind this reads."""
    if not data.startswith(_SIGNATURE):
        raise ValueError("it is no PNG file")
    header, palette, compressed = b"", b"", b""
    at = len(_SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            header = content
        elif kind == b"PLTE":
            palette = content
        elif kind == b"IDAT":
            compressed += content
        at += 12 + length
    if len(header) != 13:
        raise ValueError("the PNG is damaged: it has no header")
    width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if depth != 8 or color not in _CHANNELS or interlaced:
        raise ValueError(f"a PNG with {depth} bits, color type {color}, interlacing {interlaced} is not read")
    channels = _CHANNELS[color]
    try:
        pixels = _unfilter(zlib.decompress(compressed), width * channels, height, channels)
    except (zlib.error, IndexError) as error:
        raise ValueError(f"the PNG is damaged: {error}") from None
    if color == 3:
        pixels = b"".join([palette[3 * index : 3 * index + 3] for index in pixels])
    elif channels == 4:
        rgb = bytearray(width * height * 3)
        for channel in range(3):
            rgb[channel::3] = pixels[channel::4]
        pixels = bytes(rgb)
    if len(pixels) != width * height * 3:
        raise ValueError("the PNG is damaged: its palette lacks colors")
    return Picture(width, height, pixels)


def write_png(picture: Picture) -> bytes:
    return rgb_to_png(picture.width, picture.height, picture.rgb)


def compare(picture: Picture, stored: Picture, per_channel: int) -> Difference:
    """Compare two pictures of one size: a pixel differs if a channel does by more than `per_channel`.

    `marked` shows the stored picture, pale, with what differs in red.
    """
    if picture.size != stored.size:
        raise ValueError(f"a picture of {picture.size} cannot be compared with one of {stored.size}")
    marked = bytearray(192 + value // 4 for value in stored.rgb)
    count = largest = 0
    if picture.rgb != stored.rgb:
        for at in range(0, len(stored.rgb), 3):
            if picture.rgb[at : at + 3] == stored.rgb[at : at + 3]:
                continue
            distance = max(abs(picture.rgb[at + c] - stored.rgb[at + c]) for c in range(3))
            largest = max(largest, distance)
            if distance > per_channel:
                count += 1
                marked[at : at + 3] = b"\xd0\x00\x20"
    share = count / (stored.width * stored.height)
    return Difference(count, share, largest, Picture(stored.width, stored.height, bytes(marked)))


def _unfilter(data: bytes, row_size: int, height: int, step: int) -> bytes:
    """Undo the filters of PNG rows; `step` is the bytes of a pixel."""
    rows = []
    above = bytearray(row_size)
    for y in range(height):
        start = y * (row_size + 1)
        kind, row = data[start], bytearray(data[start + 1 : start + 1 + row_size])
        if len(row) < row_size:
            raise IndexError("rows are missing")
        for x in range(row_size if kind else 0):
            left = row[x - step] if x >= step else 0
            corner = above[x - step] if x >= step else 0
            row[x] = row[x] + _predicted(kind, left, above[x], corner) & 0xFF
        rows.append(row)
        above = row
    return b"".join(rows)


def _predicted(kind: int, left: int, above: int, corner: int) -> int:
    if kind == 1:
        return left
    if kind == 2:
        return above
    if kind == 3:
        return (left + above) // 2
    if kind == 4:  # Paeth
        estimate = left + above - corner
        return min((left, above, corner), key=lambda value: abs(estimate - value))
    raise IndexError(f"there is no filter {kind}")
