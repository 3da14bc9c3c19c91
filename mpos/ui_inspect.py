"""What is on the screen, for whoever asks over the console: the `mpos` command and tests do.

Nothing in mpos imports this module; it costs no memory until somebody asks.
"""

import asyncio
import binascii
import sys
from time import ticks_add, ticks_diff, ticks_ms

import lvgl as lv

# Bytes of pixels per line of output: a multiple of 3, so that base64 needs no padding in between.
_CHUNK = 768


def visible_texts():
    """The texts that can be read on the active screen and the layers above it, in the order of the tree."""
    texts = []
    for root in (lv.screen_active(), lv.layer_top(), lv.layer_sys()):
        _collect(root, texts)
    return texts


def shows(text):
    """True if `text` is part of a text that can be read on the screen."""
    for shown in visible_texts():
        if text in shown:
            return True
    return False


async def wait_for(text, timeout_ms):
    """Wait until `text` can be read on the screen. Returns False when `timeout_ms` have passed without.

    It looks after each refresh of the display, so it costs nothing while nothing changes.
    """
    refreshed = asyncio.Event()

    def on_refreshed(event):
        refreshed.set()

    display = lv.display_get_default()
    display.add_event_cb(on_refreshed, lv.EVENT.REFR_READY, None)
    end = ticks_add(ticks_ms(), timeout_ms)
    try:
        while not shows(text):
            refreshed.clear()
            await asyncio.wait_for_ms(refreshed.wait(), max(0, ticks_diff(end, ticks_ms())))
    except asyncio.TimeoutError:
        return False
    finally:
        display.remove_event_cb_with_user_data(on_refreshed, None)
    return True


def screenshot(write=sys.stdout.write):
    """Write the active screen as text: "width height", a newline, and its RGB565 rows in base64.

    Takes width * height * 2 bytes of LVGL's memory for the time being. Raises MemoryError without them.
    """
    picture = lv.snapshot_take(lv.screen_active(), lv.COLOR_FORMAT.RGB565)
    if picture is None:
        raise MemoryError("no memory for a picture of the screen")
    try:
        header = picture.header
        row = header.w * 2
        pixels = memoryview(picture.data.__dereference__(picture.data_size))
        write("%d %d\n" % (header.w, header.h))
        for y in range(header.h):
            start = y * header.stride
            for x in range(0, row, _CHUNK):
                write(binascii.b2a_base64(pixels[start + x : start + min(x + _CHUNK, row)]).decode())
    finally:
        picture.destroy()


def _collect(obj, texts):
    if obj is None or obj.has_flag(lv.obj.FLAG.HIDDEN):
        return
    if obj.is_visible():
        for text in _texts_of(obj):
            if text:
                texts.append(text)
    for index in range(obj.get_child_count()):
        _collect(obj.get_child(index), texts)


def _texts_of(obj):
    """The texts a widget shows by itself. Widgets are told by their methods, which subclasses have too."""
    if hasattr(obj, "get_options"):  # drop-down, roller
        chosen = obj.get_options().split("\n")[obj.get_selected()]
        # A drop-down shows its own text instead of the choice, if it was given one.
        return ((obj.get_text() if hasattr(obj, "get_text") else None) or chosen,)
    if hasattr(obj, "get_text"):  # label, checkbox, text area
        return (obj.get_text(),)
    if hasattr(obj, "get_button_text"):  # button matrix, keyboard
        return _until_none(obj.get_button_text)
    if hasattr(obj, "get_cell_value"):  # table
        return [
            obj.get_cell_value(row, column)
            for row in range(obj.get_row_count())
            for column in range(obj.get_column_count())
        ]
    return ()


def _until_none(get):
    texts = []
    text = get(0)
    while text is not None:
        texts.append(text)
        text = get(len(texts))
    return texts
