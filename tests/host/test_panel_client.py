"""The panel as the host sees it: pictures, touches, texts; and how it dies."""

from __future__ import annotations

import os
import signal
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpos_host.virtual.panel.client import PanelDied
from peers.panel_vm import PanelVm, panel_vm

LOOP = """
while True:
    lv.tick_inc(5)
    lv.timer_handler()
"""


@pytest.fixture
def vm() -> Iterator[PanelVm]:
    with panel_vm() as made:
        yield made


def pixel(vm: PanelVm, x: int, y: int) -> int:
    return struct.unpack_from("<H", vm.panel.pixels(), 2 * (320 * y + x))[0]


def test_a_screenshot_is_a_png_of_what_lvgl_drew(vm: PanelVm, tmp_path: Path) -> None:
    source = """
box = lv.obj(screen)
box.remove_style_all()
box.set_pos(10, 20)
box.set_size(100, 50)
box.set_style_bg_color(lv.color_hex(0xFF0000), 0)
box.set_style_bg_opa(lv.OPA.COVER, 0)
run(100)
print("drawn")
pause()
"""
    program = vm.start(source)
    assert program.line() == "drawn"
    png = vm.panel.screenshot(tmp_path / "screen.png")
    assert png == (tmp_path / "screen.png").read_bytes()
    assert png.startswith(b"\x89PNG") and struct.unpack(">II", png[16:24]) == (320, 240)
    start = png.index(b"IDAT")
    size = struct.unpack(">I", png[start - 4 : start])[0]
    rows = zlib.decompress(png[start + 4 : start + 4 + size])
    row = rows[40 * (320 * 3 + 1) :][: 320 * 3 + 1]
    assert row[1 + 3 * 50 : 4 + 3 * 50] == b"\xff\0\0"
    assert row[1 + 3 * 200 : 4 + 3 * 200] != b"\xff\0\0"
    assert pixel(vm, 10, 20) == pixel(vm, 109, 69) == 0xF800
    assert pixel(vm, 9, 20) != 0xF800


def test_frames_are_counted_and_waited_for(vm: PanelVm) -> None:
    program = vm.start(
        'label = lv.label(screen)\nlabel.set_text("one")\nprint("ready")\npause()\nrun(100)\npause()\n'
    )
    assert program.line() == "ready"
    with pytest.raises(TimeoutError, match="wait_frame"):
        vm.panel.wait_frame(0, 0.1)
    program.tell("go on")
    assert vm.panel.wait_frame(0) == vm.panel.frame_count() == 1


def test_a_click_reaches_the_widget_under_it(vm: PanelVm) -> None:
    source = """
touch = virtual_hw.touch()
label = lv.label(screen)
button = lv.button(screen)
button.set_pos(100, 100)
button.set_size(60, 40)
button.add_event_cb(lambda event: label.set_text("clicked"), lv.EVENT.CLICKED, None)
label.set_text("waiting")
"""
    vm.start(source + LOOP)
    vm.panel.wait_text("waiting")
    vm.panel.click(20, 200)
    vm.panel.click(130, 120)
    assert vm.panel.wait_text("clicked") == ["clicked"]


def test_a_drag_scrolls(vm: PanelVm) -> None:
    source = """
touch = virtual_hw.touch()
outer = lv.obj(screen)
outer.set_size(200, 200)
inner = lv.label(outer)
inner.set_pos(0, 600)
inner.set_text("far down")
label = lv.label(lv.layer_top())
outer.add_event_cb(lambda event: label.set_text("scrolled %d" % outer.get_scroll_y()), lv.EVENT.SCROLL, None)
"""
    vm.start(source + LOOP)
    vm.panel.wait_text("far down")
    points = [coordinate for y in range(150, 40, -10) for coordinate in (100, y)]
    vm.panel.drag(*points)
    assert "scrolled" in vm.panel.wait_text("scrolled ")[-1]
    with pytest.raises(ValueError):
        vm.panel.drag(1, 2)


