"""The message that tells the user that something failed, above whatever is on the screen."""

import lvgl as lv

from ..loop.errors import describe
from ..task_manager import TaskManager
from ..ui_bridge import UiBridge
from . import activities


def show_failure(title, error):
    """Show `title` and what `error` says until it is tapped. The screen below stays as it is.

    Where LVGL can no longer be trusted (see `mpos.ui.mender`), the tap starts the activity on the screen
    again, with a screen of its own; without one it restarts the board.
    """
    try:
        _show(title, error)
    except Exception as in_showing:
        TaskManager.report(in_showing, "The message '%s' could not be shown" % title, "failure")


def _show(title, error):
    box = lv.obj(lv.layer_top())
    box.set_size(lv.pct(94), lv.SIZE_CONTENT)
    box.center()
    box.set_style_border_color(lv.palette_main(lv.PALETTE.RED), 0)
    box.set_flex_flow(lv.FLEX_FLOW.COLUMN)
    heading = lv.label(box)
    heading.set_style_text_color(lv.palette_main(lv.PALETTE.RED), 0)
    text = lv.label(box)
    hint = lv.label(box)
    for label, words in (
        (heading, title),
        (text, describe(error)),
        (hint, "Tap to close" if activities.may_delete() else _restart_hint()),
    ):
        label.set_width(lv.pct(100))
        label.set_long_mode(lv.label.LONG_MODE.WRAP)
        label.set_text(words)
    UiBridge.on(box, lv.EVENT.CLICKED, lambda e: _close(box))


def _restart_hint():
    activity = activities.foreground()
    return "Tap to restart" + (" %s" % type(activity).__name__ if activity is not None else "")


def _close(box):
    loop = TaskManager.lvgl_loop()
    if loop is not None:
        loop.mender.acknowledge()
    if activities.may_delete():
        box.delete_async()
        return
    box.add_flag(lv.obj.FLAG.HIDDEN)
    activity = activities.foreground()
    if activity is not None:
        activities.recreate(activity)
    else:
        import machine

        machine.reset()
