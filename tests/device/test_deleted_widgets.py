"""A task that touches a deleted widget ends with a report that names it, and nothing else happens."""

import lvgl as lv
from conditions import until

from mpos import TaskManager


async def test_the_task_is_named_and_the_others_and_the_screen_go_on(lvgl_loop, screen):
    reports = []
    TaskManager.set_exception_handler(reports.append)
    label = lv.label(screen)
    other = lv.label(screen)
    counts = []

    async def count_on(widget):
        while True:
            widget.set_text(str(len(counts)))
            counts.append(True)
            await TaskManager.sleep_ms(5)

    victim = TaskManager.create_task(count_on(label), name="the victim")
    survivor = TaskManager.create_task(count_on(other), name="the survivor")
    await until(lambda: len(counts) > 4)
    label.delete()
    await until(victim.done)
    assert [(report["name"], type(report["exception"])) for report in reports] == [
        ("the victim", lv.LvReferenceError)
    ]
    assert "count_on" in TaskManager.last_errors()[-1].traceback
    frames, seen = lvgl_loop.stats()["frames"], len(counts)
    await until(lambda: len(counts) > seen + 4 and lvgl_loop.stats()["frames"] > frames)
    assert not survivor.done()


async def test_deleting_the_parent_is_deleting_the_widget(lvgl_loop, screen):
    parent = lv.obj(screen)
    label = lv.label(parent)
    parent.delete()
    try:
        label.set_text("gone")
        raise AssertionError("no exception")
    except lv.LvReferenceError:
        pass