def test_a_text_is_tapped_and_a_text_area_takes_what_is_typed(vm: PanelVm) -> None:
    source = """
touch = virtual_hw.touch()
label = lv.label(screen)
label.set_pos(0, 150)
label.set_text("waiting")
area = lv.textarea(screen)
area.set_one_line(True)
area.set_placeholder_text("here")
area.add_event_cb(lambda event: label.set_text("got " + area.get_text()), lv.EVENT.READY, None)
area.add_event_cb(lambda event: label.set_text("focused"), lv.EVENT.FOCUSED, None)
"""
    vm.start(source + LOOP)
    vm.panel.wait_text("waiting")
    vm.panel.tap("here")
    vm.panel.wait_text("focused")
    vm.panel.type("Grüß€ x")
    vm.panel.wait_text("Grüß€ x")
    vm.panel.keys("BACKSPACE", "LEFT", "a", "ENTER")
    assert vm.panel.wait_text("got Grüß€a ")
    with pytest.raises(LookupError, match="no widget shows 'nowhere'; the screen shows .*'got Grüß€a '"):
        vm.panel.tap("nowhere")
    for key in ("F1", "", "\x07"):
        with pytest.raises(ValueError, match="is no key"):
            vm.panel.keys(key)


def test_keys_go_to_the_focus_of_the_default_group(vm: PanelVm) -> None:
    source = """
group = lv.group_create()
group.set_default()
label = lv.label(screen)
label.set_text("waiting")
def button(number):
    made = lv.button(screen)
    made.set_pos(100 * number, 100)
    made.add_event_cb(lambda event: label.set_text("clicked %d" % number), lv.EVENT.CLICKED, None)
    made.add_event_cb(lambda event: label.set_text("key %d" % event.get_key()), lv.EVENT.KEY, None)
    return made
button(0)
button(1)
mortal = button(2)
mortal.add_event_cb(lambda event: mortal.delete(), lv.EVENT.PRESSED, None)
"""
    vm.start(source + LOOP)
    vm.panel.wait_text("waiting")
    vm.panel.keys("ENTER")
    vm.panel.wait_text("clicked 0")
    vm.panel.keys("NEXT", "ENTER")
    vm.panel.wait_text("clicked 1")
    vm.panel.keys("UP")
    vm.panel.wait_text("key 17")
    vm.panel.keys("PREV", "PREV", "ENTER")  # deletes the widget in the middle of the click
    vm.panel.keys("ENTER")
    vm.panel.wait_text("clicked 1")  # the focus has moved to the last that is left


def test_a_callback_that_fails_at_a_key_is_the_apps_affair(vm: PanelVm) -> None:
    source = """
touch = virtual_hw.touch()
group = lv.group_create()
group.set_default()
button = lv.button(screen)
def fail(event):
    raise ValueError("in the callback")
button.add_event_cb(fail, lv.EVENT.CLICKED, None)
print("ready")
while True:
    try:
        touch.read()
    except ValueError as error:
        print(error)
        break
lv.label(screen).set_text("went on")
run(50)
pause()
"""
    program = vm.start(source)
    assert program.line() == "ready"
    vm.panel.keys("ENTER")
    assert program.line() == "in the callback"
    vm.panel.wait_text("went on")


def test_the_touch_interrupt_line_is_readable_when_samples_wait(vm: PanelVm) -> None:
    source = """
import select
touch = virtual_hw.touch()
touch.set_mode(lv.INDEV_MODE.EVENT)
line = virtual_hw.touch_interrupt()
poll = select.poll()
poll.register(line, select.POLLIN)
print(len(poll.poll(0)))
for _ in range(2):
    print(len(poll.poll(20000)))
    line.read_event()
    line.read_event()
    touch.read()
    point = lv.point_t()
    touch.get_point(point)
    print(point.x, point.y, touch.get_state(), len(poll.poll(0)))
"""
    program = vm.start(source)
    assert program.line() == "0"
    vm.panel.touch(30, 40, True)
    assert [program.line(), program.line()] == ["1", "30 40 1 0"]
    vm.panel.touch(31, 41, False)
    assert [program.line(), program.line()] == ["1", "31 41 0 0"]


