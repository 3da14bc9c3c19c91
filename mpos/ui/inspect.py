"""What is on the screen, for whoever asks over the console: the `mpos` command and tests do.

Nothing in mpos imports this module; it costs no memory until somebody asks.
"""

import binascii
import sys
from time import ticks_add, ticks_diff, ticks_ms

import lvgl as lv

from ..task_manager import TaskManager

# Bytes of pixels per line of output: a multiple of 3, so that base64 needs no padding in between.
_CHUNK = 768


def visible_texts():
    """The texts that can be read on the active screen and the layers above it, in the order of the tree."""
    return [text for _, text in _visible()]


def centre_of(text):
    """The middle, `[x, y]` in pixels, of the first widget that shows `text`: where a finger would tap it.

    Raises ValueError if none does.
    """
    for obj, shown in _visible():
        if text in shown:
            area = lv.area_t()
            obj.get_coords(area)
            return [(area.x1 + area.x2) // 2, (area.y1 + area.y2) // 2]
    raise ValueError("no widget shows '%s'" % text)


def shows(text):
    """True if `text` is part of a text that can be read on the screen."""
    for shown in visible_texts():
        if text in shown:
            return True
    return False


async def wait_for(text, timeout_ms):
    """Wait until `text` can be read on the screen. Returns False when `timeout_ms` have passed without.

    It looks after each frame, so it costs nothing while nothing changes.
    """
    end = ticks_add(ticks_ms(), timeout_ms)
    try:
        while not shows(text):
            frame = TaskManager.lvgl_loop().next_frame()
            await TaskManager.wait_for_ms(frame, max(0, ticks_diff(end, ticks_ms())))
    except TaskManager.TimeoutError:
        return shows(text)
    return True


async def draw():
    """Give every task that is ready a step, and draw what is then to be seen.

    For a picture of an app that has only just started.
    """
    await TaskManager.sleep_ms(0)
    TaskManager.lvgl_loop().refresh()


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


def _visible():
    """Each visible widget that shows a text, with the text."""
    found = []
    for root in (lv.screen_active(), lv.layer_top(), lv.layer_sys()):
        root.update_layout()  # What is new has no place yet, and counts as not visible.
        _collect(root, found)
    return found


def _collect(obj, found):
    if obj is None or obj.has_flag(lv.obj.FLAG.HIDDEN):
        return
    if obj.is_visible():
        for text in _texts_of(obj):
            if text:
                found.append((obj, text))
    for index in range(obj.get_child_count()):
        _collect(obj.get_child(index), found)


def _texts_of(obj):
    """The texts a widget shows by itself. Widgets are told by their methods, which subclasses have too."""
    if hasattr(obj, "get_options"):  # drop-down, roller
        chosen = obj.get_options().split("\n")[obj.get_selected()]
        # A drop-down shows its own text instead of the choice, if it was given one.
        return ((obj.get_text() if hasattr(obj, "get_text") else None) or chosen,)
    if hasattr(obj, "get_text"):  # label, checkbox, text area
        return (obj.get_text(),)
    if hasattr(obj, "get_selected_button"):  # button matrix, keyboard; a list asks for the text of a button
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
