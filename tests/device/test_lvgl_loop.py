"""LvglLoop: LVGL's clock, frames on request, timers on time, pausing."""

from time import ticks_diff, ticks_ms

import lvgl as lv
from conditions import until

from mpos import LvglLoop, TaskManager, UiBridge
from mpos.loop.runner import runner


async def test_a_change_is_drawn_without_anyone_asking(lvgl_loop, screen):
    label = lv.label(screen)
    await TaskManager.sleep_ms(60)
    for number in range(5):
        frames = lvgl_loop.stats()["frames"]
        label.set_text("number %d" % number)
        await TaskManager.sleep_ms(40)
        assert lvgl_loop.stats()["frames"] > frames


async def test_changes_within_one_step_are_one_frame(lvgl_loop, screen):
    labels = [lv.label(screen) for _ in range(5)]
    for number, label in enumerate(labels):
        label.set_y(number * 20)
    await TaskManager.sleep_ms(100)
    frames = lvgl_loop.stats()["frames"]
    for label in labels:
        label.set_text("changed")
    await TaskManager.sleep_ms(25)
    assert lvgl_loop.stats()["frames"] == frames + 1


async def test_lvgls_clock_is_right_whenever_a_coroutine_looks(lvgl_loop):
    # Each look at LVGL's clock is between two at the board's: the board may stand still in between.
    before = ticks_ms()
    start = lv.tick_get()
    after = ticks_ms()
    for delay_ms in (0, 1, 7, 30, 120, 3):
        await TaskManager.sleep_ms(delay_ms)
        least = ticks_diff(ticks_ms(), after)
        passed = lv.tick_get() - start
        most = ticks_diff(ticks_ms(), before)
        assert least - 2 <= passed <= most + 2, (least, passed, most)


async def test_a_timer_created_while_the_loop_sleeps_fires_on_time_and_not_early(lvgl_loop, screen):
    await TaskManager.sleep_ms(120)
    for period_ms in (5, 20, 60):
        fired = []
        began = ticks_ms()
        UiBridge.timer(lambda timer: fired.append(ticks_diff(ticks_ms(), began)), period_ms, repeat=1)
        await TaskManager.sleep_ms(period_ms + 40)
        assert len(fired) == 1
        assert fired[0] >= period_ms, (fired, period_ms)


async def test_a_task_created_in_an_lvgl_callback_starts_before_the_callbacks_turn_is_over_for_others(
    lvgl_loop,
):
    order = []

    async def work():
        order.append("task")

    def callback(timer):
        TaskManager.create_task(work())
        order.append("callback")

    UiBridge.timer(callback, 5, repeat=1)
    await TaskManager.sleep_ms(60)
    assert order == ["callback", "task"]


async def test_while_paused_nothing_is_drawn_and_after_resume_everything_at_once(lvgl_loop, screen):
    label = lv.label(screen)
    await TaskManager.sleep_ms(60)
    lvgl_loop.pause()
    await TaskManager.sleep_ms(5)
    frames, turns = lvgl_loop.stats()["frames"], lvgl_loop.stats()["turns"]
    for number in range(5):
        label.set_text(str(number))
        await TaskManager.sleep_ms(10)
    assert lvgl_loop.stats()["frames"] == frames
    assert lvgl_loop.stats()["turns"] <= turns + 1
    assert lvgl_loop.is_paused() and lvgl_loop.stats()["paused"]
    lvgl_loop.resume()
    lvgl_loop.resume()
    await TaskManager.sleep_ms(20)
    assert lvgl_loop.stats()["frames"] == frames + 1


async def test_an_animation_runs_at_the_refresh_rate(lvgl_loop, screen):
    spinner = lv.spinner(screen)
    spinner.set_size(40, 40)
    await TaskManager.sleep_ms(100)
    frames, began = lvgl_loop.stats()["frames"], ticks_ms()
    await until(lambda: lvgl_loop.stats()["frames"] >= frames + 25)
    drawn = lvgl_loop.stats()["frames"] - frames
    assert drawn <= ticks_diff(ticks_ms(), began) // 33 + 1


