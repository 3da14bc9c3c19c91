"""mpos.hardware and mpos.hardware.calibration: what boards share, with pins that a test can move."""

import os

from pins import Pin

from mpos.hardware import Hardware, Input, PinInterrupt, driver, is_mpos_fork
from mpos.hardware.calibration import Calibration, affine, calibrate


def _write(path, text):
    folder = ""
    for part in path.split("/")[1:-1]:
        folder += "/" + part
        try:
            os.mkdir(folder)
        except OSError:
            pass
    with open(path, "w") as file:
        file.write(text)


def test_a_driver_is_found_under_the_name_of_either_firmware():
    _write("/lib/chip_one.py", "NAME = 'upstream'")
    _write("/lib/drivers/display/chip_two.py", "NAME = 'display'")
    _write("/lib/drivers/indev/chip_three.py", "NAME = 'indev'")
    found = [driver(name) for name in ("chip_one", "chip_two", "chip_three")]
    assert [module.NAME for module in found] == ["upstream", "display", "indev"]
    assert [is_mpos_fork(module) for module in found] == [False, True, True]


def test_a_driver_that_is_missing_is_named_with_what_was_looked_for():
    try:
        driver("st0000")
    except ImportError as error:
        assert "no driver st0000" in str(error) and "drivers.indev.st0000" in str(error)
    else:
        raise AssertionError("found")


def test_a_driver_that_lacks_a_module_says_which():
    _write("/lib/chip_four.py", "import its_framework")
    try:
        driver("chip_four")
    except ImportError as error:
        assert "its_framework" in str(error)
    else:
        raise AssertionError("imported")


def test_drivers_are_taken_for_what_they_drive():
    class Driver:
        _disp_drv = "display"
        _indev_drv = "indev"

    hardware = Hardware("name", Driver(), [Input(Driver())])
    assert hardware.display == "display" and hardware.inputs[0].indev == "indev"
    assert Hardware.current is hardware


def test_the_screen_is_switched_off_and_on_with_the_brightness_it_had():
    done = []
    hardware = Hardware(
        "name", object(), backlight=done.append, sleep=lambda asleep: done.append(("sleep", asleep))
    )
    hardware.set_backlight(40)
    hardware.screen_off()
    hardware.screen_on()
    assert done == [40, 0, ("sleep", True), ("sleep", False), 40]
    bare = Hardware("name", object())
    bare.screen_off()
    bare.screen_on()


def test_any_edge_of_any_pin_calls_the_handler_until_it_is_taken_off():
    first, second, fired = Pin(), Pin(), []
    line = PinInterrupt(first, second)
    line.irq(fired.append)
    first.drive(0)
    second.drive(0)
    second.drive(1)
    assert fired == [first, second, second]
    line.irq(None)
    first.drive(1)
    assert len(fired) == 3


def test_a_line_that_counts_only_when_low_ignores_what_leaves_it_high():
    pin, fired = Pin(), []
    line = PinInterrupt(pin, only_when_low=True)
    line.irq(fired.append)
    pin.drive(0)
    pin.drive(1)
    assert len(fired) == 1


def test_a_calibration_is_kept_and_forgotten():
    calibration = Calibration("panel")
    calibration.reset()
    assert calibration.alphaX is None
    values = (1.5, 0.25, -3.0, 0.0, 2.0, 7.5, 0, 1)
    fields = ("alphaX", "betaX", "deltaX", "alphaY", "betaY", "deltaY", "mirrorX", "mirrorY")
    for field, value in zip(fields, values):
        setattr(calibration, field, value)
    assert Calibration("panel").alphaX is None  # nothing is kept before save()
    calibration.save()
    assert tuple(getattr(Calibration("panel"), field) for field in fields) == values
    calibration.reset()
    assert Calibration("panel").mirrorY is None


def test_a_damaged_calibration_counts_as_none():
    default = {
        "alphaX": 2,
        "betaX": 0,
        "deltaX": 0,
        "alphaY": 2,
        "betaY": 0,
        "deltaY": 0,
        "mirrorX": 0,
        "mirrorY": 0,
    }
    for text in ("", "{", "[]", '{"alphaX": 1}'):
        _write("/calibration/panel.json", text)
        assert Calibration("panel").alphaX is None
        assert Calibration("panel", default).alphaX == 2
    Calibration("panel").reset()


def test_three_touches_give_the_map_from_the_panel_to_the_screen():
    points, targets = [(20, 10), (200, 12), (24, 300)], [(30, 40), (210, 40), (30, 280)]
    alpha_x, beta_x, delta_x, alpha_y, beta_y, delta_y = affine(points, targets)
    for (x, y), (to_x, to_y) in zip(points, targets):
        assert abs(x * alpha_x + y * beta_x + delta_x - to_x) < 0.1
        assert abs(x * alpha_y + y * beta_y + delta_y - to_y) < 0.1


async def test_a_board_without_such_a_panel_cannot_be_calibrated():
    Hardware("bare", object())
    try:
        await calibrate()
    except RuntimeError as error:
        assert "bare has no touch panel" in str(error)
        return
    raise AssertionError("calibrated")


def test_touches_on_one_line_are_refused():
    try:
        affine([(10, 10), (20, 20), (30, 30)], [(0, 0), (1, 0), (0, 1)])
    except ValueError:
        return
    raise AssertionError("accepted")
