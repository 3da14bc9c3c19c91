"""UiBridge: posts from threads, blocking work, coalesced values, events that cannot hurt LVGL."""

import _thread
import time

import lvgl as lv
from conditions import until

from mpos import TaskManager, UiBridge


async def test_every_post_of_four_threads_is_executed_once_and_in_order():
    calls = []

    def post(thread):
        for number in range(250):
            while True:
                try:
                    UiBridge.post(calls.append, (thread, number))
                    break
                except RuntimeError:
                    time.sleep_ms(1)

    for thread in range(4):
        _thread.start_new_thread(post, (thread,))
    await until(lambda: len(calls) == 1000)
    for thread in range(4):
        assert [number for who, number in calls if who == thread] == list(range(250))


async def test_a_full_inbox_is_an_error_at_the_caller_and_nothing_is_lost():
    calls = []
    posted = 0
    try:
        while True:
            UiBridge.post(calls.append, posted)
            posted += 1
    except RuntimeError as error:
        assert "full" in str(error)
    assert posted >= 64
    await until(lambda: len(calls) == posted)
    assert calls == list(range(posted))


async def test_a_post_that_fails_is_reported_and_the_next_runs():
    reports = []
    ran = []
    TaskManager.set_exception_handler(reports.append)
    UiBridge.post(lambda: 1 // 0)
    UiBridge.post(ran.append, True)
    await until(lambda: ran)
    assert isinstance(reports[0]["exception"], ZeroDivisionError)


async def test_a_post_runs_before_the_next_frame(lvgl_loop, screen):
    order = []

    def drawn(event):
        order.append("frame")

    label = lv.label(screen)
    await TaskManager.sleep_ms(50)
    screen.add_event_cb(drawn, lv.EVENT.DRAW_MAIN, None)
    label.set_text("x")
    UiBridge.post(order.append, "post")
    await until(lambda: "frame" in order)
    assert order[0] == "post"


async def test_run_in_thread_gives_the_result_or_the_exception():
    def work(number):
        time.sleep_ms(10)
        return number * 2

    assert await UiBridge.run_in_thread(work, 4) == 8
    results = await TaskManager.gather(*[UiBridge.run_in_thread(work, number) for number in range(9)])
    assert results == [number * 2 for number in range(9)]
    try:
        await UiBridge.run_in_thread(lambda: 1 // 0)
        raise AssertionError("no exception")
    except ZeroDivisionError:
        pass


async def test_the_loop_turns_while_a_thread_blocks():
    turns = []

    async def tick():
        while True:
            turns.append(True)
            await TaskManager.sleep_ms(1)

    def block():
        while len(turns) < 20:
            time.sleep_ms(1)

    ticking = TaskManager.create_task(tick())
    await UiBridge.run_in_thread(block)
    ticking.cancel()


async def test_a_cancelled_wait_for_a_thread_frees_its_place():
    for _ in range(6):
        task = TaskManager.create_task(UiBridge.run_in_thread(time.sleep_ms, 10))
        await TaskManager.sleep_ms(0)
        task.cancel()
    assert await TaskManager.wait_for(UiBridge.run_in_thread(lambda: "free"), 5) == "free"


async def test_of_several_values_the_last_is_set_before_the_frame(lvgl_loop, screen):
    set_texts = []

    class Counted(lv.label):
        def set_text(self, text):
            set_texts.append(text)
            super().set_text(text)

    label = Counted(screen)
    await TaskManager.sleep_ms(50)
    frames = lvgl_loop.stats()["frames"]
    for number in range(10):
        UiBridge.set_text(label, str(number))
        await TaskManager.sleep_ms(0)
    await until(lambda: label.get_text() == "9")
    await TaskManager.sleep_ms(40)
    assert set_texts[-1] == "9"
    assert len(set_texts) <= lvgl_loop.stats()["frames"] - frames, set_texts


async def test_setters_of_one_widget_are_called_in_the_order_of_their_last_values(lvgl_loop, screen):
    bars = [lv.bar(screen) for _ in range(12)]
    for bar in bars:
        UiBridge.set_value(bar, 1)
        UiBridge.set(bar, "set_range", 0, 1000)
        UiBridge.set_value(bar, 500)  # More than a bar takes before that.
    await until(lambda: all(bar.get_value() for bar in bars))
    assert [bar.get_value() for bar in bars] == [500] * len(bars)


async def test_a_widget_deleted_meanwhile_is_skipped(lvgl_loop, screen):
    errors = TaskManager.stats()["errors"]
    gone, here = lv.label(screen), lv.label(screen)
    UiBridge.set_text(gone, "gone")
    UiBridge.set_text(here, "here")
    gone.delete()
    await until(lambda: here.get_text() == "here")
    assert TaskManager.stats()["errors"] == errors


async def test_values_can_be_set_from_a_thread(lvgl_loop, screen):
    bar = lv.bar(screen)
    await UiBridge.run_in_thread(UiBridge.set_value, bar, 42)
    await until(lambda: bar.get_value() == 42)


async def test_what_a_handler_raises_is_reported_and_lvgl_goes_on(lvgl_loop, screen):
    reports = []
    TaskManager.set_exception_handler(reports.append)
    button = lv.button(screen)

    def bad_handler(event):
        raise ValueError("in handler")

    UiBridge.on(button, lv.EVENT.CLICKED, bad_handler)
    for _ in range(100):
        button.send_event(lv.EVENT.CLICKED, None)
        lv.label(screen).delete()
    assert len(reports) == 100
    assert reports[0]["name"] == "bad_handler"


async def test_a_handler_may_be_a_coroutine_function(lvgl_loop, screen):
    seen = []
    button = lv.button(screen)

    async def handler(event):
        await TaskManager.sleep_ms(1)
        seen.append(event.get_code())
        seen.append(event.get_target_obj() == button)

    UiBridge.on(button, lv.EVENT.CLICKED, handler)
    button.send_event(lv.EVENT.CLICKED, None)
    await until(lambda: len(seen) == 2)
    assert seen == [lv.EVENT.CLICKED, True]


async def test_an_event_that_is_over_cannot_be_touched(lvgl_loop, screen):
    kept = []
    button = lv.button(screen)
    UiBridge.on(button, lv.EVENT.CLICKED, kept.append)
    button.send_event(lv.EVENT.CLICKED, None)
    try:
        kept[0].get_indev()
        raise AssertionError("no exception")
    except RuntimeError as error:
        assert "get_indev" in str(error)


async def test_a_subscription_can_be_removed(lvgl_loop, screen):
    calls = []
    button = lv.button(screen)
    first = UiBridge.on(button, lv.EVENT.CLICKED, lambda e: calls.append(1))
    UiBridge.on(button, lv.EVENT.CLICKED, lambda e: calls.append(2))
    first.remove()
    first.remove()
    button.send_event(lv.EVENT.CLICKED, None)
    assert calls == [2]
    other = UiBridge.on(button, lv.EVENT.CLICKED, lambda e: None)
    button.delete()
    other.remove()


async def test_the_next_event_can_be_awaited(lvgl_loop, screen):
    button = lv.button(screen)
    waiting = TaskManager.create_task(UiBridge.next_event(button, lv.EVENT.CLICKED))
    await TaskManager.sleep_ms(1)
    before = button.get_event_count()
    button.send_event(lv.EVENT.CLICKED, None)
    await TaskManager.wait_for(waiting, 1)
    assert button.get_event_count() == before - 2


async def test_a_deletion_ends_the_wait_for_an_event(lvgl_loop, screen):
    button = lv.button(screen)
    waiting = TaskManager.create_task(UiBridge.next_event(button, lv.EVENT.CLICKED))
    await TaskManager.sleep_ms(1)
    button.delete()
    try:
        await TaskManager.wait_for(waiting, 1)
        raise AssertionError("no exception")
    except lv.LvReferenceError:
        pass


async def test_a_timer_calls_its_handler_so_often(lvgl_loop, screen):
    calls = []
    UiBridge.timer(lambda timer: calls.append(True), 5, repeat=3)
    await until(lambda: len(calls) == 3)
    await TaskManager.sleep_ms(30)
    assert len(calls) == 3
