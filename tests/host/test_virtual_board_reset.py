"""Every way to reset the virtual board, and the parts of `machine` that a board's programs start with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from serial_board import bare_board, mpremote, raw_repl

import mpos_host
from mpos_host.virtual import Flash, VirtualBoard

__all__ = ["bare_board"]


def write(board: VirtualBoard, name: str, text: str) -> None:
    with raw_repl(board) as transport:
        transport.fs_writefile(name, text.encode())


def test_a_soft_reset_from_the_raw_repl_runs_boot_but_not_main(bare_board: VirtualBoard) -> None:
    write(bare_board, "boot.py", "print('boot')")
    write(bare_board, "main.py", "print('main')")
    since = bare_board.output_position
    with raw_repl(bare_board, soft_reset=True) as transport:
        assert transport.exec("print('raw')") == b"raw\r\n"
    output = bare_board.wait_output("raw\r\n\x04", since=since)
    assert "MPY: soft reboot\r\nboot\r\nraw REPL; CTRL-B to exit\r\n>" in output
    assert "main" not in output


def test_a_soft_reset_from_the_friendly_repl_runs_both(bare_board: VirtualBoard) -> None:
    write(bare_board, "boot.py", "print('boot')")
    write(bare_board, "main.py", "name = 'main'; print(name)")
    with raw_repl(bare_board) as transport:
        transport.exit_raw_repl()
        since = bare_board.output_position
        transport.serial.write(b"\x04")
        bare_board.wait_output("MPY: soft reboot\r\nboot\r\nmain\r\n", since=since)
        # What main.py leaves is there at the prompt, as on a board.
        transport.serial.write(b"name * 2\r")
        bare_board.wait_output("'mainmain'\r\n>>> ", since=since)


def test_power_on_and_the_reset_button_run_both(bare_board: VirtualBoard) -> None:
    write(bare_board, "main.py", "import machine; print('cause', machine.reset_cause())")
    since = bare_board.output_position
    bare_board.reset()
    bare_board.wait_output("cause 2\r\n", since=since)


def test_a_soft_reset_by_program_keeps_the_raw_repl(bare_board: VirtualBoard) -> None:
    for statement in (
        "import machine; machine.soft_reset()",
        "import sys; sys.exit()",
        "raise SystemExit(3)",
    ):
        with raw_repl(bare_board) as transport:
            transport.exec("before = 1")
            since = bare_board.output_position
            transport.exec_raw_no_follow(statement)
            bare_board.wait_output("MPY: soft reboot\r\nraw REPL; CTRL-B to exit\r\n>", since=since)
            transport.read_until(1, b"to exit\r\n")
            assert transport.exec("print('before' in globals())") == b"False\r\n"
            code = "import machine; print(machine.reset_cause() == machine.SOFT_RESET)"
            assert transport.exec(code) == b"True\r\n"
    assert bare_board.exit_reason is None


def test_a_soft_reset_out_of_main_starts_over(bare_board: VirtualBoard) -> None:
    main = (
        "import os, machine\n"
        "if 'once' not in os.listdir():\n open('once', 'w').close()\n machine.soft_reset()\nprint('second')"
    )
    write(bare_board, "main.py", main)
    since = bare_board.output_position
    bare_board.reset()
    assert "MPY: soft reboot" in bare_board.wait_output("second\r\n", since=since)


def test_an_error_in_boot_or_main_is_shown_and_the_repl_comes(bare_board: VirtualBoard) -> None:
    write(bare_board, "boot.py", "1 / 0")
    write(bare_board, "main.py", "print('main')\nopen('missing')")
    since = bare_board.output_position
    bare_board.reset()
    output = bare_board.wait_output(">>> ", since=since)
    assert 'File "/boot.py", line 1' in output and "ZeroDivisionError" in output
    assert "main\r\n" in output and "ENOENT" in output


def test_machine_reset_is_a_fresh_start(bare_board: VirtualBoard) -> None:
    write(bare_board, "main.py", "import machine; print('up', machine.reset_cause())")
    pid = bare_board.vm_pid
    since = bare_board.output_position
    mpremote(bare_board, "reset")
    bare_board.wait_output("up 2\r\n", since=since)
    assert bare_board.vm_pid != pid


def test_what_was_printed_before_a_reset_arrives(bare_board: VirtualBoard) -> None:
    since = bare_board.output_position
    with raw_repl(bare_board) as transport:
        transport.exec_raw_no_follow("import machine\nprint('x' * 30000)\nprint('goodbye')\nmachine.reset()")
        bare_board.wait_output("goodbye\r\n", since=since)


def test_a_hundred_resets_in_a_row(bare_board: VirtualBoard) -> None:
    with raw_repl(bare_board) as transport:
        for number in range(70):
            transport.enter_raw_repl(soft_reset=True)
            assert transport.exec(f"print({number})") == b"%d\r\n" % number
    for _ in range(30):
        bare_board.reset()
    assert mpremote(bare_board, "exec", "print(1)") == "1\r\n"


def test_a_watchdog_that_is_not_fed_resets_the_board(bare_board: VirtualBoard) -> None:
    write(bare_board, "main.py", "import machine; print('cause', machine.reset_cause())")
    with raw_repl(bare_board, soft_reset=True) as transport:
        since = bare_board.output_position
        code = (
            "import machine, time\nw = machine.WDT(timeout=600)\n"
            "for _ in range(10):\n time.sleep_ms(120)\n w.feed()\nprint('fed')\nwhile True: pass"
        )
        transport.exec_raw_no_follow(code)
        output = bare_board.wait_output("cause 3\r\n", since=since)
    assert output.index("fed") < output.index("MPY: watchdog reset")
    assert mpremote(bare_board, "exec", "print(1)") == "1\r\n"


def test_a_watchdog_ends_with_a_reset(bare_board: VirtualBoard) -> None:
    since = bare_board.output_position
    start = "import machine; machine.WDT(timeout=1500)"
    wait = "import time; time.sleep(2); print('still here')"
    assert mpremote(bare_board, "exec", start, "+", "soft-reset", "exec", wait) == "still here\r\n"
    assert "watchdog" not in bare_board.wait_output("still here", since=since)


STANDS_STILL = """
from mpos_host.virtual import VirtualBoard
with VirtualBoard(panel=False, flash_path={flash!r}) as board:
    board.wait_output("fed 3\\r\\n")
    print(board.vm_pid, flush=True)
    input()
    for _ in range(2):
        since = board.output_position
        board.wait_output("fed 3\\r\\n", timeout=30, since=since)
    print("watchdog" in board.output)
