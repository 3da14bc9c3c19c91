"""Smoke tests: what is drawn is what was asked for, in time."""

from time import ticks_diff, ticks_us

import lvgl as lv
from reporting import record, record_spread, screenshot

from mpos import TaskManager, UiBridge
from mpos.ui.callbacks import guarded

TIMEOUT = 60  # a picture takes 18 s of a serial line with 115200 baud

_COLORS = (0xFF0000, 0x00FF00, 0x0000FF, 0xFFFFFF, 0x000000, 0xFFFF00, 0x00FFFF, 0xFF00FF)


def _plain(obj, color):
    """Only this color: no border, no rounding, no shadow of a theme."""
    obj.remove_style_all()
    obj.set_style_bg_color(lv.color_hex(color), 0)
    obj.set_style_bg_opa(lv.OPA.COVER, 0)
    obj.remove_flag(lv.obj.FLAG.SCROLLABLE)


def _pixel(picture, x, y):
    """The RGB565 value at (x, y) of a draw buffer."""
    header = picture.header
    data = picture.data.__dereference__(picture.data_size)
    at = y * header.stride + x * 2
    return data[at] | data[at + 1] << 8


def _rgb565(color):
    return (color >> 8 & 0xF800) | (color >> 5 & 0x07E0) | (color >> 3 & 0x001F)


