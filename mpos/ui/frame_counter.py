"""Whether LVGL has drawn a frame, found out without a callback where LVGL can count by itself.

A Python callback costs heap each time (the binding makes an object for its event), and an animation has 30
frames a second. LVGL 9.4 can add 1 to a number of its own at an event of a widget, and the layer above all
others is part of each frame, whatever is drawn (unless an app hides `lv.layer_sys()`).
"""

import lvgl as lv


def frame_counter(display):
    """What tells of the display's frames: it has `take()` and `close()`."""
    native = hasattr(display.get_layer_sys(), "add_subject_increment_event")
    return FrameCounter(display) if native else FrameNotes(display)


class FrameCounter:
    """LVGL counts."""

    _open = []  # LVGL writes into them until they are closed: none may be collected before.

    def __init__(self, display):
        self._drawn = lv.subject_t()
        self._drawn.init_int(0)
        self._layer = layer = display.get_layer_sys()
        index = layer.get_event_count()
        layer.add_subject_increment_event(self._drawn, lv.EVENT.DRAW_MAIN_BEGIN, 1)
        self._descriptor = layer.get_event_dsc(index)
        self._open.append(self)

    def take(self):
        """Whether anything was drawn since this was last asked. Uses no heap."""
        if self._drawn.get_int() == 0:
            return False
        self._drawn.set_int(0)  # It would stop at the largest number.
        return True

    def close(self):
        """Stop counting."""
        if self in self._open:
            self._layer.remove_event_dsc(self._descriptor)
            self._open.remove(self)


class FrameNotes:
    """A callback notes it, for LVGL before 9.4."""

    def __init__(self, display):
        self._drawn = False
        self._display = display
        display.add_event_cb(self._note, lv.EVENT.RENDER_START, None)
        self._descriptor = display.get_event_dsc(display.get_event_count() - 1)

    def _note(self, event):
        self._drawn = True

    def take(self):
        drawn, self._drawn = self._drawn, False
        return drawn

    def close(self):
        # A display has no way to remove a callback but by its index: the binding has LVGL call one function
        # of its own for all of them.
        display = self._display
        for index in range(display.get_event_count()):
            if display.get_event_dsc(index) == self._descriptor:
                display.delete_event(index)
                return
