"""Smoke tests: a touch reaches the widget under it, through LVGL's input device and the loop."""

from time import ticks_diff, ticks_us

import lvgl as lv
from reporting import host, record_spread, skip

from mpos import TaskManager, UiBridge
from mpos.ui.callbacks import guarded

TIMEOUT = 20

_SIDE = 40


class Finger:
    """A touch panel in software: an input device of LVGL's with an interrupt line that it fires itself."""

    def __init__(self):
        self._x = self._y = 0
        self._down = False
        self._handler = None
        self.indev = lv.indev_create()
        self.indev.set_type(lv.INDEV_TYPE.POINTER)
        self.indev.set_read_cb(guarded(self._read, "finger"))

    def irq(self, handler):
        self._handler = handler

    def touch(self, x, y, down):
        self._x, self._y, self._down = x, y, down
        self._handler(self)

    def _read(self, indev, data):
        data.point.x = self._x
        data.point.y = self._y
        data.state = lv.INDEV_STATE.PRESSED if self._down else lv.INDEV_STATE.RELEASED


def _targets(screen, display):
    """A button in each corner and one in the middle, and the list of those that were clicked."""
    width, height = display.get_horizontal_resolution(), display.get_vertical_resolution()
    clicked = []
    targets = []
    places = (
        (0, 0),
        (width - _SIDE, 0),
        ((width - _SIDE) // 2, (height - _SIDE) // 2),
        (0, height - _SIDE),
        (width - _SIDE, height - _SIDE),
    )
    for number, (x, y) in enumerate(places):
        button = lv.button(screen)
        button.set_size(_SIDE, _SIDE)
        button.set_pos(x, y)
        UiBridge.on(button, lv.EVENT.CLICKED, _note(clicked, number))
        targets.append((x + _SIDE // 2, y + _SIDE // 2))
    screen.update_layout()
    return targets, clicked


def _note(clicked, number):
    return lambda event: clicked.append((number, ticks_us()))


async def _click_all(touch, targets, clicked):
    """`touch(x, y, down)` moves the finger."""
    waits = []
    for number, (x, y) in enumerate(targets):
        touch(x, y, True)
        await TaskManager.sleep_ms(50)
        assert not clicked, "clicked before the finger was lifted"
        began = ticks_us()
        touch(x, y, False)
        for _ in range(400):
            await TaskManager.sleep_ms(5)
            if clicked:
                break
        assert clicked, "a touch at %d, %d clicked nothing" % (x, y)
        assert [which for which, _ in clicked] == [number], "a touch at %d, %d clicked %r" % (x, y, clicked)
        waits.append(ticks_diff(clicked.pop()[1], began) / 1000)
    record_spread("finger lifted to CLICKED", waits, "ms")


async def test_a_touch_of_a_software_panel_clicks_what_is_under_it(lvgl_loop, screen):
    targets, clicked = _targets(screen, lvgl_loop.display)
    finger = Finger()
    reader = lvgl_loop.add_input(finger.indev, finger)
    try:
        await _click_all(finger.touch, targets, clicked)
    finally:
        reader.close()
        await TaskManager.sleep_ms(1)
        finger.indev.delete()


async def test_a_touch_of_the_boards_own_panel_clicks_what_is_under_it(
    hardware, lvgl_loop, screen, can_touch
):
    mice = [one.driver._mouse_cb for one in hardware.inputs if hasattr(one.driver, "_mouse_cb")]

    def touch(x, y, down):
        if can_touch:
            host("touch", x, y, down)
        else:
            mice[0](0, down, x, y, 0, 0)  # what lvgl_micropython's SDLPointer gets from SDL

    if not can_touch and not mice:
        skip("only a finger can touch this board's panel: --ask")
    targets, clicked = _targets(screen, lvgl_loop.display)
    await _click_all(touch, targets, clicked)
