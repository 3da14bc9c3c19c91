"""What the panel costs the VM: heap of the modules, of a widget, of a call; and that nothing piles up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from peers.panel_vm import PanelVm, panel_vm


@pytest.fixture
def vm() -> Iterator[PanelVm]:
    with panel_vm() as made:
        yield made


def numbers(vm: PanelVm, source: str, heap: str = "2M") -> dict[str, float]:
    """Run a program that prints lines of a name and a number."""
    output = vm.run(source, heap)
    return {name: float(value) for name, value in (line.split() for line in output)}


ALLOCATED = """
def allocated(name, function):
    for _ in range(3):
        function()
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(100):
        function()
    print(name, (gc.mem_alloc() - before) / 100)
"""


def test_the_modules_and_widgets_are_small(vm: PanelVm) -> None:
    source = """
lv.label(screen)
gc.collect()
before = gc.mem_alloc()
for _ in range(256):
    lv.label(screen)
gc.collect()
print("modules", firmware_heap)
print("widget", (gc.mem_alloc() - before) / 256)
"""
    found = numbers(vm, source)
    assert found["modules"] <= 35 * 1024
    assert found["widget"] < 100


def test_calls_of_the_loop_allocate_nothing(vm: PanelVm) -> None:
    source = (
        ALLOCATED
        + """
touch = virtual_hw.touch()
refresh = display.get_refr_timer()
label = lv.label(screen)
text = "some text"

def nothing():
    pass

def set_text():
    label.set_text(text)

allocated("handler", lv.timer_handler)
allocated("tick_inc", lambda: lv.tick_inc(1))
allocated("tick_get", lv.tick_get)
allocated("until", lv.timer_get_time_until_next)
allocated("read", lambda: touch.read())
allocated("ready", lambda: refresh.ready())
allocated("paused", lambda: refresh.get_paused())
allocated("set_x", lambda: label.set_x(5))
allocated("set_text", set_text)
"""
    )
    found = numbers(vm, source)
    assert found.pop("set_text") <= 64
    assert not any(found.values()), found


def test_a_frame_with_a_python_animation_costs_little(vm: PanelVm) -> None:
    source = (
        ALLOCATED
        + """
label = lv.label(screen)
animation = lv.anim_t()
animation.init()
animation.set_values(0, 100)
animation.set_duration(1000)
animation.set_repeat_count(lv.ANIM_REPEAT_INFINITE)
animation.set_custom_exec_cb(lambda animation, value: label.set_x(value))
animation.start()

def frame():
    lv.tick_inc(33)
    lv.timer_handler()

allocated("frame", frame)
"""
    )
    assert numbers(vm, source)["frame"] <= 200


def test_a_thousand_cycles_leave_both_tables_as_they_were(vm: PanelVm) -> None:
    source = """
import virtual_codec
import virtual_objects
label = lv.label(screen)

def cycle():
    outer = lv.obj(screen)
    inner = lv.button(outer)
    inner.add_event_cb(lambda event: event.get_target_obj(), lv.EVENT.CLICKED, {"a": 1})
    inner.send_event(lv.EVENT.CLICKED, None)
    timer = lv.timer_create(lambda timer: None, 5, None)
    timer.set_repeat_count(1)
    lv.timer_create(lambda timer: None, 1000, None).delete()
    lv.async_call(lambda data: None, None)
    animation = lv.anim_t()
    animation.init()
    animation.set_var(label)
    animation.set_values(0, 5)
    animation.set_duration(10)
    animation.set_custom_exec_cb(lambda animation, value: None)
    animation.start()
    timeline = lv.anim_timeline_create()
    timeline.add(0, animation)
    timeline.delete()
    group = lv.group_create()
    group.add_obj(inner)
    group.delete()
    area = lv.area_t()
    inner.get_coords(area)
    inner.set_style_bg_color(lv.color_hex(0x123456), 0)
    lv.tick_inc(40)
    lv.timer_handler()
    outer.delete()

for count in (50, 1000):
    for _ in range(count):
        cycle()
    for _ in range(10):
        lv.timer_handler()
    gc.collect()
    print("heap", gc.mem_alloc())
    print("widgets", len(virtual_objects.widgets))
    print("callbacks", len(virtual_codec.callbacks))
    pause()
"""
    program = vm.start(source)

    def state() -> list[int]:
        found = [int(program.line(60).split()[1]) for _ in range(3)]
        info = vm.panel.info()
        program.tell("go on")
        return [*found, info["handles"], info["widgets"]]

    before, after = state(), state()
    assert after[0] - before[0] < 2048, (before, after)
    assert after[1] == before[1], (before, after)
    # Timers that end by themselves are noticed late, when some more were made.
    assert after[2] - before[2] <= 64, (before, after)
    assert after[3] - before[3] <= 64, (before, after)
    assert after[4] == before[4], (before, after)


def test_big_texts_and_pictures_pass_in_both_directions(vm: PanelVm) -> None:
    source = """
label = lv.label(screen)
for size in (0, 400, 480, 490, 500, 512, 1000, 70000):
    text = "x" * size
    label.set_text(text)
    assert label.get_text() == text, size
label.delete()
picture = lv.snapshot_take(screen, lv.COLOR_FORMAT.ARGB8888)
pixels = picture.data.__dereference__(picture.data_size)
print("size", len(pixels))
print("colors", len(set(bytes(pixels[:400]))))
options = "\\n".join(["option %d" % i for i in range(300)])
drop = lv.dropdown(screen)
drop.set_options(options)
print("same", int(drop.get_options() == options))
"""
    found = numbers(vm, source)
    assert found["size"] == 320 * 240 * 4
    assert found["colors"] >= 2 and found["same"] == 1


def test_it_runs_in_the_heap_of_a_small_board(vm: PanelVm) -> None:
    source = """
for name in "label button slider bar chart table keyboard calendar".split():
    widget = getattr(lv, name)(screen)
    widget.set_size(100, 50)
    run(50)
    widget.delete()
gc.collect()
print("free", gc.mem_free())
"""
    assert numbers(vm, source, heap="128k")["free"] > 80000