def test_texts_of_all_kinds_of_widgets_are_seen(vm: PanelVm) -> None:
    source = """
lv.label(screen).set_text("a label")
box = lv.checkbox(screen)
box.set_text("a checkbox")
area = lv.textarea(screen)
area.set_text("a text area")
empty = lv.textarea(screen)
empty.set_placeholder_text("a placeholder")
drop = lv.dropdown(screen)
drop.set_options("first\\nsecond")
drop.set_selected(1)
matrix = lv.buttonmatrix(screen)
matrix.set_map(["left", "right", ""])
table = lv.table(screen)
table.set_cell_value(0, 0, "a cell")
lv.list(screen).add_button(None, "an entry")
spans = lv.spangroup(screen)
spans.add_span().set_text("a span")
lv.msgbox(None).add_title("a title")
lv.label(lv.layer_top()).set_text("Grüße")
hidden = lv.obj(screen)
hidden.add_flag(lv.obj.FLAG.HIDDEN)
lv.label(hidden).set_text("not seen")
before = screen.get_child(0).get_event_count()
print(before)
pause()
print(screen.get_child(0).get_event_count())
"""
    program = vm.start(source)
    before = program.line()
    texts = vm.panel.texts()
    expected = (
        "a label|a checkbox|a text area|a placeholder|second|left|right|a cell|an entry|a span|a title|Grüße"
    )
    assert set(expected.split("|")) <= set(texts), texts
    assert "not seen" not in texts
    program.tell("go on")
    assert program.line() == before, "looking at the texts changed a widget"


def test_waiting_for_a_text_names_what_was_seen_instead(vm: PanelVm) -> None:
    vm.start('lv.label(screen).set_text("something else")\n' + LOOP)
    vm.panel.wait_text("something")
    with pytest.raises(TimeoutError, match="no text 'nothing'.*something else"):
        vm.panel.wait_text("nothing", 0.3)


def test_the_host_is_served_while_the_vm_is_busy_and_in_a_callback(vm: PanelVm) -> None:
    source = """
label = lv.label(screen)
label.set_text("busy")
def callback(event):
    print("in callback")
    while True:
        pass
label.add_event_cb(callback, lv.EVENT.CLICKED, None)
run(50)
label.send_event(lv.EVENT.CLICKED, None)
"""
    program = vm.start(source)
    assert program.line() == "in callback"
    assert vm.panel.texts() == ["busy"]
    assert vm.panel.screenshot() and vm.panel.info()["frames"] == 1
    vm.panel.click(1, 1)
    assert vm.panel.info()["touches_waiting"] == 2


def test_each_vm_finds_a_fresh_lvgl(vm: PanelVm) -> None:
    source = 'print(screen.get_child_count())\nlv.label(screen).set_text("text")\nrun(50)\n'
    assert vm.run(source) == ["0"]
    program = vm.start(source + "pause()\n")
    assert program.line() == "0"
    vm.panel.wait_text("text")
    assert vm.panel.info()["widgets"] == 2 and vm.panel.frame_count() == 1


def test_a_panel_that_is_killed_is_an_error_on_both_sides_and_can_be_started_again(vm: PanelVm) -> None:
    source = """
print("ready")
pause()
try:
    lv.label(screen)
except OSError as error:
    print(error)
"""
    program = vm.start(source)
    assert program.line() == "ready"
    assert vm.panel.info()["vm"]
    assert vm.process.pid is not None
    os.kill(int(Path(f"/proc/{vm.process.pid}/task/{vm.process.pid}/children").read_text()), signal.SIGSEGV)
    with pytest.raises(PanelDied, match="the panel died .*SIGSEGV"):
        vm.panel.texts()
    program.tell("go on")
    assert "the panel is gone" in program.line()
    vm.process.start()
    assert vm.run("print(screen.get_child_count())") == ["0"]
    assert vm.panel.frame_count() == 0


def test_a_hanging_lvgl_is_ended_and_named() -> None:
    with panel_vm(hang_s=0.5) as vm:
        output = vm.run("lv.delay_ms(100)")  # waits for the clock, which nobody moves
        assert "the panel is gone" in output[-1]
        with pytest.raises(PanelDied, match="LVGL hangs: it has used 0.5 s of CPU time for lv.delay_ms"):
            vm.panel.texts()
        assert "panel/calls.py" in "\n".join(vm.process.last_output), "no traceback of what hung"


def test_without_a_panel_the_client_says_so(vm: PanelVm) -> None:
    vm.process.stop()
    with pytest.raises(PanelDied):
        vm.panel.frame_count()
