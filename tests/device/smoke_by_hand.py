"""Smoke tests for a person at the board: `mpos test --ask`. Nobody else can see colors, or touch glass."""

import lvgl as lv
from reporting import host, record, skip

from mpos import TaskManager, UiBridge
from mpos.hardware.keypad import default_group

TIMEOUT = 110

_SECONDS = 20  # for each thing that is asked
_MISSED_BY = 20  # pixels: half of what LVGL's own widgets are high


async def test_a_finger_finds_the_targets(hardware, lvgl_loop, screen, ask):
    if not ask:
        skip("by hand: --ask")
    if not [one for one in hardware.inputs if one.indev.get_type() == lv.INDEV_TYPE.POINTER]:
        skip("this board has no touch panel")
    width = lvgl_loop.display.get_horizontal_resolution()
    height = lvgl_loop.display.get_vertical_resolution()
    label = lv.label(screen)
    label.center()
    mark = lv.obj(screen)
    mark.set_size(21, 21)
    mark.set_style_radius(10, 0)
    mark.set_style_bg_color(lv.color_hex(0xD00000), 0)
    mark.remove_flag(lv.obj.FLAG.CLICKABLE)
    touches = []
    point = lv.point_t()

    def touched(event):
        lv.indev_active().get_point(point)
        touches.append((point.x, point.y))

    subscription = UiBridge.on(screen, lv.EVENT.PRESSED, touched)
    worst = 0
    try:
        for number, (x, y) in enumerate(
            (
                (25, 25),
                (width - 25, 25),
                (width // 2, height // 2),
                (25, height - 25),
                (width - 25, height - 25),
            )
        ):
            label.set_text("touch the red dot (%d of 5)" % (number + 1))
            mark.set_pos(x - 10, y - 10)
            lvgl_loop.refresh()
            host("say", "The board waits %d s for a touch of its red dot (%d of 5)." % (_SECONDS, number + 1))
            del touches[:]
            await _until(lambda: touches, "nobody touched the dot at %d, %d" % (x, y))
            off = max(abs(touches[0][0] - x), abs(touches[0][1] - y))
            worst = max(worst, off)
            assert off <= _MISSED_BY, "the dot is at %d, %d, the touch was at %r" % (x, y, touches[0])
    finally:
        subscription.remove()
    record("finger and target apart, at most", worst, "px")


async def test_a_person_sees_the_colors(hardware, lvgl_loop, screen, ask):
    if not ask:
        skip("by hand: --ask")
    if not hardware.inputs:
        skip("this board has nothing to answer with")
    width = lvgl_loop.display.get_horizontal_resolution()
    for number, (name, color) in enumerate((("red", 0xFF0000), ("green", 0x00FF00), ("blue", 0x0000FF))):
        box = lv.obj(screen)
        box.set_size(width // 3, 60)
        box.set_x(number * width // 3)
        box.set_style_bg_color(lv.color_hex(color), 0)
        label = lv.label(box)
        label.set_text(name)
        label.center()
    answers = []
    for text, right, x in (("right", True, -60), ("wrong", False, 60)):
        button = lv.button(screen)
        default_group().add_obj(button)  # for boards with keys instead of a touch panel
        button.align(lv.ALIGN.BOTTOM_MID, x, -10)
        lv.label(button).set_text(text)
        UiBridge.on(button, lv.EVENT.CLICKED, _answer(answers, right))
    lvgl_loop.refresh()
    host(
        "say", "Are the colors on the board as they are named? Choose right or wrong there (%d s)." % _SECONDS
    )
    await _until(lambda: answers, "nobody chose")
    assert answers[0], "a person says that the colors are wrong"


def _answer(answers, right):
    return lambda event: answers.append(right)


async def _until(condition, otherwise):
    for _ in range(_SECONDS * 50):
        if condition():
            return
        await TaskManager.sleep_ms(20)
    raise AssertionError("%s within %d s" % (otherwise, _SECONDS))
