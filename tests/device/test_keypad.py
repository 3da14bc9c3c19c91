"""mpos.keypad: buttons, chords and a joystick reach the focused widget as keys, driven by the loop."""

import lvgl as lv
from pins import Pin

from mpos import TaskManager
from mpos.keypad import Buttons, Chords, Joystick, default_group


class Keys:
    """A focused widget that notes the keys it gets; a context manager."""

    def __init__(self, lvgl_loop, screen, device, poll_ms=33):
        self.got = []
        group = default_group()
        group.remove_all_objs()
        self._target = lv.obj(screen)
        self._target.add_event_cb(self._key, lv.EVENT.KEY, None)
        group.add_obj(self._target)
        self._device = device
        self._reader = lvgl_loop.add_input(device.indev, device.interrupt, poll_ms)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._reader.close()
        self._device.indev.delete()
        self._target.delete()

    def _key(self, event):
        self.got.append(event.get_key())

    async def after(self, *moves):
        """The keys that came by `moves`: (pin, level) or a number of ms to wait."""
        self.got.clear()
        for move in moves:
            if isinstance(move, int):
                await TaskManager.sleep_ms(move)
            else:
                move[0].drive(move[1])
        await TaskManager.sleep_ms(60)
        return list(self.got)


async def test_a_button_is_its_key(lvgl_loop, screen):
    first, second = Pin(), Pin()
    buttons = Buttons([(first, lv.KEY.ENTER), (second, lv.KEY.ESC)])
    with Keys(lvgl_loop, screen, buttons) as keys:
        assert await keys.after((first, 0), 60, (first, 1)) == [lv.KEY.ENTER]
        assert await keys.after((second, 0), 60, (second, 1)) == [lv.KEY.ESC]


async def test_contacts_that_bounce_are_one_press(lvgl_loop, screen):
    pin = Pin()
    with Keys(lvgl_loop, screen, Buttons([(pin, lv.KEY.ESC)])) as keys:
        bounce = [(pin, 0), 2, (pin, 1), 2, (pin, 0), 60, (pin, 1), 2, (pin, 0), 2, (pin, 1)]
        assert await keys.after(*bounce) == [lv.KEY.ESC]


async def test_buttons_together_are_a_chord_and_held_ones_another_key(lvgl_loop, screen):
    a, b = Pin(), Pin()
    chords = Chords([a, b], {1: lv.KEY.UP, 2: lv.KEY.DOWN, 3: lv.KEY.ENTER}, {1: lv.KEY.ESC}, long_ms=200)
    with Keys(lvgl_loop, screen, chords) as keys:
        assert await keys.after((a, 0), 60, (a, 1)) == [lv.KEY.UP]
        assert await keys.after((b, 0), 60, (b, 1)) == [lv.KEY.DOWN]
        assert await keys.after((a, 0), 30, (b, 0), 60, (a, 1), 30, (b, 1)) == [lv.KEY.ENTER]
        assert await keys.after((a, 0), 250, (a, 1)) == [lv.KEY.ESC]
        assert await keys.after((b, 0), 250, (b, 1)) == [lv.KEY.DOWN]  # it has no long key


async def test_a_chord_whose_contacts_bounce_is_one_key(lvgl_loop, screen):
    a, b = Pin(), Pin()
    chords = Chords([a, b], {1: lv.KEY.UP, 2: lv.KEY.DOWN, 3: lv.KEY.ENTER}, {})
    with Keys(lvgl_loop, screen, chords) as keys:
        bounce = [(a, 0), 2, (a, 1), 2, (a, 0), 60, (a, 1), 2, (a, 0), 2, (a, 1)]
        assert await keys.after(*bounce) == [lv.KEY.UP]


class Axis:
    """A potentiometer in the place of machine.ADC."""

    def __init__(self):
        self.position = 32768
        self.busy = False

    def read_u16(self):
        if self.busy:
            raise OSError(110)
        return self.position


async def test_a_joystick_is_the_arrow_keys(lvgl_loop, screen):
    x, y = Axis(), Axis()
    with Keys(lvgl_loop, screen, Joystick(x, y), poll_ms=20) as keys:
        for axis, position, key in (
            (x, 60000, lv.KEY.RIGHT),
            (x, 2000, lv.KEY.LEFT),
            (y, 60000, lv.KEY.UP),
            (y, 2000, lv.KEY.DOWN),
        ):
            axis.position = position
            pressed = await keys.after(150)
            axis.position = 32768
            await keys.after(150)
            assert pressed and pressed[0] == key, (pressed, key)
        x.busy = True  # no key, no error
        x.position = 60000
        assert await keys.after(150) == []
