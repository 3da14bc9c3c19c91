"""lvgl_micropython's desktop binary with a display in memory: no window, and nothing that polls.

What the loop costs by itself is measured on this board: the window of unix_sdl has an LVGL timer of 5 ms.
"""

import lvgl as lv

from mpos.hardware import Hardware

_WIDTH = 320
_HEIGHT = 240


def init():
    """Create the display. There are no inputs."""
    lv.init()
    display = lv.display_create(_WIDTH, _HEIGHT)
    display.set_color_format(lv.COLOR_FORMAT.RGB565)
    frame = bytearray(_WIDTH * _HEIGHT * 2)
    display.set_flush_cb(_flush)
    display.set_buffers(frame, None, len(frame), lv.DISPLAY_RENDER_MODE.DIRECT)
    return Hardware(name="unix_memory", display=display)


def _flush(display, area, pixels):
    display.flush_ready()