async def test_wake_makes_the_next_turn_begin_at_once(lvgl_loop, screen):
    await TaskManager.sleep_ms(120)
    turns = lvgl_loop.stats()["turns"]
    lvgl_loop.wake()
    await TaskManager.sleep_ms(2)
    assert lvgl_loop.stats()["turns"] > turns


async def test_a_call_before_the_frame_is_made_once_and_its_error_reported(lvgl_loop, screen):
    calls = []
    reports = []
    TaskManager.set_exception_handler(reports.append)

    def fail():
        raise GeneratorExit

    lvgl_loop.before_frame(lambda: calls.append(True))
    lvgl_loop.before_frame(lambda: 1 // 0)
    lvgl_loop.before_frame(fail)
    lvgl_loop.before_frame(lambda: calls.append(True))
    await until(lambda: len(calls) == 2, 2)
    await TaskManager.sleep_ms(60)
    assert calls == [True, True]
    assert len(reports) == 2


async def test_a_loop_attached_while_the_task_manager_is_disabled_runs_when_it_is_attached_again(
    lvgl_loop, screen
):
    TaskManager.detach()
    TaskManager.disable()
    try:
        TaskManager.attach(lvgl_loop)
        TaskManager.detach()
        TaskManager.attach(lvgl_loop)
    finally:
        TaskManager.enable()
    TaskManager.attach(lvgl_loop)
    frames = lvgl_loop.stats()["frames"]
    lv.label(screen).set_text("drawn")
    await until(lambda: lvgl_loop.stats()["frames"] > frames)


async def test_the_task_of_the_loop_starts_again_when_it_is_ended(lvgl_loop, screen):
    [task for task, facts in runner.tasks.items() if facts[0] == "lvgl"][0].cancel()
    await TaskManager.sleep_ms(1)
    label = lv.label(screen)
    TaskManager.attach(lvgl_loop)
    await TaskManager.sleep_ms(60)
    frames = lvgl_loop.stats()["frames"]
    label.set_text("again")
    await TaskManager.sleep_ms(60)
    assert lvgl_loop.stats()["frames"] > frames


async def test_the_refresh_period_is_how_close_two_frames_may_follow_each_other(lvgl_loop, screen):
    label = lv.label(screen)

    async def shortest_gap():
        loop = TaskManager.lvgl_loop()
        drawn, done = [], TaskManager.notify_event()

        def change():
            drawn.append(lv.tick_get())
            label.set_text(str(len(drawn)))
            if len(drawn) < 25:
                loop.before_frame(change)
            else:
                done.set()

        frames = loop.stats()["frames"]
        loop.before_frame(change)
        await TaskManager.wait_for(done.wait(), 20)
        assert loop.stats()["frames"] - frames >= 25
        return min(later - earlier for earlier, later in zip(drawn, drawn[1:]))

    assert await shortest_gap() >= 33
    quick = LvglLoop(lvgl_loop.display, refresh_ms=16)
    TaskManager.attach(quick)
    try:
        assert 16 <= await shortest_gap() < 33
    finally:
        TaskManager.attach(lvgl_loop)
        quick.close()
    assert await shortest_gap() >= 33  # Its own period is back.


async def test_an_animation_runs_at_the_refresh_period(lvgl_loop, screen):
    async def shortest_gap():
        ticks, done = [], TaskManager.notify_event()
        UiBridge.animate(screen, lambda _, value: ticks.append(lv.tick_get()), 0, 10000, 700, done.set)
        await TaskManager.wait_for(done.wait(), 20)
        return min(later - earlier for earlier, later in zip(ticks[1:], ticks[2:]))

    assert await shortest_gap() >= 30  # LVGL takes a timer that is due within 3 ms along.
    quick = LvglLoop(lvgl_loop.display, refresh_ms=16)
    TaskManager.attach(quick)
    try:
        assert await shortest_gap() < 30
    finally:
        TaskManager.attach(lvgl_loop)
        quick.close()


def test_a_refresh_period_that_cannot_be_is_refused(lvgl_loop):
    for wrong in (0, -1, 1001):
        try:
            LvglLoop(lvgl_loop.display, refresh_ms=wrong)
            raise AssertionError("taken")
        except ValueError as error:
            assert str(wrong) in str(error) and "1 to 1000" in str(error), error
