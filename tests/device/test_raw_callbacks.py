"""Callbacks registered with LVGL itself, past mpos, that raise: the screen and the loop live on.

Where the binding lets exceptions through and its state can be found, everything goes on, deletions too.
"""

import lvgl as lv
from conditions import until

from mpos import TaskManager
from mpos.loop.errors import describe


def fail(*arguments):
    raise ValueError("in a raw callback")


def count_reports():
    reports = []
    TaskManager.set_exception_handler(lambda context: reports.append(context["name"]))
    return reports


async def is_drawn(lvgl_loop, screen):
    label = lv.label(screen)
    frames = lvgl_loop.stats()["frames"]
    label.set_text("still drawn")
    await until(lambda: lvgl_loop.stats()["frames"] > frames)


async def test_in_a_timer_it_is_reported_once_and_the_screen_goes_on(lvgl_loop, screen):
    reports = count_reports()
    timer = lv.timer_create(fail, 5, None)
    await until(lambda: reports)
    await is_drawn(lvgl_loop, screen)
    spinner = lv.spinner(screen)
    frames = lvgl_loop.stats()["frames"]
    await until(lambda: lvgl_loop.stats()["frames"] > frames + 5)
    assert len(reports) == 1, reports
    timer.delete()
    spinner.add_flag(lv.obj.FLAG.HIDDEN)


async def test_in_an_animation_the_screen_goes_on(lvgl_loop, screen):
    reports = count_reports()
    animation = lv.anim_t()
    animation.init()
    animation.set_var(screen)
    animation.set_values(0, 10)
    animation.set_duration(50)

    def fail_otherwise(animation, value):
        raise ValueError("in a raw animation")

    animation.set_custom_exec_cb(fail_otherwise)
    try:
        animation.start()
    except ValueError:
        pass
    await TaskManager.sleep_ms(100)
    lv.anim_delete(screen, None)
    await is_drawn(lvgl_loop, screen)
    assert len(reports) <= 1


async def test_one_that_cannot_even_be_shown_is_reported_and_the_screen_goes_on(lvgl_loop, screen):
    class Mute(Exception):
        def __str__(self):
            raise ValueError("no words")

    reports = count_reports()
    told = []
    lvgl_loop.mender.on_failure = lambda title, error: told.append(describe(error))
    lvgl_loop.mender.after(Mute(), "A callback failed")
    await is_drawn(lvgl_loop, screen)
    assert reports == ["lvgl"] and told == ["Mute: it cannot be shown because of ValueError"], (reports, told)
