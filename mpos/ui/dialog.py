"""Dialogues that a coroutine awaits: `if await dialog.ask("Delete it?"): ...`.

They lie above everything and take all touches and keys. Back, which is the swipe from the left edge and the
key ESC, closes them, and so does the end of the task that awaits them.
"""

import lvgl as lv

from ..loop.parking import Parking
from ..ui_bridge import UiBridge
from . import back


async def alert(text, title=None, button="OK"):
    """Show `text` until the user has closed it."""
    await ask(text, (button,), title)


async def ask(question, answers=None, title=None):
    """Ask the user. Without `answers` there are Yes and No, and it returns True or False; with `answers`, a
    list of texts, one button each, it returns the chosen text. Back is False, or None."""
    dialog = _Dialog(title, question)
    chosen = await dialog.choose(("Yes", "No") if answers is None else answers)
    if answers is None:
        return chosen == 0
    return None if chosen is None else answers[chosen]


async def text(question, default="", title=None, password=False):
    """Have the user type one line on the on-screen keyboard. Returns the text, or None when it was cancelled.

    `default`: what stands there at first. `password`: hide what is typed.
    """
    dialog = _Dialog(title, question, with_keyboard=True)
    return await dialog.type(default, password)


class _Dialog:
    def __init__(self, title, words, with_keyboard=False):
        self._end = Parking()
        self._result = None
        self._shade = shade = lv.obj(lv.layer_top())
        try:
            shade.remove_style_all()
            shade.set_size(lv.pct(100), lv.pct(100))
            shade.set_style_bg_color(lv.color_hex(0x000000), 0)
            shade.set_style_bg_opa(lv.OPA._50, 0)
            self._box = box = lv.obj(shade)
            box.set_width(lv.pct(90))
            box.set_height(lv.SIZE_CONTENT)
            box.set_style_max_height(lv.pct(50 if with_keyboard else 90), 0)
            box.set_flex_flow(lv.FLEX_FLOW.COLUMN)
            if with_keyboard:
                box.align(lv.ALIGN.TOP_MID, 0, 4)
                box.set_style_pad_all(8, 0)
            else:
                box.center()
            if title is not None:
                _label(box, title).set_style_text_font(lv.font_montserrat_16, 0)
            _label(box, words)
        except BaseException:
            shade.delete()
            raise

    async def choose(self, answers):
        """The index of the answer that the user chose, or None."""
        try:
            row = lv.obj(self._box)
            row.remove_style_all()
            row.set_size(lv.pct(100), lv.SIZE_CONTENT)
            row.set_flex_flow(lv.FLEX_FLOW.ROW_WRAP)
            row.set_flex_align(lv.FLEX_ALIGN.END, lv.FLEX_ALIGN.CENTER, lv.FLEX_ALIGN.CENTER)
            row.set_style_pad_column(8, 0)
            row.set_style_pad_row(8, 0)
            buttons = []
            for index in range(len(answers)):
                button = lv.button(row)
                lv.label(button).set_text(answers[index])
                UiBridge.on(button, lv.EVENT.CLICKED, self._closing(index))
                buttons.append(button)
            return await self._wait(buttons)
        finally:
            self._delete()

    async def type(self, default, password):
        """The text that the user typed, or None."""
        try:
            area = lv.textarea(self._box)
            area.set_one_line(True)
            area.set_width(lv.pct(100))
            area.set_password_mode(password)
            area.set_text(default)
            keyboard = lv.keyboard(self._shade)
            keyboard.set_textarea(area)
            UiBridge.on(keyboard, lv.EVENT.READY, lambda e: self._close(area.get_text()))
            UiBridge.on(keyboard, lv.EVENT.CANCEL, lambda e: self._close(None))
            UiBridge.on(area, lv.EVENT.READY, lambda e: self._close(area.get_text()))
            return await self._wait([keyboard])
        finally:
            self._delete()

    async def _wait(self, widgets):
        UiBridge.on(self._shade, lv.EVENT.DELETE, lambda e: self._close(None))
        back.add_handler(self._on_back)
        focus = _Focus(widgets)
        try:
            await self._end
        finally:
            focus.restore()
            back.remove_handler(self._on_back)
        return self._result

    def _closing(self, result):
        return lambda e: self._close(result)

    def _close(self, result):
        self._result = result
        self._end.wake()

    def _on_back(self):
        self._close(None)
        return True

    def _delete(self):
        try:
            self._shade.delete()
        except lv.LvReferenceError:
            pass  # Somebody has cleaned the layer.


class _Focus:
    """The keys go to `widgets` until `restore()`."""

    def __init__(self, widgets):
        self._group = None
        self._before = []
        default = lv.group_get_default()
        if default is None:
            return  # There are no keys.
        self._group = group = lv.group_create()
        for widget in widgets:
            group.add_obj(widget)
        for indev in back.keypads:
            self._before.append((indev, default))
            indev.set_group(group)

    def restore(self):
        """Give the keys back to those who had them."""
        for indev, group in self._before:
            indev.set_group(group)
        if self._group is not None:
            self._group.delete()


def _label(box, words):
    label = lv.label(box)
    label.set_width(lv.pct(100))
    label.set_long_mode(lv.label.LONG_MODE.WRAP)
    label.set_text(words)
    return label
