"""Where the binding's state can be found in memory, exceptions of raw callbacks leave nothing behind."""

import lvgl as lv
from conditions import until

from mpos import TaskManager, UiBridge

REQUIRES = ("unix_memory",)

TIMES = 300


def fail(*arguments):
    raise ValueError("in a raw callback")


async def lvgl_is_well(lvgl_loop, screen):
    fired = []
    UiBridge.timer(lambda timer: fired.append(True), 1, repeat=2)
    await until(lambda: len(fired) == 2)
    button = lv.button(screen)
    lv.label(button)
    button.delete()
    assert not lvgl_loop.stats()["wedged"]


async def test_after_one_in_a_timer_lvgls_timers_run_on(lvgl_loop, screen):
    TaskManager.set_exception_handler(lambda context: None)
    for _ in range(TIMES):
        mended = lvgl_loop.stats()["mended"]
        timer = lv.timer_create(fail, 0, None)
        timer.set_repeat_count(1)
        await until(lambda: lvgl_loop.stats()["mended"] > mended)
    await lvgl_is_well(lvgl_loop, screen)


async def test_after_one_in_an_event_callback_widgets_can_be_deleted(lvgl_loop, screen):
    TaskManager.set_exception_handler(lambda context: None)
    timer = lv.timer_create(fail, 0, None)  # The first one has the state looked for.
    timer.set_repeat_count(1)
    await until(lambda: lvgl_loop.stats()["mended"])
    for _ in range(TIMES):
        mended = lvgl_loop.stats()["mended"]
        button = lv.button(screen)
        button.add_event_cb(fail, lv.EVENT.CLICKED, None)
        try:
            button.send_event(lv.EVENT.CLICKED, None)
            raise AssertionError("the binding contains exceptions")
        except ValueError:
            pass
        lvgl_loop.wake()
        await until(lambda: lvgl_loop.stats()["mended"] > mended)
        button.delete()
    await lvgl_is_well(lvgl_loop, screen)
