"""The console at a terminal: what is typed, and what Ctrl-C does to it."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from peers.console_board import ConsoleBoard, console, console_board
from peers.terminal import Terminal

__all__ = ["console", "console_board"]

CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"
UP, DOWN, RIGHT, LEFT, HOME, END = (b"\x1b[" + key for key in (b"A", b"B", b"C", b"D", b"H", b"F"))
BACKSPACE = b"\x7f"


def result_of_keys(terminal: Terminal, keys: bytes) -> str:
    """What the line that `keys` make prints."""
    terminal.send(keys + b"\r")
    terminal.until(b"\r\n")
    return terminal.until(b">>> ")[: -len(b">>> ")].decode().replace("\r\n", "\n")


def test_the_session_in_the_docs_is_what_happens(console: ConsoleBoard) -> None:
    page = (Path(__file__).parents[2] / "docs" / "console.md").read_text()
    session = re.findall(r"^```text\n(>>> .*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert session
    with console.terminal() as terminal:
        shown = ""
        for line in re.findall(r"^(?:>>> |\.\.\. ?)(.*)$", session[0], re.MULTILINE):
            terminal.send(line + "\r")
            shown += terminal.until_any(b"\n>>> ", b"\n... ").decode()
        lines = [line.rstrip() for line in f">>> {shown}".replace("\r\n", "\n").split("\n")]
        assert lines[:-1] == session[0].splitlines()


def test_values_are_printed_and_names_are_kept(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        assert terminal.type("6 * 7") == "42\n"
        assert terminal.type("None") == ""
        assert terminal.type("x = 'mark'; y = 2") == ""
        assert terminal.type("x * y") == "'markmark'\n"
        assert terminal.type("") == ""


def test_a_statement_of_several_lines_ends_with_an_empty_one(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        terminal.send(b"def f(n):\r")
        terminal.until(b"\r\n... ")
        terminal.send(b"    return (n +\r")
        terminal.until(b"\r\n... ")
        terminal.send(b"            1)\r")
        terminal.until(b"\r\n... ")
        assert terminal.type("") == ""
        assert terminal.type("f(1)") == "2\n"
        terminal.send(b'text = """one\r')
        terminal.until(b"\r\n... ")
        assert terminal.type('two"""') == ""
        assert terminal.type("text") == "'one\\ntwo'\n"


