"""The console and a stock mpremote, while the loop runs."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from peers.console_board import ConsoleBoard, console, console_board
from peers.terminal import Terminal

__all__ = ["console", "console_board"]


def ticks(console: ConsoleBoard) -> int:
    return int(console.mpremote("exec", "print(ticks)"))


def test_exec_answers_and_the_tasks_go_on(console: ConsoleBoard) -> None:
    first = ticks(console)
    assert ticks(console) > first


def test_a_command_that_awaits_leaves_the_loop_running(console: ConsoleBoard) -> None:
    code = (
        "import asyncio\nbefore = ticks\nwhile ticks < before + 50: await asyncio.sleep(0.01)\nprint(before)"
    )
    before = int(console.mpremote("exec", code))
    assert int(console.mpremote("exec", "print(before)")) == before > 0


def test_a_command_that_does_not_await_has_the_loop_for_itself(console: ConsoleBoard) -> None:
    code = "import time; before = ticks; time.sleep(0.1); print(ticks - before)"
    assert console.mpremote("exec", code) == "0\n"


def test_a_script_that_ends_in_asyncio_run_works_beside_the_app(
    console: ConsoleBoard, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import asyncio\nbefore = ticks\n"
        "async def main():\n"
        "    while ticks < before + 20: await asyncio.sleep_ms(1)\n"
        "    return 'done'\n"
        "print(asyncio.run(main()))\n"
    )
    assert console.mpremote("run", str(script)) == "done\n"
    assert int(console.mpremote("exec", "print(ticks - before)")) >= 20
    code = "async def fail(): raise ValueError('of main')\nimport asyncio\nasyncio.run(fail())"
    with pytest.raises(subprocess.CalledProcessError) as failed:
        console.mpremote("exec", code)
    assert "ValueError: of main" in failed.value.stdout + failed.value.stderr
    assert ticks(console) > 0


def test_eval_prints_the_value(console: ConsoleBoard) -> None:
    assert console.mpremote("eval", "6 * 7") == "42\n"


def test_a_traceback_is_that_of_the_built_in_repl(console: ConsoleBoard) -> None:
    code = "def f():\n  return 1 / 0\nf()"
    with pytest.raises(subprocess.CalledProcessError) as here:
        console.mpremote("exec", code)
    with pytest.raises(subprocess.CalledProcessError) as built_in:
        console.mpremote("exec", code, resume=False)
    assert here.value.stdout == built_in.value.stdout
    assert 'File "<stdin>", line 3, in <module>' in here.value.stdout


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_run_takes_a_script_that_awaits(console: ConsoleBoard, tmp_path: Path, line_end: str) -> None:
    script = tmp_path / "script.py"
    lines = [
        "import asyncio",
        "",
        "def twice(n):",
        "\treturn 2 * n",
        "",
        "async def later(n):",
        "    await asyncio.sleep_ms(1)",
        "    return [twice(i) for i in range(n)]",
        "",
        "for n in (1, 3):",
        '    text = """line 1',
        '  line 2"""',
        "    print(text, await later(n))",
        "raise ValueError(n)",
    ]
    script.write_bytes(line_end.join(lines).encode())
    with pytest.raises(subprocess.CalledProcessError) as failed:
        console.mpremote("run", str(script))
    output = failed.value.stdout.replace("\r", "")
    assert output.startswith("line 1\n  line 2 [0]\nline 1\n  line 2 [0, 2, 4]\n")
    assert 'File "<stdin>", line 14, in <module>\nValueError: 3' in output
    assert console.mpremote("exec", "print(n, twice(n))") == "3 6\n"