"""


def test_a_host_that_stands_still_is_no_reason_for_a_watchdog(tmp_path: Path) -> None:
    flash = tmp_path / "flash.img"
    main = (
        "import machine, time\nw = machine.WDT(timeout=500)\nn = 0\nwhile True:\n"
        " w.feed()\n time.sleep_ms(10)\n n = n % 9 + 1\n print('fed', n)\n"
    )
    with Flash(4 * 2**20, flash) as image:
        image.write_file("/main.py", main.encode())
    with subprocess.Popen(
        [sys.executable, "-c", STANDS_STILL.format(flash=str(flash))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(mpos_host.__file__).parents[1])},
    ) as host:
        assert host.stdout is not None
        try:
            vm = int(host.stdout.readline())
            for pid in (vm, host.pid):
                os.kill(pid, signal.SIGSTOP)
            time.sleep(1)  # the host stands still
            for pid in (host.pid, vm):
                os.kill(pid, signal.SIGCONT)
                time.sleep(0.05)  # and the board's VM is the last to get time
            assert host.communicate("go on\n", timeout=60)[0] == "False\n"
        finally:
            host.kill()


def test_machine_knows_the_board(bare_board: VirtualBoard) -> None:
    code = "import machine; print(machine.unique_id().hex(), machine.freq() // 1000000)"
    first = mpremote(bare_board, "exec", code)
    identifier, megahertz = first.split()
    assert len(identifier) == 12 and megahertz == "240"
    bare_board.reset()
    assert mpremote(bare_board, "exec", code) == first


def test_a_pin_keeps_its_level_and_calls_its_handler(bare_board: VirtualBoard) -> None:
    code = """
from machine import Pin
seen = []
def changed(pin):
    seen.append(pin.value())
p = Pin(4, Pin.OUT)
p.irq(changed, Pin.IRQ_RISING)
p(1); p(0); p.on(); p.off()
for _ in range(10): pass
print(Pin(4).value(), seen, Pin(5, Pin.IN, Pin.PULL_UP).value())
try:
    Pin(99)
except ValueError as e:
    print(e)
"""
    assert mpremote(bare_board, "exec", code) == "0 [1, 1] 1\r\ninvalid pin\r\n"
