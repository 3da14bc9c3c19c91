"""Callbacks registered through mpos let nothing into LVGL: every kind, a thousand times, with deletions."""

import lvgl as lv
from conditions import until

from mpos import TaskManager, UiBridge

TIMES = 1000


def count_reports():
    reports = []
    TaskManager.set_exception_handler(lambda context: reports.append(context["name"]))
    return reports


def fail(*arguments):
    raise ValueError("in a callback")


async def fail_later(*arguments):
    await TaskManager.sleep_ms(0)
    raise ValueError("in a task of a callback")


def create_and_delete(screen):
    button = lv.button(screen)
    lv.label(button)
    button.delete()


async def lvgl_is_well(lvgl_loop, screen):
    """Timers run, frames are drawn, widgets come and go."""
    fired = []
    UiBridge.timer(lambda timer: fired.append(True), 1, repeat=2)
    await until(lambda: len(fired) == 2)
    frames = lvgl_loop.stats()["frames"]
    lv.label(screen).set_text("well")
    await until(lambda: lvgl_loop.stats()["frames"] > frames)
    create_and_delete(screen)
    assert not lvgl_loop.stats()["wedged"]


async def test_event_handlers(lvgl_loop, screen):
    for handler in (fail, fail_later):
        reports = count_reports()
        for _ in range(TIMES):
            button = lv.button(screen)
            UiBridge.on(button, lv.EVENT.CLICKED, handler)
            UiBridge.on(button, lv.EVENT.DELETE, fail)
            button.send_event(lv.EVENT.CLICKED, None)
            button.delete()
            await TaskManager.sleep_ms(0)
        await until(lambda: len(reports) == 2 * TIMES)
    await lvgl_is_well(lvgl_loop, screen)


async def test_a_handler_that_deletes_its_own_widget_and_fails(lvgl_loop, screen):
    reports = count_reports()
    for _ in range(TIMES):
        button = lv.button(screen)

        def handler(event):
            button.delete()
            fail()

        UiBridge.on(button, lv.EVENT.CLICKED, handler)
        button.send_event(lv.EVENT.CLICKED, None)
    assert len(reports) == TIMES
    await lvgl_is_well(lvgl_loop, screen)


async def test_timers(lvgl_loop, screen):
    for handler in (fail, fail_later):
        reports = count_reports()
        for _ in range(TIMES // 10):
            for _ in range(10):
                UiBridge.timer(handler, 0, repeat=1)
            create_and_delete(screen)
            await TaskManager.sleep_ms(0)
        await until(lambda: len(reports) == TIMES)
    await lvgl_is_well(lvgl_loop, screen)


async def test_animations(lvgl_loop, screen):
    for apply in (fail, fail_later):
        reports = count_reports()
        widgets = [lv.obj(screen) for _ in range(10)]
        while len(reports) < TIMES:
            for widget in widgets:
                UiBridge.animate(widget, apply, 0, 100, 50, on_end=fail)
            create_and_delete(screen)
            lv.anim_refr_now()
            await TaskManager.sleep_ms(1)
        for widget in widgets:
            widget.delete()
    await lvgl_is_well(lvgl_loop, screen)


async def test_calls_before_a_frame_and_values(lvgl_loop, screen):
    reports = count_reports()
    label = lv.label(screen)
    for _ in range(TIMES // 2):
        lvgl_loop.before_frame(fail)
        UiBridge.set(label, "set_text", 1, 2, 3)
        UiBridge.post(fail)
        create_and_delete(screen)
        lvgl_loop.refresh()
        await TaskManager.sleep_ms(0)
    await until(lambda: len(reports) >= TIMES)
    await lvgl_is_well(lvgl_loop, screen)


async def test_an_input_whose_events_fail(lvgl_loop, screen):
    pressed = [False]

    def read(indev, data):
        data.point.x = data.point.y = 20
        data.state = lv.INDEV_STATE.PRESSED if pressed[0] else lv.INDEV_STATE.RELEASED

    indev = lv.indev_create()
    indev.set_type(lv.INDEV_TYPE.POINTER)
    indev.set_read_cb(read)
    indev.set_mode(lv.INDEV_MODE.EVENT)
    reports = count_reports()
    button = lv.button(screen)
    button.set_size(100, 100)
    UiBridge.on(button, lv.EVENT.PRESSED, fail)
    UiBridge.on(button, lv.EVENT.RELEASED, fail_later)
    await TaskManager.sleep_ms(1)
    screen.update_layout()
    for _ in range(TIMES // 2):
        for pressed[0] in (True, False):
            indev.read()
        create_and_delete(screen)
        await TaskManager.sleep_ms(0)
    await until(lambda: len(reports) == TIMES)
    indev.delete()
    await lvgl_is_well(lvgl_loop, screen)
