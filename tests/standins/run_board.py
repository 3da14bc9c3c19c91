"""Run a board's board.py on the real drivers of a checkout, with the real loop, and use its screen.

    lvgl_micropy_unix run_board.py REPOSITORY BOARD FOLDER...

FOLDERs are those of the drivers. Prints one JSON object of what happened, or a traceback.
"""

import json
import os
import sys

repository, board_name = sys.argv[1:3]
here = sys.argv[0].rsplit("/", 1)[0]
sys.path[:0] = [repository, repository + "/boards/" + board_name, here] + sys.argv[3:]

import standin_lcd_bus  # noqa: E402
import standin_machine  # noqa: E402

sys.modules["lcd_bus"] = standin_lcd_bus
sys.modules["machine"] = standin_machine

import board  # noqa: E402
import lvgl as lv  # noqa: E402

from mpos import LvglLoop, TaskManager  # noqa: E402
from mpos.hardware.calibration import Calibration, calibrate  # noqa: E402

Calibration.folder = "calibration"  # in the current directory, not at the root of this computer

files_before = os.listdir(".")
hardware = board.init()
bus = standin_lcd_bus.BUSES[0]
report = dict(
    name=hardware.name,
    size=[hardware.display.get_horizontal_resolution(), hardware.display.get_vertical_resolution()],
    init_commands=len(bus.commands),
    ramctrl=[list(params) for cmd, params in bus.commands if cmd == 0xB0],
    madctl=[list(params) for cmd, params in bus.commands if cmd == 0x36][-1],
    task_handler="task_handler" in sys.modules,
)


def indev_timers():
    """The input devices that LVGL still polls by a timer of its own."""
    return sum(1 for reader in hardware.inputs if reader.indev.get_mode() == lv.INDEV_MODE.TIMER)


async def until(condition, what):
    for _ in range(200):
        if condition():
            return
        await TaskManager.sleep_ms(10)
    raise RuntimeError("waited 2 s for " + what)


def centre_on_panel():
    """Where the middle of the screen is, in the coordinates of a touch panel mounted upright."""
    return (hardware.display_driver.display_width // 2, hardware.display_driver.display_height // 2)


async def check():
    screen = lv.screen_active()
    button = lv.button(screen)
    button.set_size(120, 90)
    button.center()
    clicks = []
    button.add_event_cb(lambda event: clicks.append(1), lv.EVENT.CLICKED, None)
    before = bus.pixels
    screen.invalidate()
    await until(lambda: bus.pixels > before, "the first frame")
    report["frame_bytes"] = bus.pixels - before
    report["distinct"] = len(bus.distinct)
    report["extent"] = [max(area[2] for area in bus.areas), max(area[3] for area in bus.areas)]
    report["polled_by_lvgl"] = indev_timers()

    before = bus.pixels
    button.set_style_bg_color(lv.color_hex(0xFF0000), 0)
    await until(lambda: bus.pixels > before, "the change to be drawn")
    report["change_bytes"] = bus.pixels - before

    for source in hardware.inputs:
        if source.indev.get_type() == lv.INDEV_TYPE.POINTER:
            await touch(source, clicks)
            report["touch_clicks"] = len(clicks)
    await press_buttons()
    for source in hardware.inputs:
        if isinstance(getattr(source.driver, "_cal", None), Calibration):
            report["calibrated"] = await calibrated(source)

    hardware.screen_off()
    sent = [cmd for cmd, _ in bus.commands[-2:]]
    hardware.screen_on()
    report["sleep"] = sent + [cmd for cmd, _ in bus.commands[-2:]]
    report["files_left"] = sorted(set(os.listdir(".")) - set(files_before))


async def touch(source, clicks):
    """Touch the middle as a finger would: the chip answers, the line goes low; then it is lifted."""
    line = source.interrupt._pins[0]
    line.level = 1
    standin_machine.TOUCH[0] = centre_on_panel()
    line.drive(0)
    await until(lambda: source.indev.get_state() == lv.INDEV_STATE.PRESSED, "the touch to arrive")
    await TaskManager.sleep_ms(50)
    standin_machine.TOUCH[0] = None
    line.drive(1)
    await until(lambda: clicks, "the click")


async def press_buttons():
    """Use all buttons and the joystick; notes the keys that LVGL got from each use."""
    keys = []
    target = lv.obj(lv.screen_active())
    target.add_event_cb(lambda event: keys.append(event.get_key()), lv.EVENT.KEY, None)
    group = lv.group_get_default()
    if group is None:
        return

    async def use(pins, held_ms=60):
        keys.clear()
        group.remove_all_objs()
        group.add_obj(target)
        for pin in pins:
            pin.drive(0)
            await TaskManager.sleep_ms(10)
        await TaskManager.sleep_ms(held_ms)
        for pin in pins:
            pin.drive(1)
        await TaskManager.sleep_ms(60)
        return list(keys)

    for source in hardware.inputs:
        if source.indev.get_type() != lv.INDEV_TYPE.KEYPAD:
            continue
        if source.interrupt is not None:
            pins = source.interrupt._pins
            report["keys"] = []
            for pin in pins:
                report["keys"].append(await use([pin]))
            report["keys_together"] = await use(pins)
            report["keys_held"] = (await use(pins[:1], 800))[:1]
        else:
            report["joystick"] = []
            for axis in (0, 1):
                for value in (65535, 0):
                    report["joystick"].append(await tilt(keys, axis, value))


async def tilt(keys, axis, value):
    keys.clear()
    standin_machine.ADCS[axis].reading = value
    await until(lambda: keys, "a key of the joystick")
    standin_machine.ADCS[axis].reading = 32768
    key = keys[0]
    await TaskManager.sleep_ms(250)  # twice the slow poll: the release has been read
    return key


async def calibrated(source):
    """Calibrate a panel that is off by an offset and a scale; returns where the middle is touched before,
    after, and by a driver that has just booted."""
    driver = source.driver
    width, height = hardware.display_driver.display_width, hardware.display_driver.display_height

    def off(x, y):
        return (40 + x * 8 // 10, 10 + y * 9 // 10)

    def seen():
        standin_machine.TOUCH[0] = off(width // 2, height // 2)
        _, x, y = driver._get_coords()
        standin_machine.TOUCH[0] = None
        return list(driver._calc_coords(x, y))

    async def finger():
        for x, y in ((1, 1), (7, 1), (1, 7)):
            await TaskManager.sleep_ms(60)
            standin_machine.TOUCH[0] = off(width * x // 8, height * y // 8)
            await TaskManager.sleep_ms(60)
            standin_machine.TOUCH[0] = None

    rotation, screen, found = hardware.display.get_rotation(), lv.screen_active(), [seen()]
    user = TaskManager.create_task(finger())
    await calibrate()
    await user
    found.append(seen())
    driver._cal = Calibration("touch")
    found.append(seen())
    driver._cal.reset()
    if hardware.display.get_rotation() != rotation or lv.screen_active() is not screen:
        raise RuntimeError("the screen of before is not back")
    return found


def main():
    loop = LvglLoop(hardware.display)
    for source in hardware.inputs:
        loop.add_input(source.driver, source.interrupt, source.poll_ms)
    TaskManager.attach(loop)
    TaskManager.run_until_complete(check(), timeout_ms=20000)
    print(json.dumps(report))


main()
