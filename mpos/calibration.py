"""Touch calibration that is done once and kept in a file.

A stand-in for lvgl_micropython's `TouchCalData`: pointer drivers take it as `touch_cal`, read the eight
attributes, and `touch_calibrate` sets them and calls `save()`. Nothing is written before that.
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

    def __init__(self, name, default=None, folder="/calibration"):
        self._folder = folder
        self._path = "%s/%s.json" % (folder, name)
        values = self._load() or default or {}
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

    def save(self):
        """Keep the present values. The old file stays whole until the new one is complete."""
        try:
            os.mkdir(self._folder)
        except OSError:
            pass  # it is there already; if not, open() below says why
        with open(self._path + ".new", "w") as file:
            json.dump({field: getattr(self, field) for field in _FIELDS}, file)
        os.rename(self._path + ".new", self._path)

    def reset(self):
        """Forget the calibration, now and for the next boot."""
        for field in _FIELDS:
            setattr(self, field, None)
        try:
            os.remove(self._path)
        except OSError:
            pass  # there was none