async def test_a_known_pattern_is_drawn_and_read_back(lvgl_loop, screen):
    display = lvgl_loop.display
    width, height = display.get_horizontal_resolution(), display.get_vertical_resolution()
    _plain(screen, 0x000000)
    bar = width // len(_COLORS)
    for number, color in enumerate(_COLORS):
        column = lv.obj(screen)
        _plain(column, color)
        column.set_size(bar, height // 2)
        column.set_pos(number * bar, 0)
    # One pixel wide, so that a swap of bytes, rows or columns shows.
    for number in range(16):
        line = lv.obj(screen)
        _plain(line, 0xFFFFFF)
        line.set_size(1, height // 2)
        line.set_pos(number * number, height // 2)
    lvgl_loop.refresh()
    screenshot("pattern")
    picture = lv.snapshot_take(screen, lv.COLOR_FORMAT.RGB565)
    assert picture is not None, "no memory to read the screen back"
    try:
        assert (picture.header.w, picture.header.h) == (width, height)
        for number, color in enumerate(_COLORS):
            read = _pixel(picture, number * bar + bar // 2, height // 4)
            assert read == _rgb565(color), "column %d: %04x for %06x" % (number, read, color)
        assert _pixel(picture, 225, height - 1) == 0xFFFF
        assert _pixel(picture, 226, height - 1) == 0
    finally:
        picture.destroy()


async def test_a_label_is_updated_by_a_coroutine(lvgl_loop, screen):
    _plain(screen, 0xFFFFFF)
    label = lv.label(screen)
    label.set_style_text_color(lv.color_hex(0x000000), 0)
    label.set_style_text_font(lv.font_montserrat_14, 0)
    label.set_pos(10, 10)
    label.set_text("0")
    await TaskManager.sleep_ms(100)
    display = lvgl_loop.display
    drawn = TaskManager.notify_event()
    drawn_at = [0]

    def note(event):
        drawn_at[0] = ticks_us()
        drawn.set()

    on_drawn = guarded(note, "drawn")
    display.add_event_cb(on_drawn, lv.EVENT.RENDER_READY, None)
    waits = []
    try:
        for number in range(1, 11):
            drawn.clear()
            frames = lvgl_loop.stats()["frames"]
            began = ticks_us()
            label.set_text("%d" % number)
            await TaskManager.wait_for(drawn.wait(), 5)
            assert lvgl_loop.stats()["frames"] == frames + 1
            waits.append(ticks_diff(drawn_at[0], began) / 1000)
            await TaskManager.sleep_ms(70)  # Else the next one waits for LVGL's frame rate, 33 ms.
    finally:
        display.remove_event_cb_with_user_data(on_drawn, None)
    assert label.get_text() == "10"
    record_spread("set_text to drawn", waits, "ms")
    screenshot("label")


class _Frames:
    """When the frames of a display began and were drawn, in us. Its lists do not grow while it counts."""

    def __init__(self, display, most):
        self._display = display
        self._begun = [0] * most
        self._done = [0] * most
        self._count = 0
        self._on_begin = guarded(self._begin, "frame begun")
        self._on_done = guarded(self._end, "frame drawn")

    def __enter__(self):
        self._display.add_event_cb(self._on_begin, lv.EVENT.RENDER_START, None)
        self._display.add_event_cb(self._on_done, lv.EVENT.RENDER_READY, None)
        return self

    def __exit__(self, *exc):
        self._display.remove_event_cb_with_user_data(self._on_begin, None)
        self._display.remove_event_cb_with_user_data(self._on_done, None)

    def _begin(self, event):
        if self._count < len(self._begun):
            self._begun[self._count] = ticks_us()

    def _end(self, event):
        if self._count < len(self._done):
            self._done[self._count] = ticks_us()
            self._count += 1

    def intervals_ms(self):
        return [ticks_diff(self._begun[n + 1], self._begun[n]) / 1000 for n in range(self._count - 1)]

    def drawing_ms(self):
        return [ticks_diff(self._done[n], self._begun[n]) / 1000 for n in range(self._count)]


async def test_an_animation_runs_smoothly(lvgl_loop, screen):
    _plain(screen, 0x202020)
    width = lvgl_loop.display.get_horizontal_resolution()
    box = lv.obj(screen)
    _plain(box, 0x00A0FF)
    box.set_size(60, 60)
    box.set_y(40)
    ended = TaskManager.notify_event()
    await TaskManager.sleep_ms(100)
    with _Frames(lvgl_loop.display, 200) as frames:
        UiBridge.animate(box, lambda box, x: box.set_x(x), 0, width - 60, 2000, on_end=ended.set)
        await TaskManager.wait_for(ended.wait(), 10)
    intervals = frames.intervals_ms()
    per_second = len(intervals) * 1000 / sum(intervals)
    record("frames per second", "%.1f" % per_second)
    record_spread("between frames", intervals, "ms")
    record_spread("drawing a frame", frames.drawing_ms(), "ms")
    # LVGL draws every 33 ms. Less than a third of that is no animation any more.
    assert per_second > 10, "%.1f frames a second" % per_second
    await TaskManager.sleep_ms(100)
    assert box.get_x() == width - 60
    screenshot("animation-end")


async def test_widgets_look_as_they_did(lvgl_loop, screen):
    display = lvgl_loop.display
    # Whether the default theme is a dark one is an option of the firmware's build.
    blue, red = lv.palette_main(lv.PALETTE.BLUE), lv.palette_main(lv.PALETTE.RED)
    display.set_theme(lv.theme_default_init(display, blue, red, False, lv.font_montserrat_14))
    screen.set_flex_flow(lv.FLEX_FLOW.ROW_WRAP)
    screen.set_style_pad_all(8, 0)
    screen.remove_flag(lv.obj.FLAG.SCROLLABLE)
    lv.label(lv.button(screen)).set_text("Button")
    checkbox = lv.checkbox(screen)
    checkbox.set_text("Checkbox")
    checkbox.add_state(lv.STATE.CHECKED)
    lv.switch(screen).add_state(lv.STATE.CHECKED)
    arc = lv.arc(screen)
    arc.set_size(60, 60)
    arc.set_value(40)
    slider = lv.slider(screen)
    slider.set_width(80)
    slider.set_value(70, False)
    bar = lv.bar(screen)
    bar.set_size(80, 12)
    bar.set_value(30, False)
    dropdown = lv.dropdown(screen)
    dropdown.set_options("first\nsecond")
    dropdown.set_width(100)
    await TaskManager.sleep_ms(500)  # the theme's transitions take some of it
    screenshot("widgets")
