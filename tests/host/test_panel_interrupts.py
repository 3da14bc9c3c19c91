"""Ctrl-C at any moment: the VM and its panel stay in step, and nothing is executed twice.

The VM is spared what makes the unix port itself fail under such a storm (a collection, or a new string, that
is interrupted).
"""

from __future__ import annotations

import random
import time

import pytest

from peers.panel_vm import TIMEOUT_S, Program, panel_vm

STORM = """
import virtual_link
gc.disable()
label = lv.label(screen)
outer, inner = lv.button(screen), lv.button(screen)
started = ended = outer_runs = inner_runs = interrupts = wrong = 0

def on_inner(event):
    global inner_runs
    inner_runs += 1
    label.get_x()

def on_outer(event):
    global outer_runs, wrong
    outer_runs += 1
    inner.send_event(lv.EVENT.CLICKED, None)
    if event.get_target_obj() is not outer:
        wrong += 1

outer.add_event_cb(on_outer, lv.EVENT.CLICKED, None)
inner.add_event_cb(on_inner, lv.EVENT.CLICKED, None)
steps = 0

def work():
    global started, ended, steps, wrong
    while True:
        steps = (steps + 1) % 100
        label.set_style_x(steps, 0)
        if label.get_style_x(0) != steps:
            wrong += 1
        started += 1
        outer.send_event(lv.EVENT.CLICKED, None)
        ended += 1
        lv.tick_inc(5)
        lv.timer_handler()

print("ready")
while interrupts < COUNT:
    try:
        if interrupts:
            sys.stdout.write(".\\n")  # the next interrupt may come now
        work()
    except KeyboardInterrupt:
        interrupts += 1
        wrong += virtual_link._context != 0
sys.stdout.write(".\\n")
lv.tick_inc(100)
label.set_text("in step")
ok = ended <= outer_runs <= started and outer_runs - 2 * interrupts <= inner_runs <= outer_runs
print("wrong", wrong, "counts", ok, label.get_text())
"""


@pytest.mark.parametrize("exceptions", ["upstream", "contained"])
def test_hundreds_of_interrupts_at_random_moments(exceptions: str) -> None:
    chance = random.Random(7)
    count = 400
    with panel_vm(exceptions) as vm:
        program = vm.start(STORM.replace("COUNT", str(count)), heap="64M")
        assert program.line() == "ready"
        for _ in range(count):
            interrupt(program, chance.random() ** 2 * 0.003)
            said = program.line()
            assert said == ".", [said, *program.rest()]
        assert program.line() == "wrong 0 counts True in step"
        assert vm.process.exit_reason is None


def test_an_interrupt_in_a_callback_leaves_the_request_that_caused_it() -> None:
    source = """
button = lv.button(screen)
def forever(event):
    print("in callback")
    while True:
        button.get_x()
button.add_event_cb(forever, lv.EVENT.CLICKED, None)
try:
    button.send_event(lv.EVENT.CLICKED, None)
except KeyboardInterrupt:
    print("interrupted", lv._nesting.value)
button.set_width(77)
button.update_layout() if hasattr(button, "update_layout") else lv.refr_now(display)
print(button.get_width())
"""
    with panel_vm() as vm:
        program = vm.start(source)
        assert program.line() == "in callback"
        interrupt(program, 0.01)
        assert [program.line(), program.line()] == ["interrupted 1", "77"]


def test_an_interrupt_while_lvgl_works_is_raised_when_it_is_done() -> None:
    source = """
label = lv.label(screen)
print("ready")
count = 0
try:
    while True:
        lv.snapshot_take(screen, lv.COLOR_FORMAT.RGB565).destroy()
        count += 1
except KeyboardInterrupt:
    print("interrupted", count > 0)
label.set_text("in step")
print(label.get_text())
"""
    with panel_vm() as vm:
        program = vm.start(source)
        assert program.line() == "ready"
        interrupt(program, 0.2)
        assert [program.line(), program.line()] == ["interrupted True", "in step"]


def interrupt(program: Program, delay: float) -> None:
    """Send one Ctrl-C after `delay` seconds: the moment is what is tested."""
    time.sleep(delay)
    deadline = time.monotonic() + TIMEOUT_S
    while not program.interrupt():
        assert program.process.poll() is None, "the VM has died"
        assert time.monotonic() < deadline, "the VM does not catch Ctrl-C"