@pytest.mark.parametrize("code", ["x = 1\ny = = 2\n", "x = 1\nawait y = = 2\n"])
def test_a_syntax_error_names_its_line(console: ConsoleBoard, code: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        console.mpremote("exec", code)
    assert failed.value.stdout.endswith('File "<stdin>", line 2\nSyntaxError: invalid syntax\n')


def test_a_script_too_big_for_the_heap_is_an_error_and_no_more(console: ConsoleBoard, tmp_path: Path) -> None:
    script = tmp_path / "big.py"
    script.write_text("# a line of a script that is too big for the heap of two megabytes\n" * 50_000)
    with pytest.raises(subprocess.CalledProcessError) as failed:
        console.mpremote("run", str(script))
    assert "MemoryError" in failed.value.stdout
    assert ticks(console) > 0


def test_files_of_100_kb_arrive_whole_both_ways(console: ConsoleBoard, tmp_path: Path) -> None:
    data = os.urandom(100_000)
    (tmp_path / "there").write_bytes(data)
    console.mpremote("cp", str(tmp_path / "there"), ":/data.bin")
    assert hashlib.sha256(data).hexdigest() in console.mpremote("sha256sum", ":/data.bin")
    console.mpremote("cp", ":/data.bin", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data
    first = ticks(console)
    console.mpremote("rm", ":/data.bin")
    assert "data.bin" not in console.mpremote("ls", ":/")
    assert ticks(console) > first


CHATTY = """
number = 0

async def chatter():
    global number
    while True:
        print("line >>>", number, "of the app")
        number += 1
        await TaskManager.sleep_ms(3)

chatty = TaskManager.create_task(chatter())
"""


def test_an_app_that_prints_all_the_time_does_not_disturb(console: ConsoleBoard, tmp_path: Path) -> None:
    console.mpremote("exec", CHATTY)
    data = os.urandom(20_000)
    (tmp_path / "there").write_bytes(data)
    console.mpremote("cp", str(tmp_path / "there"), ":/data.bin")
    console.mpremote("cp", ":/data.bin", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data
    assert console.mpremote("rm", ":/data.bin", "+", "exec", "print('mine')") == "rm :/data.bin\nmine\n"
    assert console.mpremote("exec", "print(1)\nawait TaskManager.sleep(0.1)\nprint(2)") == "1\n2\n"


def test_what_the_app_prints_is_shown_when_the_program_has_left(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        terminal.send(b"\x01")
        terminal.until(b"\r\n>")
        terminal.send(b"\x05A\x01")
        terminal.until(b"R\x01\x80\x00\x01")
        terminal.send(
            CHATTY.encode() + b"while number < 3: await TaskManager.sleep_ms(5)\nchatty.cancel()\x04"
        )
        assert terminal.until(b">").lstrip(b"\x01") == b"\x04\x04\x04>"  # nothing but the protocol
        terminal.send(b"\x02")
        assert terminal.until(b"MicroPython").startswith(b"\r\nline >>> 0 of the app\r\nline >>> 1 of")


def test_a_program_that_does_not_paste_sees_what_the_app_prints(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        terminal.enter_raw()
        terminal.run_raw(CHATTY)
        terminal.until(b"of the app")
        terminal.send(b"chatty.cancel()\x04")
        terminal.until(b"OK\x04\x04>")


def test_a_mounted_folder_of_the_host_can_be_read(console: ConsoleBoard, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("from the host")
    output = console.mpremote("mount", str(tmp_path), "exec", "print(open('/remote/note.txt').read())")
    assert output.endswith("from the host\n")


def test_without_resume_the_board_is_reset_and_main_py_left_out(console: ConsoleBoard) -> None:
    console.mpremote("exec", "mark = 1")
    assert console.mpremote("exec", "print('ticks' in globals(), 'mark' in globals())", resume=False) == (
        "False False\n"
    )


def test_soft_reset_runs_main_py_again(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        terminal.type("mark = 1")
        terminal.send(b"\x04")
        terminal.until(b"MPY: soft reboot\r\n")
        terminal.until(b">>> ")
        assert terminal.type("ticks > 0, 'mark' in globals()") == "(True, False)\n"


def test_sys_exit_resets_as_in_the_built_in_repl(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        terminal.send(b"import sys; sys.exit()\r")
        terminal.until(b"MPY: soft reboot\r\n")
        terminal.until(b">>> ")
        assert terminal.type("ticks > 0") == "True\n"


def test_the_repl_of_mpremote_is_interactive(console: ConsoleBoard) -> None:
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "mpremote", "connect", console.port, "resume", "repl"]
    with Terminal(fd=ours) as person:
        mpremote = subprocess.Popen(command, stdin=its, stdout=its, stderr=its)
        os.close(its)
        try:
            person.until(b"to exit this shell")
            person.send(b"\r")
            person.until(b">>> ")
            assert person.type("6 * 7") == "42\n"
            assert re.fullmatch(r"\d+\n", person.type("ticks"))
            person.send(b"\x1d")  # Ctrl-]
            assert mpremote.wait(30) == 0
        finally:
            mpremote.kill()
            mpremote.wait()
