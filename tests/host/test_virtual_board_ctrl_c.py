"""Ctrl-C at the virtual board: it interrupts what runs, each time, and never kills or breaks the VM."""

from __future__ import annotations

import random
import time

import pytest
from mpremote.transport_serial import SerialTransport
from serial_board import bare_board, mpremote, raw_repl

from mpos_host.virtual import VirtualBoard
from mpos_host.virtual.vm import VmProcess

__all__ = ["bare_board"]

# What a handler that raises would break (the heap's work, files), and what only a signal can end (waits).
LOADS = {
    "loop": "while True: pass",
    "allocation": "while True: x = [bytearray(i) for i in range(50)]",
    "collection": "import gc\nwhile True: gc.collect()",
    "printing": "while True: print('hello')",
    "files": "while True:\n with open('f', 'w') as f: f.write('x' * 2000)",
    "imports": "import sys\nwhile True:\n import asyncio\n sys.modules.pop('asyncio')",
    "sleep": "import time\nwhile True: time.sleep(100)",
    "poll": "import select, sys\np = select.poll()\np.register(sys.stdin, 1)\nwhile True: p.poll(100000)",
    "asyncio": "import asyncio\nasync def f():\n while True: await asyncio.sleep_ms(1)\nasyncio.run(f())",
    "threads": (
        "import _thread, time\nrun = [1]\ndef f():\n while run[0]: time.sleep_ms(1)\n"
        "_thread.start_new_thread(f, ())\ntry:\n while True: pass\nfinally:\n run[0] = 0"
    ),
}
ROUNDS = 40


def interrupt_rounds(board: VirtualBoard, code: str, rounds: int) -> None:
    """Start `code` and interrupt it, at once or a little later; the board must be whole after each time."""
    chance = random.Random(code)
    with raw_repl(board, soft_reset=True) as transport:
        for round in range(rounds):
            transport.exec_raw_no_follow(code)
            if round % 2:
                time.sleep(chance.random() * 0.005)  # waits for nothing: it hits another place of the code
            transport.serial.write(b"\x03")
            _, error = transport.follow(30)
            assert error.endswith(b"KeyboardInterrupt: \r\n"), f"round {round}: {error!r}"
            assert transport.exec("print(len(bytearray(5000)))") == b"5000\r\n", f"round {round}"
    assert board.exit_reason is None


@pytest.mark.parametrize("load", LOADS)
def test_it_interrupts_what_runs_and_leaves_the_vm_whole(bare_board: VirtualBoard, load: str) -> None:
    interrupt_rounds(bare_board, LOADS[load], 8 if load == "printing" else ROUNDS)


