"""The screen of any running board, asked over its console while the loop runs."""

from __future__ import annotations

import base64
from pathlib import Path

from mpos_host.board.png import rgb565_to_png
from mpos_host.board.target import Target
from mpos_host.project import UserError

# Seconds for a picture: 320x240 are 205 KB of base64, 18 s on a serial line of 115200 baud.
_PICTURE = 60


def texts(target: Target) -> list[str]:
    """The texts that can be read on the screen."""
    return target.device.call("mpos.ui.inspect.visible_texts()", "mpos.ui.inspect")


def wait_text(target: Target, text: str, seconds: float) -> bool:
    """Wait until a visible widget shows `text`; False if none did in `seconds`."""
    expression = f"await mpos.ui.inspect.wait_for({text!r}, {int(seconds * 1000)})"
    return target.device.call(expression, "mpos.ui.inspect", seconds + 10)


def centre_of(target: Target, text: str) -> tuple[int, int]:
    """The middle, in pixels, of the widget that shows `text`: where a finger would tap it."""
    x, y = target.device.call(f"mpos.ui.inspect.centre_of({text!r})", "mpos.ui.inspect")
    return x, y


def screenshot(target: Target) -> bytes:
    """A PNG of the screen: on the virtual board what the panel shows, on others LVGL's picture of it."""
    if target.virtual is not None and target.virtual.panel is not None:
        return target.virtual.panel.screenshot()
    return png_of(target.device.printed_by("mpos.ui.inspect.screenshot()", "mpos.ui.inspect", _PICTURE))


def check_picture(path: str) -> None:
    """Raise `UserError` if no picture can be written to `path`: before the board has been asked for one."""
    if Path(path).is_dir():
        raise UserError(f"{path} is a folder: name the PNG file to write", 2)
    if not Path(path).absolute().parent.is_dir():
        raise UserError(f"there is no folder {Path(path).parent} for the picture {Path(path).name}", 2)


def save_picture(target: Target, path: str) -> None:
    """Write `screenshot()` to `path`. Raises `UserError` if that cannot be written."""
    picture = screenshot(target)
    try:
        Path(path).write_bytes(picture)
    except OSError as error:
        raise UserError(f"cannot write the picture {path}: {error.strerror}") from None


def png_of(printed: str) -> bytes:
    """A PNG of what `mpos.ui.inspect.screenshot()` prints. Raises ValueError if that is incomplete."""
    size, _, rows = printed.partition("\n")
    width, height = map(int, size.split())
    pixels = b"".join(base64.b64decode(row) for row in rows.split())
    return rgb565_to_png(width, height, pixels)
