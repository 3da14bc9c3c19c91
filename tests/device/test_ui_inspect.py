"""What the host asks about the screen, at moments that are easily missed."""

import lvgl as lv

import mpos.ui.inspect as ui_inspect
from mpos import TaskManager


async def test_a_frame_drawn_between_the_call_and_its_await_is_not_missed(lvgl_loop, screen):
    frame = lvgl_loop.next_frame()
    other = lvgl_loop.next_frame()
    lv.label(screen).set_text("drawn")
    lvgl_loop.refresh()
    later = lvgl_loop.next_frame()
    await TaskManager.wait_for(TaskManager.gather(frame, other), 5)
    lv.label(screen).set_text("drawn again")
    await TaskManager.wait_for(later, 5)


async def test_a_text_that_appears_while_it_begins_to_wait_is_seen(lvgl_loop, screen):
    label = lv.label(screen)

    async def write():
        label.set_text("here it is")
        lvgl_loop.refresh()  # Drawn, and nothing changes after it.

    waiting = TaskManager.create_task(ui_inspect.wait_for("here it is", 5000))
    TaskManager.create_task(write())  # Its first step comes right after the other's.
    assert await waiting
    assert not await ui_inspect.wait_for("something else", 1)


async def test_the_middle_of_a_widget_that_was_not_drawn_yet(lvgl_loop, screen):
    label = lv.label(screen)
    label.set_text("in the corner")
    label.align(lv.ALIGN.BOTTOM_RIGHT, 0, 0)
    x, y = ui_inspect.centre_of("in the corner")
    width, height = screen.get_width(), screen.get_height()
    assert width // 2 < x < width and height // 2 < y < height, (x, y)


async def test_the_texts_of_widgets_of_many_kinds_are_read(screen):
    def keys(widget):
        widget.set_map(["left key", "right key", ""])

    def add_to_table(widget):
        widget.set_cell_value(0, 0, "cell")

    makers = (
        (lv.list, lambda widget: widget.add_button(None, "entry"), ("entry",)),
        (lv.buttonmatrix, keys, ("left key", "right key")),
        (lv.table, add_to_table, ("cell",)),
        (lv.checkbox, lambda widget: widget.set_text("box"), ("box",)),
        (lv.dropdown, lambda widget: widget.set_options("one\ntwo"), ("one",)),
        (lv.roller, lambda widget: widget.set_options("three\nfour", lv.roller.MODE.NORMAL), ("three",)),
        (lv.textarea, lambda widget: widget.set_text("written"), ("written",)),
        (lv.msgbox, lambda widget: widget.add_title("title"), ("title",)),
        (lv.win, lambda widget: widget.add_title("window"), ("window",)),
        (lv.tabview, lambda widget: widget.add_tab("tab"), ("tab",)),
        (lv.keyboard, None, ("q",)),
        (lv.calendar, None, ("Mo",)),
    )
    for make, fill, expected in makers:
        widget = make(screen)
        if fill is not None:
            fill(widget)
        texts = ui_inspect.visible_texts()
        for text in expected:
            assert text in texts, (make, text, texts)
        widget.delete()
