"""Smoke test: many screens on top of each other, with widgets inside of widgets, and all the way back."""

import gc
from time import ticks_diff, ticks_us

import lvgl as lv
from reporting import record, record_spread, screenshot

from mpos import Activity, TaskManager
from mpos.app import activities

TIMEOUT = 60  # a picture takes 18 s of a serial line with 115200 baud

_SCREENS = 10
_DEPTH = 8


class Nested(Activity):
    """A screen with `_DEPTH` frames inside of each other, each with a label."""

    def __init__(self, number):
        self.number = number

    def onCreate(self):
        screen = lv.obj()
        _plain(screen)
        inner = screen
        for depth in range(_DEPTH):
            inner = _frame(inner)
            label = lv.label(inner)
            label.set_text("%d" % depth)
        title = self.title = lv.label(screen)
        title.set_text("screen %d" % self.number)
        title.align(lv.ALIGN.BOTTOM_MID, 0, -4)
        self.setContentView(screen)


def _plain(obj):
    obj.remove_style_all()
    obj.set_style_bg_color(lv.color_hex(0xFFFFFF), 0)
    obj.set_style_bg_opa(lv.OPA.COVER, 0)
    obj.set_style_text_color(lv.color_hex(0x000000), 0)
    obj.set_style_text_font(lv.font_montserrat_14, 0)
    obj.remove_flag(lv.obj.FLAG.SCROLLABLE)


def _frame(parent):
    frame = lv.obj(parent)
    _plain(frame)
    frame.set_style_border_width(1, 0)
    frame.set_style_border_color(lv.color_hex(0x404040), 0)
    frame.set_size(lv.pct(90), lv.pct(88))
    frame.align(lv.ALIGN.TOP_RIGHT, 0, 0)
    return frame


def _is_gone(widget):
    try:
        widget.get_parent()
    except lv.LvReferenceError:
        return True
    return False


async def _settled():
    await TaskManager.sleep_ms(80)
    gc.collect()
    return gc.mem_alloc()


async def _up_and_down(opened):
    """All screens up and down again; returns their titles. `opened` gets the ms for each to be drawn."""
    stack = []
    for number in range(_SCREENS):
        activity = Nested(number)
        began = ticks_us()
        assert activities.start(activity)
        TaskManager.lvgl_loop().refresh()
        opened.append(ticks_diff(ticks_us(), began) / 1000)
        stack.append(activity)
        await TaskManager.sleep_ms(20)
    titles = [activity.title for activity in stack]
    assert activities.foreground() is stack[-1]
    while stack:
        assert activities.foreground().title.get_text() == "screen %d" % (len(stack) - 1)
        stack.pop().finish()
        await TaskManager.sleep_ms(20)
    assert activities.foreground() is None
    return titles


async def test_a_stack_of_screens_gives_everything_back(lvgl_loop):
    opened = []
    await _up_and_down(opened)
    record_spread("opening a screen", opened, "ms")
    before = await _settled()
    one = Nested(7)
    activities.start(one)
    record("a screen of %d nested frames" % _DEPTH, await _settled() - before, "bytes")
    screenshot("nested")
    one.finish()
    one = None
    after = []
    for _ in range(4):
        titles = await _up_and_down([])
        await _settled()
        alive = [number for number, title in enumerate(titles) if not _is_gone(title)]
        assert not alive, "screens %r were finished and are still there" % (alive,)
        titles = None
        after.append(await _settled())
    # What is made once stays: caches, the lists' room. What is lost is lost each time.
    left = min([after[n + 1] - after[n] for n in range(3)])
    record("left of each %d screens" % _SCREENS, left, "bytes")
    assert left < 100, "%d bytes are left of %d screens" % (left, _SCREENS)
