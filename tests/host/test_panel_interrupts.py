"""Ctrl-C at any moment: the VM and its panel stay in step, and nothing is executed twice."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from mpremote.transport_serial import SerialTransport
from serial_board import raw_repl

from mpos_host.virtual import VirtualBoard

TIMEOUT_S = 20
COUNT = 400

PROLOGUE = """
import sys
import lvgl as lv, virtual_hw, virtual_link
display = virtual_hw.display()
screen = lv.screen_active()
"""

STORM = """
label = lv.label(screen)
outer, inner = lv.button(screen), lv.button(screen)
started = ended = outer_runs = inner_runs = interrupts = wrong = steps = 0

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

def work():
    global started, ended, steps, wrong
    while True:
        steps += 1
        text = "step %d" % steps
        label.set_text(text)
        if label.get_text() != text:
            wrong += 1
        started += 1
        outer.send_event(lv.EVENT.CLICKED, None)
        ended += 1
        lv.tick_inc(5)
        lv.timer_handler()

while interrupts < COUNT:
    try:
        print("next")  # the interrupt may come from now on
        work()
    except KeyboardInterrupt:
        interrupts += 1
        wrong += virtual_link._context != 0
lv.tick_inc(100)
label.set_text("in step")
ok = ended <= outer_runs <= started and outer_runs - 2 * interrupts <= inner_runs <= outer_runs
print("wrong", wrong, "counts", ok, label.get_text())
"""


@pytest.fixture(params=["upstream", "contained"])
def board(request: pytest.FixtureRequest) -> Iterator[VirtualBoard]:
    with VirtualBoard(exceptions=request.param) as made:
        yield made


def test_hundreds_of_interrupts_at_random_moments(board: VirtualBoard) -> None:
    chance = random.Random(7)
    with raw_repl(board) as transport:
        start(transport, STORM.replace("COUNT", str(COUNT)))
        for _ in range(COUNT):
            expect(transport, "next")
            time.sleep(chance.random() ** 2 * 0.003)  # waits for nothing: the moment is what is tested
            interrupt(transport)
        output, error = transport.follow(TIMEOUT_S)
        assert (output, error) == (b"wrong 0 counts True in step\r\n", b"")
    assert board.exit_reason is None


def test_an_interrupt_in_a_callback_leaves_the_request_that_caused_it(board: VirtualBoard) -> None:
    code = """
button = lv.button(screen)
def forever(event):
    print("in callback")
    while True:
        button.get_x()
button.add_event_cb(forever, lv.EVENT.CLICKED, None)
try:
    button.send_event(lv.EVENT.CLICKED, None)
except KeyboardInterrupt:
    print("interrupted")
button.set_width(77)
lv.refr_now(display)
print(button.get_width())
"""
    with raw_repl(board) as transport:
        start(transport, code)
        expect(transport, "in callback")
        interrupt(transport)
        assert transport.follow(TIMEOUT_S) == (b"interrupted\r\n77\r\n", b"")


def test_an_interrupt_while_lvgl_works_is_raised_when_it_is_done(board: VirtualBoard) -> None:
    code = """
label = lv.label(screen)
count = 0
try:
    while True:
        lv.snapshot_take(screen, lv.COLOR_FORMAT.RGB565).destroy()
        count += 1
        if count == 3:
            print("ready")
except KeyboardInterrupt:
    print("interrupted")
label.set_text("in step")
print(label.get_text())
"""
    with raw_repl(board) as transport:
        start(transport, code)
        expect(transport, "ready")
        interrupt(transport)
        assert transport.follow(TIMEOUT_S) == (b"interrupted\r\nin step\r\n", b"")


def start(transport: SerialTransport, code: str) -> None:
    transport.exec_raw_no_follow(PROLOGUE + code)


def expect(transport: SerialTransport, line: str) -> None:
    end = line.encode() + b"\r\n"
    read = transport.read_until(1, end, timeout=TIMEOUT_S)
    assert read.endswith(end), read


def interrupt(transport: SerialTransport) -> None:
    transport.serial.write(b"\x03")
