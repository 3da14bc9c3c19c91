"""The message that tells the user that something failed, above whatever is on the screen."""

import lvgl as lv

from ..callbacks import guarded


def show_failure(title, error):
    """Show `title` and what `error` says until it is tapped. The screen below stays as it is."""
    box = lv.obj(lv.layer_top())
    box.set_size(lv.pct(94), lv.SIZE_CONTENT)
    box.center()
    box.set_style_border_color(lv.palette_main(lv.PALETTE.RED), 0)
    box.set_flex_flow(lv.FLEX_FLOW.COLUMN)
    heading = lv.label(box)
    heading.set_style_text_color(lv.palette_main(lv.PALETTE.RED), 0)
    text = lv.label(box)
    hint = lv.label(box)
    for label, words in ((heading, title), (text, describe(error)), (hint, "Tap to close")):
        label.set_width(lv.pct(100))
        label.set_long_mode(lv.label.LONG_MODE.WRAP)
        label.set_text(words)
    box.add_event_cb(guarded(lambda e: box.delete_async(), "close message"), lv.EVENT.CLICKED, None)


def describe(error):
    """`error` in one line: its type, unless that says nothing, and its message."""
    text = str(error)
    name = type(error).__name__
    return "%s: %s" % (name, text) if text else name
