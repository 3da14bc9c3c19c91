"""mpos.hardware.keypad: buttons, chords and a joystick reach the focused widget as keys, on the loop."""

import lvgl as lv
from conditions import until
from pins import Pin

from mpos import TaskManager
from mpos.hardware.keypad import Buttons, Chords, Joystick, default_group


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


async def test_a_screen_that_is_off_is_woken_by_a_press_which_is_no_key_yet(lvgl_loop, screen):
    pin, x = Pin(), Axis()

    def press_button(pressed):
        pin.drive(not pressed)

    def move_joystick(moved):
        x.position = 60000 if moved else 32768

    for kind, arguments, press, key in (
        (Buttons, ([(pin, lv.KEY.ENTER)],), press_button, lv.KEY.ENTER),
        (Joystick, (x, Axis()), move_joystick, lv.KEY.RIGHT),
        (Chords, ([pin], {1: lv.KEY.ENTER}, {}), press_button, lv.KEY.ENTER),
    ):
        device = kind(*arguments)  # Not before: until it has a reader, LVGL reads it by itself.
        by_release = kind is Chords
        woken = []

        def wake():
            woken.append(True)
            lvgl_loop.resume()

        with Keys(lvgl_loop, screen, device, poll_ms=10) as keys:
            press(True)
            await TaskManager.sleep_ms(50)
            if by_release:
                press(False)
            await until(lambda: keys.got)
            lvgl_loop.pause(wake)
            await TaskManager.sleep_ms(300)
            press(False)
            await TaskManager.sleep_ms(300)
            assert not woken and lvgl_loop.is_paused()  # It was the press that switched it off.
            keys.got.clear()
            press(True)
            await until(lambda: woken)
            await TaskManager.sleep_ms(50)
            press(False)
            await TaskManager.sleep_ms(150)
            assert len(woken) == 1 and not keys.got, (kind, woken, keys.got)
            press(True)
            await TaskManager.sleep_ms(50)
            if by_release:
                press(False)
            await until(lambda: keys.got)
            assert keys.got[0] == key
            press(False)
            await TaskManager.sleep_ms(150)


async def test_a_screen_that_is_off_for_good_takes_no_keys(lvgl_loop, screen):
    x = Axis()
    with Keys(lvgl_loop, screen, Joystick(x, Axis()), poll_ms=5) as keys:
        await TaskManager.sleep_ms(20)
        lvgl_loop.pause()
        try:
            x.position = 60000
            await TaskManager.sleep_ms(150)
            x.position = 32768
            await TaskManager.sleep_ms(150)
        finally:
            lvgl_loop.resume()
        await TaskManager.sleep_ms(20)
        assert not keys.got


async def test_a_reader_can_be_closed_by_what_it_reads(lvgl_loop, screen):
    pin = Pin()
    buttons = Buttons([(pin, lv.KEY.ENTER)])
    reader = lvgl_loop.add_input(buttons.indev, buttons.interrupt)
    errors = []

    def close(event):
        try:
            reader.close()
            errors.append(None)
        except Exception as error:
            errors.append(error)

    target = lv.obj(screen)
    target.add_event_cb(close, lv.EVENT.KEY, None)
    default_group().remove_all_objs()
    default_group().add_obj(target)
    before = len([task for task in TaskManager.list_tasks() if task.name == "input"])
    pin.drive(0)
    await until(lambda: errors)
    assert errors == [None]
    await until(
        lambda: len([task for task in TaskManager.list_tasks() if task.name == "input"]) == before - 1
    )
    buttons.indev.delete()


async def test_a_touch_that_wakes_the_screen_clicks_nothing(lvgl_loop, screen):
    touch, woken, clicks = Pin(), [], []

    def read(indev, data):
        data.point.x = data.point.y = 20
        data.state = lv.INDEV_STATE.RELEASED if touch.value() else lv.INDEV_STATE.PRESSED

    def wake():
        woken.append(True)
        lvgl_loop.resume()

    button = lv.button(screen)
    button.set_size(100, 100)
    button.add_event_cb(lambda e: clicks.append(True), lv.EVENT.CLICKED, None)
    indev = lv.indev_create()
    indev.set_type(lv.INDEV_TYPE.POINTER)
    indev.set_read_cb(read)
    reader = lvgl_loop.add_input(indev, touch)

    async def tap():
        touch.drive(0)
        await TaskManager.sleep_ms(80)
        touch.drive(1)
        await TaskManager.sleep_ms(80)

    try:
        await TaskManager.sleep_ms(50)
        await tap()
        assert len(clicks) == 1
        lvgl_loop.pause(wake)
        await TaskManager.sleep_ms(250)
        await tap()
        assert len(woken) == 1 and len(clicks) == 1
        await tap()
        assert len(woken) == 1 and len(clicks) == 2
    finally:
        lvgl_loop.resume()
        reader.close()
        indev.delete()
