"""The message that tells the user that something failed, above whatever is on the screen.

There is one at most: a further failure takes its place, with the number of them. The log has them all.
"""

import lvgl as lv

from ..loop.errors import describe
from ..task_manager import TaskManager
from ..ui_bridge import UiBridge
from . import activities

_message = None  # The _Message on the screen.


def show_failure(title, error):
    """Show `title` and what `error` says until it is tapped. The screen below stays as it is.

    Where LVGL can no longer be trusted (see `mpos.ui.mender`), the tap starts the activity on the screen
    again, with a screen of its own; without one it restarts the board.
    """
    show_message(title, describe(error))


def show_message(title, words):
    """Show `title` and `words` in the same way."""
    global _message
    try:
        if _message is not None:
            try:
                return _message.show(title, words)
            except lv.LvReferenceError:
                _message = None  # Somebody has cleaned the layer.
        message = _Message()
        message.show(title, words)
        _message = message
    except Exception as in_showing:
        TaskManager.report(in_showing, "The message '%s' could not be shown" % title, "failure")


class _Message:
    def __init__(self):
        self._count = 0
        self._box = box = lv.obj(lv.layer_top())
        box.set_size(lv.pct(94), lv.SIZE_CONTENT)
        box.center()
        box.set_style_border_color(lv.palette_main(lv.PALETTE.RED), 0)
        box.set_flex_flow(lv.FLEX_FLOW.COLUMN)
        self._title = _label(box)
        self._title.set_style_text_color(lv.palette_main(lv.PALETTE.RED), 0)
        self._text = _label(box)
        self._hint = _label(box)
        UiBridge.on(box, lv.EVENT.CLICKED, lambda e: self._close())

    def show(self, title, words):
        self._count += 1
        if self._count > 1:
            title = "%s (%d failures)" % (title, self._count)
        self._title.set_text(title)
        self._text.set_text(words)
        self._hint.set_text("Tap to close" if activities.may_delete() else _restart_hint())
        self._box.remove_flag(lv.obj.FLAG.HIDDEN)

    def _close(self):
        global _message
        loop = TaskManager.lvgl_loop()
        if loop is not None:
            loop.mender.acknowledge()
        if activities.may_delete():
            _message = None
            self._box.delete_async()
            return
        self._count = 0
        self._box.add_flag(lv.obj.FLAG.HIDDEN)
        activity = activities.foreground()
        if activity is not None:
            activities.recreate(activity)
        else:
            import machine

            machine.reset()


def _label(box):
    label = lv.label(box)
    label.set_width(lv.pct(100))
    label.set_long_mode(lv.label.LONG_MODE.WRAP)
    return label


def _restart_hint():
    activity = activities.foreground()
    return "Tap to restart" + (" %s" % type(activity).__name__ if activity is not None else "")
