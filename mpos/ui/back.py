"""Back: a swipe from the left edge to the right, or the key ESC, takes the user back.

Who does it is asked in turn, the latest first: an open dialogue, then the activity stack.
"""

import lvgl as lv
from micropython import const

from .callbacks import guarded

_EDGE_PERCENT = const(12)  # Of the screen's width: there a swipe has to begin.

_handlers = []

keypads = []  # The `lv.indev_t` of each that is read.


def add_handler(handler):
    """Have `handler()` be asked first from now on; it returns True when it has taken the user back."""
    _handlers.append(handler)


def remove_handler(handler):
    """Ask it no more. Does nothing when it was not added."""
    if handler in _handlers:
        _handlers.remove(handler)


def go_back():
    """Take the user back; returns whether anybody did."""
    for handler in reversed(_handlers):
        if handler():
            return True
    return False


class BackInput:
    """Looks for the swipe and the key on one input device (an `lv.indev_t`)."""

    def __init__(self, indev):
        self._indev = indev
        self._escaped = False
        self._from_edge = False
        self.is_keypad = indev.get_type() == lv.INDEV_TYPE.KEYPAD
        if self.is_keypad:
            keypads.append(indev)
        if indev.get_type() == lv.INDEV_TYPE.POINTER:
            self._point = lv.point_t()
            indev.add_event_cb(guarded(self._on_press, "press"), lv.EVENT.PRESSED, None)
            indev.add_event_cb(guarded(self._on_gesture, "gesture"), lv.EVENT.GESTURE, None)

    def close(self):
        """The device is no longer read."""
        if self._indev in keypads:
            keypads.remove(self._indev)

    def look(self):
        """After a keypad was read: a press of ESC goes back once."""
        indev = self._indev
        escaped = indev.get_state() == lv.INDEV_STATE.PRESSED and indev.get_key() == lv.KEY.ESC
        if escaped and not self._escaped:
            self._escaped = True
            go_back()
        self._escaped = escaped

    def _on_press(self, _):
        self._indev.get_point(self._point)
        width = lv.display_get_default().get_horizontal_resolution()
        self._from_edge = self._point.x * 100 < width * _EDGE_PERCENT

    def _on_gesture(self, _):
        if self._from_edge and self._indev.get_gesture_dir() == lv.DIR.RIGHT:
            self._from_edge = False
            self._indev.wait_release()  # What lies below the finger is not clicked.
            go_back()