def test_await_works_at_the_prompt(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        terminal.type("import asyncio")
        terminal.send(b"async def later(n):\r    await asyncio.sleep_ms(20)\r    return n\r\r")
        terminal.until(b"\r\n... \r\n>>> ")
        assert terminal.type("await later(7)") == "7\n"
        assert terminal.type("a, b = await later((1, 2))") == ""
        assert terminal.type("a, b") == "(1, 2)\n"
        terminal.send(b"for i in range(2):\r    print(await later(i))\r\r")
        terminal.until(b"\r\n... \r\n0\r\n1\r\n>>> ")
        assert terminal.type("i") == "1\n"


def test_a_line_can_be_edited(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        assert result_of_keys(terminal, b"12" + LEFT + b"3" + RIGHT + b"4") == "1324\n"
        assert result_of_keys(terminal, b"12x" + BACKSPACE + b"3" + HOME + b"4" + END + b"5") == "41235\n"
        assert result_of_keys(terminal, b"xx" + CTRL_A + b"\x1b[3~\x1b[3~" + b"7") == "7\n"
        assert result_of_keys(terminal, b"'\xc3\xa4\xe2\x82\xac'" + LEFT + LEFT + BACKSPACE) == "'\\u20ac'\n"
        assert result_of_keys(terminal, b"+5" + HOME + b"1" + b"\x0b" + b"2") == "12\n"


def test_the_history_is_under_the_arrow_keys(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        terminal.type("11")
        terminal.type("22")
        assert result_of_keys(terminal, UP + UP) == "11\n"
        assert result_of_keys(terminal, UP + UP + DOWN) == "11\n"
        assert result_of_keys(terminal, UP + b"3") == "113\n"
        assert result_of_keys(terminal, UP + DOWN + b"5") == "5\n"


def test_a_character_may_arrive_in_pieces(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        for byte in "len('\u20ac')".encode():
            terminal.send(bytes((byte,)))
            assert terminal.wait(5)  # its echo
        terminal.send(b"\r")
        terminal.until(b"\r\n")
        assert terminal.until(b">>> ") == b"1\r\n>>> "
        terminal.enter_raw()
        for byte in "print(len('\u20ac\u00e4'))".encode():
            terminal.send(bytes((byte,)))
        assert terminal.run_raw("") == ("2\n", "")


def test_paste_mode_takes_lines_as_they_are(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        terminal.send(CTRL_E)
        terminal.until(b"=== ")
        terminal.send(b"for i in range(3):\r    if i:\r\r        print('i', i)\rprint('end')\r")
        terminal.send(CTRL_D)
        terminal.until(b"=== print('end')\r\n=== \r\n")
        assert terminal.until(b">>> ") == b"i 1\r\ni 2\r\nend\r\n>>> "
        terminal.send(CTRL_E + b"1/0\r" + CTRL_C)
        terminal.until(b"=== \r\n>>> ")
        assert terminal.type("1") == "1\n"


def test_exceptions_do_not_end_the_console(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        for line, error in (
            ("1/0", "ZeroDivisionError: divide by zero"),
            ("x = = 1", "SyntaxError: invalid syntax"),
            ("raise KeyboardInterrupt", "KeyboardInterrupt: "),
            ("raise MemoryError", "MemoryError: "),
            ("bytearray(1 << 30)", "MemoryError: memory allocation failed, allocating 1073741824 bytes"),
            ("raise GeneratorExit", "GeneratorExit: "),
            ("raise StopIteration", "StopIteration: "),
            ("import asyncio; raise asyncio.CancelledError", "CancelledError: "),
            ("await 1", "TypeError: 'int' object isn't iterable"),
            ("await nobody()", "NameError: name 'nobody' isn't defined"),
            ("'\\xff'.encode().decode(); b'\\xff'.decode()", "UnicodeError: "),
        ):
            assert terminal.type(line).splitlines()[-1] == error
        assert terminal.type("1") == "1\n"


def test_lines_of_any_length_and_content(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        assert terminal.type("len('" + "x" * 5000 + "')") == "5000\n"
        terminal.enter_raw()
        assert terminal.run_raw("print(len('" + "x" * 50000 + "'))") == ("50000\n", "")
        assert terminal.run_raw(b"print(1)\0")[1].endswith("SyntaxError: invalid syntax\n")
        assert terminal.run_raw(b"print(b'\xff\xfe'[1])") == ("254\n", "")
        assert terminal.run_raw("# \u20ac\nprint(1)") == ("1\n", "")
        terminal.start_raw("import sys\nsys.stdout.buffer.write(bytes(range(256)) * 4)")
        assert terminal.until(bytes(range(256)) * 4)
        terminal.until(b"\x04\x04>")


def test_a_command_reads_what_is_sent_after_it_started(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        terminal.enter_raw()
        terminal.start_raw("import sys\nprint('ready')\nprint(sys.stdin.readline())\nprint(input('? '))")
        terminal.until(b"ready\r\n")
        terminal.send(b"a line\n")
        terminal.until(b"? ")
        terminal.send(b"an answer\r")
        assert "an answer\n" in terminal.end_raw()[0]
        assert terminal.run_raw("print(1)") == ("1\n", "")


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time\ntime.sleep(60)",
        "import asyncio\nawait asyncio.sleep(60)",
        "import asyncio\nwhile True: await asyncio.sleep(0)",
        "await TaskManager.notify_event().wait()",
        "await TaskManager.create_task(TaskManager.sleep(60))",
        "async def f():\n  while True: pass\nawait f()",
    ],
)
def test_ctrl_c_ends_the_command_and_nothing_else(console: ConsoleBoard, code: str) -> None:
    with console.terminal() as terminal:
        terminal.enter_raw()
        terminal.start_raw("print('on')\n" + code)
        terminal.until(b"on\r\n")
        terminal.send(CTRL_C)
        output, error = terminal.end_raw()
        assert output == ""
        assert error.endswith("KeyboardInterrupt: \n")
        check = "before = ticks\nawait TaskManager.sleep(0.1)\nprint(ticks > before)"
        assert terminal.run_raw(check) == ("True\n", "")


def test_ctrl_c_leaves_a_task_alone_that_the_command_waits_for(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        terminal.enter_raw()
        terminal.run_raw("async def work():\n  await TaskManager.sleep(0.5)\n  return 'done'")
        terminal.run_raw("task = TaskManager.create_task(work())")
        terminal.start_raw("print('on')\nawait task")
        terminal.until(b"on\r\n")
        terminal.send(CTRL_C)
        assert terminal.end_raw()[1].endswith("KeyboardInterrupt: \n")
        assert terminal.run_raw("print(await task)") == ("done\n", "")


def test_a_command_can_clean_up_after_ctrl_c(console: ConsoleBoard) -> None:
    code = (
        "try:\n  print('on')\n  await TaskManager.sleep(60)\n"
        "finally:\n  await TaskManager.sleep(0.01)\n  print('clean')"
    )
    with console.terminal() as terminal:
        terminal.enter_raw()
        terminal.start_raw(code)
        terminal.until(b"on\r\n")
        terminal.send(CTRL_C)
        output, error = terminal.end_raw()
        assert output == "clean\n"
        assert error.endswith("KeyboardInterrupt: \n")


def test_ctrl_c_that_comes_with_a_command_is_not_lost(console: ConsoleBoard) -> None:
    with console.terminal() as terminal:
        terminal.enter_raw()
        terminal.send(b"while True: pass\x04\x03")
        terminal.until(b"OK")
        assert terminal.end_raw()[1].endswith("KeyboardInterrupt: \n")
        assert terminal.run_raw("print(1)") == ("1\n", "")


STORM = [
    "while True: pass",
    "while True: x = [0] * 20",
    "x = 1",
    "print('hello' * 10)",
    "for i in range(1000): pass",
    "import asyncio\nwhile True: await asyncio.sleep_ms(0)",
    "import asyncio\nawait asyncio.sleep(60)",
    "import asyncio\nawait asyncio.sleep_ms(1)",
    "event = TaskManager.notify_event()\nawait event.wait()",
    "def f():\n  try:\n    while True: pass\n  finally:\n    print('f')\nf()",
    "try:\n  while True: await TaskManager.sleep_ms(1)\nfinally:\n  await TaskManager.sleep_ms(1)",
    "for i in range(20):\n  await TaskManager.sleep_ms(1)\n  for j in range(200): pass",
    "for i in range(50): TaskManager.create_task(TaskManager.sleep_ms(1))",
]


def test_a_storm_of_ctrl_c_hurts_nobody_but_the_commands(console: ConsoleBoard) -> None:
    chance = random.Random(20)
    interrupts = 0
    with console.terminal() as terminal:
        terminal.enter_raw()
        tasks = terminal.run_raw("print(sorted(task.name for task in TaskManager.list_tasks()))")
        for _ in range(150):
            terminal.send(chance.choice(STORM).encode() + CTRL_D)
            deadline = time.monotonic() + 60
            while not terminal.has(b"\x04>"):
                assert time.monotonic() < deadline, "a command did not end under Ctrl-C"
                terminal.send(CTRL_C)
                interrupts += 1
                terminal.wait(chance.random() * 0.004)
            terminal.until(b"\x04>")
            for _ in range(chance.randrange(3)):
                terminal.send(CTRL_C)
                interrupts += 1
        assert interrupts > 150
        check = "before = ticks\nwhile ticks < before + 50: await TaskManager.sleep(0.01)\nprint('goes on')"
        assert terminal.run_raw(check) == ("goes on\n", "")
        left = terminal.run_raw("print(sorted(task.name for task in TaskManager.list_tasks()))")
        assert left == tasks
        terminal.send(CTRL_B)
        terminal.until(b">>> ")
        assert terminal.type("1") == "1\n"
