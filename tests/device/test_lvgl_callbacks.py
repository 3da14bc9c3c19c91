"""Callbacks of LVGL in Python: events, timers, animations, input; the same on lvgl_micropython."""

import gc

import lvgl as lv
from raising import raises


def run(ms):
    """Let LVGL's clock pass by `ms` in steps of 10."""
    for _ in range(ms // 10):
        lv.tick_inc(10)
        lv.timer_handler()


def test_an_event_tells_what_happened_to_whom(screen):
    button = lv.button(screen)
    seen = []

    def on_event(event):
        seen.append(
            (event.get_code(), event.get_target_obj() is button, event.get_current_target_obj() is button)
        )
        seen.append((event.get_user_data().__cast__()["name"], event.get_param()))

    button.add_event_cb(on_event, lv.EVENT.CLICKED, {"name": "mine"})
    button.send_event(lv.EVENT.CLICKED, None)
    button.send_event(lv.EVENT.PRESSED, None)
    assert seen == [(lv.EVENT.CLICKED, True, True), ("mine", None)]


def test_an_event_bubbles_to_the_parent(screen):
    outer = lv.obj(screen)
    inner = lv.obj(outer)
    inner.add_flag(lv.obj.FLAG.EVENT_BUBBLE)
    seen = []

    def on_event(event):
        seen.append((event.get_target_obj() is inner, event.get_current_target_obj() is outer))

    outer.add_event_cb(on_event, lv.EVENT.CLICKED, None)
    inner.send_event(lv.EVENT.CLICKED, None)
    assert seen == [(True, True)]


def test_several_callbacks_of_one_widget_run_in_order_and_can_be_removed(screen):
    button = lv.button(screen)
    seen = []
    before = button.get_event_count()
    for number in range(3):
        button.add_event_cb(lambda event, number=number: seen.append(number), lv.EVENT.CLICKED, None)
    gc.collect()
    assert button.get_event_count() == before + 3
    button.send_event(lv.EVENT.CLICKED, None)
    assert seen == [0, 1, 2]
    assert button.remove_event(before + 1)
    button.send_event(lv.EVENT.CLICKED, None)
    assert seen == [0, 1, 2, 0, 2]


def test_a_callback_may_call_lvgl_and_cause_callbacks(screen):
    outer, inner = lv.button(screen), lv.button(screen)
    label = lv.label(screen)
    seen = []

    def on_inner(event):
        label.set_text("inner")
        seen.append("inner")

    def on_outer(event):
        inner.send_event(lv.EVENT.CLICKED, None)
        seen.append(label.get_text())

    inner.add_event_cb(on_inner, lv.EVENT.CLICKED, None)
    outer.add_event_cb(on_outer, lv.EVENT.CLICKED, None)
    outer.send_event(lv.EVENT.CLICKED, None)
    assert seen == ["inner", "inner"]


def test_a_widget_may_be_deleted_in_its_own_callback(screen):
    button = lv.button(screen)
    seen = []

    def on_click(event):
        button.delete()
        raises(lv.LvReferenceError, button.get_x)
        seen.append("clicked")

    button.add_event_cb(on_click, lv.EVENT.CLICKED, None)
    button.send_event(lv.EVENT.CLICKED, None)
    assert seen == ["clicked"]
    assert screen.get_child_count() == 0


def test_in_a_delete_event_the_widget_is_known_but_gone(screen):
    outer = lv.obj(screen)
    label = lv.label(outer)
    seen = []

    def on_delete(event):
        seen.append(event.get_target_obj() is label)
        raises(lv.LvReferenceError, label.get_text)

    label.add_event_cb(on_delete, lv.EVENT.DELETE, None)
    outer.delete()
    assert seen == [True]


def test_the_callback_of_an_event_sees_the_nesting():
    seen = []
    before = lv._nesting.value
    timer = lv.timer_create(lambda timer: seen.append(lv._nesting.value), 10, None)
    run(20)
    timer.delete()
    assert seen[0] == before + 1 and lv._nesting.value == before


def test_timers_are_paused_resumed_and_deleted():
    seen = []
    timer = lv.timer_create(lambda which: seen.append(which == timer), 20, {"any": 1})
    run(100)
    count = len(seen)
    assert count >= 4 and all(seen)
    timer.pause()
    assert timer.get_paused()
    run(100)
    assert len(seen) == count
    timer.resume()
    timer.ready()
    run(10)
    assert len(seen) == count + 1
    timer.set_cb(lambda which: seen.clear())
    timer.ready()
    run(10)
    assert not seen
    timer.delete()


def test_a_timer_with_a_repeat_count_ends_by_itself():
    seen = []
    timer = lv.timer_create(lambda which: seen.append(1), 10, None)
    timer.set_repeat_count(2)
    run(100)
    assert len(seen) == 2


def test_a_timer_needs_three_arguments():
    raises(TypeError, lv.timer_create, print)
    raises(TypeError, lv.timer_create, print, 10)


def test_async_calls_run_once_in_the_next_turn():
    seen = []
    lv.async_call(lambda data: seen.append("first"), None)
    lv.async_call(lambda data: seen.append("second"), {"any": 1})
    assert not seen
    run(20)
    assert sorted(seen) == ["first", "second"]


def test_time_until_next_is_zero_when_there_is_something_new():
    timer = lv.timer_create(lambda which: None, 5000, None)
    changes = (timer.resume, timer.reset, lambda: lv.timer_create_basic().delete())
    for change in changes:
        lv.timer_handler()
        lv.timer_handler()
        change()
        assert lv.timer_get_time_until_next() == 0
    for change in (timer.ready, lambda: timer.set_period(1000), timer.pause):
        lv.timer_handler()
        lv.timer_handler()
        before = lv.timer_get_time_until_next()
        change()
        assert lv.timer_get_time_until_next() == before
    timer.delete()


def test_time_until_next_is_zero_when_a_refresh_was_asked_for(screen):
    run(200)
    label = lv.label(screen)
    assert lv.timer_get_time_until_next() == 0
    run(200)
    label.set_text("changed")
    assert lv.timer_get_time_until_next() == 0


def test_the_clock_is_what_it_was_given():
    before = lv.tick_get()
    lv.tick_inc(7)
    assert lv.tick_get() - before == 7
    assert lv.tick_elaps(before) == 7


def test_an_animation_calls_back_with_itself_and_the_value(screen):
    seen = []
    animation = lv.anim_t()
    animation.init()
    animation.set_var(screen)
    animation.set_values(0, 100)
    animation.set_duration(100)
    animation.set_path_cb(lv.anim_t.path_linear)
    animation.set_custom_exec_cb(lambda animation, value: seen.append(value))
    animation.set_completed_cb(lambda animation: seen.append("done"))
    animation.set_deleted_cb(lambda animation: seen.append("deleted"))
    animation.start()
    del animation
    gc.collect()
    run(300)
    assert seen[0] == 0 and seen[-3:] == [100, "done", "deleted"]
    values = seen[:-2]
    assert values == sorted(values) and len(values) > 3


def test_an_animation_starts_again_and_with_another_path():
    seen = []
    animation = lv.anim_t()
    animation.init()
    animation.set_values(0, 100)
    animation.set_duration(100)
    animation.set_path_cb(lambda animation: 42)
    animation.set_custom_exec_cb(lambda animation, value: seen.append(value))
    for _ in range(2):
        animation.start()
        run(200)
    assert set(seen) == {42}


def test_an_animation_ends_with_its_widget_or_when_told(screen):
    seen = []
    label = lv.label(screen)
    for end in (lambda: lv.anim_delete(label, None), label.delete):
        animation = lv.anim_t()
        animation.init()
        animation.set_var(label)
        animation.set_values(0, 100)
        animation.set_duration(1000)
        animation.set_custom_exec_cb(lambda animation, value: seen.append(value))
        animation.start()
        run(50)
        end()
        count = len(seen)
        run(200)
        assert len(seen) == count


def test_an_input_device_is_read_when_asked(screen):
    button = lv.button(screen)
    button.set_pos(0, 0)
    button.set_size(100, 50)
    lv.refr_now(None)
    finger = [10, 10, lv.INDEV_STATE.RELEASED]
    clicks = []

    def read(device, data):
        data.point.x, data.point.y = finger[0], finger[1]
        data.state = finger[2]

    device = lv.indev_create()
    device.set_type(lv.INDEV_TYPE.POINTER)
    device.set_mode(lv.INDEV_MODE.EVENT)
    device.set_read_cb(read)
    button.add_event_cb(lambda event: clicks.append(event.get_indev() == device), lv.EVENT.CLICKED, None)
    for state in (lv.INDEV_STATE.PRESSED, lv.INDEV_STATE.RELEASED):
        finger[2] = state
        device.read()
    point = lv.point_t()
    device.get_point(point)
    device.delete()
    assert clicks == [True] and (point.x, point.y) == (10, 10)


def test_a_display_of_its_own_flushes_to_python(screen):
    areas = []

    def flush(display, area, pixels):
        areas.append((area.x1, area.y1, area.x2, area.y2))
        display.flush_ready()

    default = lv.display_get_default()
    buffer = bytearray(20 * 10 * 2)
    display = lv.display_create(20, 10)
    display.set_color_format(lv.COLOR_FORMAT.RGB565)
    display.set_buffers(buffer, None, len(buffer), lv.DISPLAY_RENDER_MODE.FULL)
    display.set_flush_cb(flush)
    lv.refr_now(display)
    display.delete()
    default.set_default()
    assert areas == [(0, 0, 19, 9)]


def test_callbacks_leave_nothing_behind(screen):
    def cycle():
        outer = lv.obj(screen)
        label = lv.label(outer)
        label.add_event_cb(lambda event: None, lv.EVENT.CLICKED, None)
        lv.timer_create(lambda timer: None, 1000, None).delete()
        animation = lv.anim_t()
        animation.init()
        animation.set_var(label)
        animation.set_values(0, 10)
        animation.set_duration(1000)
        animation.set_custom_exec_cb(lambda animation, value: None)
        animation.start()
        outer.delete()
        lv.timer_handler()

    for _ in range(50):
        cycle()
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(200):
        cycle()
    gc.collect()
    assert gc.mem_alloc() - before < 2000, gc.mem_alloc() - before
