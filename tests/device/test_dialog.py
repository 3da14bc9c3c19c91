"""Dialogues: awaited answers, back, the end of the task that asks."""

import lvgl as lv
from conditions import until

from mpos import ActivityNavigator, TaskManager, dialog
from mpos.ui.inspect import visible_texts


def find(text, root=None):
    """The widget that is a parent of the label with `text`, or has it as a button of its own."""
    root = root or lv.layer_top()
    for index in range(root.get_child_count()):
        child = root.get_child(index)
        if hasattr(child, "get_text") and child.get_text() == text:
            return root
        found = find(text, child)
        if found is not None:
            return found
    return None


async def shown(text):
    await until(lambda: text in visible_texts())


def is_closed():
    return lv.layer_top().get_child_count() == 0


async def test_a_question_is_answered_by_its_buttons_and_by_back(lvgl_loop, screen):
    for answer, expected in (("Yes", True), ("No", False), (None, False)):
        task = TaskManager.create_task(dialog.ask("Delete it?", title="Files"))
        await shown("Delete it?")
        assert "Files" in visible_texts()
        if answer is None:
            assert ActivityNavigator.back()
        else:
            find(answer).send_event(lv.EVENT.CLICKED, None)
        assert await task is expected and is_closed()
    for answer in ("Replace", "Skip", "Rename", None):
        task = TaskManager.create_task(dialog.ask("It exists", ("Replace", "Skip", "Rename")))
        await shown("It exists")
        if answer is None:
            ActivityNavigator.back()
        else:
            find(answer).send_event(lv.EVENT.CLICKED, None)
        assert await task == answer and is_closed()


async def test_an_alert_waits_until_it_is_closed(lvgl_loop, screen):
    task = TaskManager.create_task(dialog.alert("Battery low"))
    await shown("Battery low")
    assert not task.done()
    find("OK").send_event(lv.EVENT.CLICKED, None)
    await task
    assert is_closed()


def keyboard_of(root):
    for index in range(root.get_child_count()):
        child = root.get_child(index)
        if hasattr(child, "get_textarea"):
            return child
    return None


async def test_a_text_is_typed_confirmed_and_cancelled(lvgl_loop, screen):
    task = TaskManager.create_task(dialog.text("Name of the board", default="esp"))
    await shown("Name of the board")
    keyboard = keyboard_of(lv.layer_top().get_child(0))
    keyboard.get_textarea().add_text("32")
    keyboard.send_event(lv.EVENT.READY, None)
    assert await task == "esp32" and is_closed()
    for cancel in (lambda: keyboard.send_event(lv.EVENT.CANCEL, None), ActivityNavigator.back):
        task = TaskManager.create_task(dialog.text("Password", password=True))
        await shown("Password")
        keyboard = keyboard_of(lv.layer_top().get_child(0))
        cancel()
        assert await task is None and is_closed()


async def test_the_end_of_the_task_and_a_cleaned_layer_close_it(lvgl_loop, screen):
    for ms in (0, 5):
        task = TaskManager.create_task(dialog.ask("Really?"))
        await TaskManager.sleep_ms(ms)
        task.cancel()
        await until(task.done)
        assert is_closed() and not ActivityNavigator.back()
    task = TaskManager.create_task(dialog.ask("Really?"))
    await shown("Really?")
    lv.layer_top().clean()
    assert await task is False


async def test_keys_go_to_the_dialogue_and_back_to_the_group(lvgl_loop, screen):
    from mpos.hardware.keypad import default_group

    group = default_group()
    indev = lv.indev_create()
    indev.set_type(lv.INDEV_TYPE.KEYPAD)
    indev.set_read_cb(lambda indev, data: None)
    indev.set_group(group)
    reader = lvgl_loop.add_input(indev, None, 100000)
    try:
        task = TaskManager.create_task(dialog.ask("Keys?"))
        await shown("Keys?")
        assert indev.get_group() != group
        ActivityNavigator.back()
        await task
        assert indev.get_group() == group
    finally:
        reader.close()
        indev.delete()
