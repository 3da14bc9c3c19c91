"""Touch calibration that is done once and kept in a file.

A `Calibration` stands in for lvgl_micropython's `TouchCalData`: pointer drivers take it as `touch_cal`. An
app has the user calibrate with `await calibrate()`; the driver uses the result at once, and after a boot.
"""

import json
import os

# The attributes lvgl_micropython's pointer_framework.PointerDriver reads: x' = alphaX x + betaX y + deltaX,
# y' = alphaY x + betaY y + deltaY, then mirrored. All None: not calibrated.
_FIELDS = ("alphaX", "betaX", "deltaX", "alphaY", "betaY", "deltaY", "mirrorX", "mirrorY")


class Calibration:
    """The calibration of the touch panel `name`, kept in `/calibration/NAME.json`.

    `default` is used until somebody calibrates: a dict with all eight fields, for a resistive panel that is
    of no use without. A damaged file counts as none.
    """

    folder = "/calibration"
    alphaX = betaX = deltaX = alphaY = betaY = deltaY = mirrorX = mirrorY = None

    def __init__(self, name, default=None):
        self._path = "%s/%s.json" % (self.folder, name)
        self._set(self._load() or default or {})

    def save(self):
        """Keep the present values. The old file stays whole until the new one is complete."""
        try:
            os.mkdir(self.folder)
        except OSError:
            pass  # it is there already; if not, open() below says why
        with open(self._path + ".new", "w") as file:
            json.dump({field: getattr(self, field) for field in _FIELDS}, file)
        os.rename(self._path + ".new", self._path)

    def reset(self):
        """Forget the calibration, now and for the next boot."""
        self._set({})
        try:
            os.remove(self._path)
        except OSError:
            pass  # there was none

    def _set(self, values):
        for field in _FIELDS:
            setattr(self, field, values.get(field))

    def _load(self):
        try:
            with open(self._path) as file:
                values = json.load(file)
        except (OSError, ValueError):
            return None
        if isinstance(values, dict) and all(values.get(field) is not None for field in _FIELDS):
            return values
        return None


async def calibrate(text="Touch the cross", seconds=30):
    """Have the user touch three crosses on the board's touch panel, and keep the result.

    Raises RuntimeError if no panel of the board can be calibrated, `TaskManager.TimeoutError` if a cross is
    not touched within `seconds`, ValueError if the touches cannot be told apart. The earlier calibration then
    stays, and in any case the screen of before is back.
    """
    import lvgl as lv

    from ..task_manager import TaskManager
    from . import Hardware

    hardware = Hardware.current
    drivers = [
        one.driver for one in hardware.inputs if isinstance(getattr(one.driver, "_cal", None), Calibration)
    ]
    if not drivers:
        raise RuntimeError("%s has no touch panel that can be calibrated" % hardware.name)
    driver, display = drivers[0], hardware.display
    before, rotation = lv.screen_active(), display.get_rotation()
    screen = lv.obj(None)
    try:
        # Drivers calibrate in the panel's own orientation; LVGL turns the result.
        display.set_rotation(lv.DISPLAY_ROTATION._0)
        lv.screen_load(screen)
        label = lv.label(screen)
        label.set_text(text)
        label.center()
        cross = lv.label(screen)
        cross.set_text("+")
        cross.set_style_text_color(lv.color_hex(0xFF0000), 0)
        width, height = display.get_horizontal_resolution(), display.get_vertical_resolution()
        targets = [(width // 8, height // 8), (width * 7 // 8, height // 8), (width // 8, height * 7 // 8)]
        touches = []
        for x, y in targets:
            cross.align(lv.ALIGN.CENTER, x - width // 2, y - height // 2)
            touches.append(await TaskManager.wait_for(_touch(driver), seconds))
        values = affine(touches, targets)
    finally:
        display.set_rotation(rotation)
        lv.screen_load(before)
        screen.delete()
    calibration = driver._cal
    for field, value in zip(_FIELDS, values + [0, 0]):
        setattr(calibration, field, value)
    calibration.save()


async def _touch(driver):
    """The middle of one touch, in the driver's uncalibrated coordinates, once the finger is lifted."""
    from ..task_manager import TaskManager

    count = sum_x = sum_y = 0
    while True:
        found = driver._get_coords()
        if found is not None and found[0]:
            count, sum_x, sum_y = count + 1, sum_x + found[1], sum_y + found[2]
        elif count:
            return sum_x / count, sum_y / count
        await TaskManager.sleep_ms(20)


def affine(points, targets):
    """A list of the six numbers that map three `points` onto three `targets`, in the order of `_FIELDS`.

    Raises ValueError if the points are on one line, or nearly so.
    """
    (x1, y1), (x2, y2), (x3, y3) = points
    area = (x2 - x1) * (y3 - y1) - (x3 - x1) * (y2 - y1)
    if abs(area) < 100:  # square pixels: the triangle of the crosses has tens of thousands
        raise ValueError("the touches are on one line")
    values = []
    for axis in (0, 1):
        u1, u2, u3 = [target[axis] for target in targets]
        alpha = ((u2 - u1) * (y3 - y1) - (u3 - u1) * (y2 - y1)) / area
        beta = ((x2 - x1) * (u3 - u1) - (x3 - x1) * (u2 - u1)) / area
        values += [alpha, beta, u1 - alpha * x1 - beta * y1]
    return values
