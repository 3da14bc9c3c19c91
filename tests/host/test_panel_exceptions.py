"""What an exception in a callback does: as upstream, or contained as in MicroPythonOS's fork."""

from __future__ import annotations

import pytest

from mpos_host.virtual.panel.client import PanelDied
from peers.panel_vm import PanelVm, panel_vm

FAIL = """
def fail(*arguments):
    raise ValueError("from the callback")

def attempt(function, *arguments):
    try:
        function(*arguments)
    except ValueError as error:
        print("caught", error)

screen.get_child_count()
lv._nesting.value = 0
"""

# The handler believes to be running: it returns 1 for ever, the rest goes on.
WEDGED = """
print("nesting", lv._nesting.value)
print([lv.timer_handler() for _ in range(3)])
frames = []
display.add_event_cb(lambda event: frames.append(1), lv.EVENT.FLUSH_FINISH, None)
for number in range(5):
    label = lv.label(screen)
    label.set_text("%d" % number)
    lv.refr_now(display)
    label.delete()
print("drawn", len(frames) >= 5)
"""


@pytest.mark.parametrize(
    "register",
    [
        "lv.timer_create(fail, 10, None)",
        "lv.async_call(fail, None)",
        "a = lv.anim_t(); a.init(); a.set_values(0, 9); a.set_custom_exec_cb(fail); attempt(a.start)",
    ],
    ids=["timer", "async_call", "animation"],
)
def test_out_of_the_timer_handler_it_wedges_the_handler_and_nothing_else(register: str) -> None:
    with panel_vm() as vm:
        output = vm.run(FAIL + register + "\nattempt(run, 100)\n" + WEDGED)
        assert "caught from the callback" in output
        assert output[-2:] == ["[1, 1, 1]", "drawn True"]
        assert output[-3] in ("nesting 1", "nesting 2")
        assert vm.process.exit_reason is None


def test_it_is_the_same_exception_object_and_the_rest_of_the_callbacks_do_not_run() -> None:
    source = """
error = ValueError("mine")
seen = []
def fail(event):
    raise error
label = lv.label(screen)
label.add_event_cb(fail, lv.EVENT.CLICKED, None)
label.add_event_cb(lambda event: seen.append("second"), lv.EVENT.CLICKED, None)
try:
    label.send_event(lv.EVENT.CLICKED, None)
except ValueError as caught:
    print(caught is error, seen)
"""
    with panel_vm() as vm:
        assert vm.run(source) == ["True []"]


def test_a_callback_may_catch_what_another_one_raises() -> None:
    source = """
inner, outer = lv.button(screen), lv.button(screen)
def catch(event):
    attempt(inner.send_event, lv.EVENT.CLICKED, None)
    print("went on", inner.get_x() >= 0)
inner.add_event_cb(fail, lv.EVENT.CLICKED, None)
outer.add_event_cb(catch, lv.EVENT.CLICKED, None)
outer.send_event(lv.EVENT.CLICKED, None)
print(lv._nesting.value)
"""
    with panel_vm() as vm:
        assert vm.run(FAIL + source) == ["caught from the callback", "went on True", "1"]


def test_an_input_that_raises_when_it_is_read_breaks_nothing() -> None:
    source = """
device = lv.indev_create()
device.set_type(lv.INDEV_TYPE.POINTER)
device.set_mode(lv.INDEV_MODE.EVENT)
device.set_read_cb(fail)
for _ in range(3):
    attempt(device.read)
lv.obj(screen).delete()
print(lv.timer_handler() != 1)
"""
    with panel_vm() as vm:
        assert vm.run(FAIL + source) == ["caught from the callback"] * 3 + ["True"]


def died(vm: PanelVm, source: str) -> str:
    output = vm.run(FAIL + source)
    assert "the panel is gone" in output[-1]
    with pytest.raises(PanelDied) as caught:
        vm.panel.info()
    return str(caught.value)


def test_after_one_in_an_event_callback_the_next_deletion_ends_the_panel() -> None:
    source = """
button = lv.button(screen)
button.add_event_cb(fail, lv.EVENT.CLICKED, None)
attempt(button.send_event, lv.EVENT.CLICKED, None)
button.set_width(50)
lv.refr_now(display)
print("alive")
button.delete()
"""
    with panel_vm() as vm:
        reason = died(vm, source)
        assert (
            "obj.delete deleted a widget after an exception had left a callback for EVENT_CLICKED" in reason
        )


@pytest.mark.parametrize("where", ["an event", "the flush"])
def test_after_one_while_drawing_the_next_change_ends_the_panel(where: str) -> None:
    register = {
        "an event": "label.add_event_cb(fail, lv.EVENT.DRAW_MAIN, None)",
        "the flush": "display.set_flush_cb(fail)",
    }
    source = f"""
label = lv.label(screen)
{register[where]}
attempt(lv.refr_now, display)
print("alive")
label.set_text("changed")
"""
    with panel_vm() as vm:
        reason = died(vm, source)
        assert "something visible changed after an exception had left a" in reason


def test_lvgl_taken_down_and_started_again_is_whole() -> None:
    source = """
button = lv.button(screen)
button.add_event_cb(fail, lv.EVENT.CLICKED, None)
attempt(button.send_event, lv.EVENT.CLICKED, None)
lv.timer_create(fail, 10, None)
attempt(run, 50)
lv.deinit()
try:
    button.get_x()
except lv.LvReferenceError:
    print("gone")
lv.init()
display = virtual_hw.display()
label = lv.label(lv.screen_active())
label.set_text("again")
run(100)
print(lv.timer_handler() != 1, label.get_text())
label.delete()
"""
    with panel_vm() as vm:
        output = vm.run(FAIL + source)
        assert output[-2:] == ["gone", "True again"]
        assert vm.process.exit_reason is None


def test_contained_it_is_printed_once_and_everything_goes_on() -> None:
    source = """
seen = []
button = lv.button(screen)
button.add_event_cb(fail, lv.EVENT.CLICKED, None)
button.add_event_cb(lambda event: seen.append("second"), lv.EVENT.CLICKED, None)
for _ in range(3):
    button.send_event(lv.EVENT.CLICKED, None)
lv.timer_create(fail, 10, None)
run(100)
lv.obj(screen).delete()
button.delete()
print(seen, lv._nesting.value, lv.timer_handler() != 1)
"""
    with panel_vm("contained") as vm:
        output = vm.run(FAIL + source)
        assert output.count("ValueError: from the callback") == 2
        assert output[-1] == "['second', 'second', 'second'] 0 True"


def test_an_exception_that_nobody_catches_ends_the_program_with_its_traceback() -> None:
    with panel_vm() as vm:
        output = vm.run(FAIL + "lv.timer_create(fail, 10, None)\nrun(100)\n")
        assert output[-1] == "ValueError: from the callback"
        assert any("in fail" in line for line in output)
