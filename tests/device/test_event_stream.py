"""UiBridge.next_event and UiBridge.events: a widget's events, awaited."""

import lvgl as lv
from conditions import until

from mpos import TaskManager, UiBridge


async def test_events_arrive_one_by_one_until_the_widget_is_deleted(lvgl_loop, screen):
    button = lv.button(screen)
    seen = []

    async def listen():
        async for event in UiBridge.events(button, lv.EVENT.CLICKED):
            seen.append((event.code, event.target is button, event.get_target_obj() is button))

    task = TaskManager.create_task(listen())
    await TaskManager.sleep_ms(1)
    for number in range(1, 4):
        button.send_event(lv.EVENT.CLICKED, None)
        await until(lambda: len(seen) == number)
    button.delete()
    await until(task.done)
    assert seen == [(lv.EVENT.CLICKED, True, True)] * 3


async def test_the_latest_is_kept_or_all_of_them(lvgl_loop, screen):
    for keep_all, expected in ((False, [3]), (True, [1, 2, 3])):
        box = lv.obj(screen)
        seen = []
        async with UiBridge.events(box, lv.EVENT.KEY, keep_all) as events:
            for key in (1, 2, 3):
                UiBridge.post(send_key, box, key)
            await TaskManager.sleep_ms(10)

            async def listen():
                async for event in events:
                    seen.append(event.key)

            task = TaskManager.create_task(listen())
            await TaskManager.sleep_ms(5)
        await until(task.done)
        assert seen == expected, seen
        before = box.get_event_count()
        box.delete()
        assert before <= 1  # An obj may have one of LVGL's own.


def send_key(box, key):
    group = lv.group_create()
    group.add_obj(box)
    group.send_data(key)
    group.delete()


async def test_a_loop_that_was_left_by_its_task_listens_no_more(lvgl_loop, screen):
    button = lv.button(screen)
    count = button.get_event_count()

    async def first():
        async for event in UiBridge.events(button, lv.EVENT.CLICKED, keep_all=True):
            return event

    task = TaskManager.create_task(first())
    await TaskManager.sleep_ms(1)
    button.send_event(lv.EVENT.CLICKED, None)
    await until(task.done)
    button.send_event(lv.EVENT.CLICKED, None)
    assert button.get_event_count() == count


async def test_next_event_gives_a_copy_and_tells_of_a_deletion(lvgl_loop, screen):
    button = lv.button(screen)
    TaskManager.create_task(click_soon(button))
    event = await UiBridge.next_event(button, lv.EVENT.CLICKED)
    assert event.get_code() == lv.EVENT.CLICKED and event.target is button and event.key is None
    UiBridge.post(button.delete)
    try:
        await UiBridge.next_event(button, lv.EVENT.CLICKED)
        raise AssertionError("no error")
    except lv.LvReferenceError:
        pass


async def click_soon(button):
    await TaskManager.sleep_ms(2)
    button.send_event(lv.EVENT.CLICKED, None)