@pytest.mark.parametrize("load", ["sleep", "poll", "asyncio"])
def test_sent_before_the_code_waits_it_interrupts_the_wait(
    bare_board: VirtualBoard, load: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The VM starts the code, and the code waits, right after the supervisor found nothing to interrupt."""
    attempt = VmProcess.interrupt
    attempts: list[bool] = []

    def attempt_and_stand_still(vm: VmProcess) -> bool:
        attempts.append(attempt(vm))
        # The first is as the Ctrl-C arrives, the second as it is the next to be sent.
        if attempts == [False, False]:
            deadline = time.monotonic() + 20
            while not (vm.catches_interrupt() and vm.waits_for_input()) and time.monotonic() < deadline:
                time.sleep(0.001)
        return attempts[-1]

    with raw_repl(bare_board) as transport:
        transport.read_until(1, b">")
        code = "def f():\n" + " x = 1\n" * 20_000 + LOADS[load]  # takes a moment to compile
        monkeypatch.setattr(VmProcess, "interrupt", attempt_and_stand_still)
        transport.serial.write(code.encode() + b"\x04\x03")
        assert transport.read_until(1, b"\x04>", timeout=30).endswith(b"KeyboardInterrupt: \r\n\x04>")


def test_code_that_catches_it_goes_on_and_gets_the_next_one(bare_board: VirtualBoard) -> None:
    code = (
        "n = 0\nwhile n < 300:\n try:\n  print('ready')\n  while True: pass\n"
        " except KeyboardInterrupt:\n  n += 1\nprint('end', n)"
    )
    with raw_repl(bare_board) as transport:
        transport.exec_raw_no_follow(code)
        for _ in range(300):
            assert transport.read_until(1, b"ready\r\n", timeout=30).endswith(b"ready\r\n")
            transport.serial.write(b"\x03")
        assert transport.follow(30) == (b"end 300\r\n", b"")


def test_sent_right_behind_a_command_it_still_interrupts(bare_board: VirtualBoard) -> None:
    with raw_repl(bare_board) as transport:
        transport.use_raw_paste = False
        for _ in range(50):
            transport.read_until(1, b">")
            # The command and the Ctrl-C in one write: it arrives while the VM reads, compiles, or runs.
            transport.serial.write(b"while True: pass\n" + b"# filler\n" * 100 + b"\x04\x03")
            assert transport.read_until(1, b"\x04>", timeout=30).endswith(b"KeyboardInterrupt: \r\n\x04>")
            transport.serial.write(b"\r\x01")  # a new prompt


def test_at_the_prompt_it_clears_the_line(bare_board: VirtualBoard) -> None:
    bare_board.wait_output(">>> ")
    transport = SerialTransport(bare_board.port, timeout=10)
    try:
        for _ in range(50):
            transport.serial.write(b"nonsense(\x03")
            assert transport.read_until(1, b"\r\n>>> ", timeout=30).endswith(b"\r\n>>> ")
        transport.serial.write(b"1 + 1\r")
        assert transport.read_until(1, b"\r\n2\r\n", timeout=30).endswith(b"\r\n2\r\n")
    finally:
        transport.close()


def test_with_kbd_intr_off_it_is_a_byte_on_stdin(bare_board: VirtualBoard) -> None:
    code = """
import micropython, select, sys
micropython.kbd_intr(-1)
print('ready')
poll = select.poll()
poll.register(sys.stdin, select.POLLIN)
data = b''
while len(data) < 600 and poll.poll(5000):
    data += sys.stdin.buffer.read(1)
print(data == bytes(range(4)) * 100 + b'\\x03' * 200)
micropython.kbd_intr(3)
"""
    with raw_repl(bare_board) as transport:
        transport.exec_raw_no_follow(code)
        transport.read_until(1, b"ready\r\n")
        transport.serial.write(bytes(range(4)) * 100)
        transport.serial.write(b"\x03" * 200)
        assert transport.follow(30) == (b"True\r\n", b"")


def test_it_stops_a_main_that_never_ends(bare_board: VirtualBoard) -> None:
    mpremote(
        bare_board, "exec", "f = open('main.py', 'w'); f.write('print(\"up\")\\nwhile True: pass'); f.close()"
    )
    for _ in range(5):
        since = bare_board.output_position
        bare_board.reset()
        bare_board.wait_output("up\r\n", since=since)
        assert mpremote(bare_board, "exec", "print('in')") == "in\r\n"


def test_while_the_board_starts_it_breaks_nothing(bare_board: VirtualBoard) -> None:
    transport = SerialTransport(bare_board.port, timeout=10)
    try:
        for _ in range(20):
            transport.serial.write(b"\x03\x04\x03\x03")  # a soft reset with Ctrl-C before, during and after
            assert transport.read_until(1, b"soft reboot\r\n", timeout=30).endswith(b"soft reboot\r\n")
            assert transport.read_until(1, b">>> ", timeout=30).endswith(b">>> ")
    finally:
        transport.close()
    assert mpremote(bare_board, "exec", "print(1)") == "1\r\n"


def test_output_that_nobody_reads_does_not_hold_it_up(bare_board: VirtualBoard) -> None:
    with raw_repl(bare_board) as transport:
        transport.exec_raw_no_follow(
            "n = 0\ntry:\n while True: n += 1; print('line', n)\nfinally:\n print('stopped')"
        )
        bare_board.wait_output("line 20000")
        transport.serial.write(b"\x03")
        bare_board.wait_output("stopped")
