"""Compares the pictures that tests take with the stored ones, or stores them.

They are in tests/smoke_images/, in a folder named after the board if there is one, else in that of the
display's size (320x240). A board whose rendering differs for a good reason gets its own folder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mpos_host.testing.smoke.pixels import Picture, compare, read_png, write_png

# A channel may differ by this much. RGB565 has steps of 8 (4 for green) of 255, and how the blending of an
# edge is rounded goes one step either way: what is one step off nobody sees.
CHANNEL_TOLERANCE = 9

# This share of the pixels may differ by more: 7 of 320x240. Anti-aliased corners of rounded shapes differ in
# so few between versions of LVGL; a wrong digit of the default font is 20 pixels or more.
SHARE_TOLERANCE = 0.0001


@dataclass(frozen=True)
class CheckedPicture:
    """A picture a test took, and what came of comparing it. `stored` and `difference` are PNGs or None."""

    name: str
    taken: bytes
    good: bool
    verdict: str
    stored: bytes | None = None
    difference: bytes | None = None


class PictureStore:
    """The stored pictures in `folder` for a board. With `update`, what is taken is stored as the new one."""

    def __init__(self, folder: Path, board: str, update: bool = False):
        self._folder = folder
        self._board = board
        self._update = update

    def check(self, name: str, taken: bytes) -> CheckedPicture:
        """Compare the PNG `taken` with the stored one. Raises ValueError for a name that is no file's."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            raise ValueError(f"{name!r} cannot be a picture's name: say it in a-z, 0-9, - and _")
        picture = read_png(taken)
        folder = self._folder / self._board
        if not folder.is_dir():
            folder = self._folder / picture.size
        path = folder / f"{name}.png"
        if self._update:
            return self._store(path, name, picture)
        if path.is_file():
            return _compared(name, taken, picture, path.read_bytes(), path)
        if folder.is_dir():
            missing = f"there is no {_shown(path)}: look at this picture, and store it with --update-images"
            return CheckedPicture(name, taken, False, missing)
        # A board of a new size is no failure: somebody looks at its pictures in the report, and stores them.
        return CheckedPicture(
            name, taken, True, f"nothing to compare with: there is no {_shown(path.parent)}"
        )

    def _store(self, path: Path, name: str, picture: Picture) -> CheckedPicture:
        new = write_png(picture)
        old = path.read_bytes() if path.is_file() else None
        if old == new:
            return CheckedPicture(name, new, True, "the same as the stored one")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(new)
        return CheckedPicture(name, new, True, f"stored as {_shown(path)}")


def _compared(name: str, taken: bytes, picture: Picture, stored: bytes, path: Path) -> CheckedPicture:
    try:
        expected = read_png(stored)
        found = compare(picture, expected, CHANNEL_TOLERANCE)
    except ValueError as error:
        return CheckedPicture(name, taken, False, f"{_shown(path)}: {error}", stored)
    if found.largest == 0:
        return CheckedPicture(name, taken, True, "the same as the stored one")
    text = f"{found.pixels} pixels ({found.share:.3%}) differ from {_shown(path)}"
    if found.share <= SHARE_TOLERANCE:
        return CheckedPicture(name, taken, True, f"{text}: within the tolerance")
    return CheckedPicture(name, taken, False, text, stored, write_png(found.marked))


def _shown(path: Path) -> str:
    """Shorter where it can be, as a path is typed."""
    here = Path.cwd()
    return str(path.relative_to(here) if here in path.parents else path)
