"""The virtual board's port, used by the stock mpremote as it would use a real board's."""

from __future__ import annotations

import hashlib
import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path

from serial_board import bare_board, mpremote, raw_repl

from mpos_host.virtual import VirtualBoard

__all__ = ["bare_board"]


def test_exec_and_eval_print_with_a_boards_line_ends(bare_board: VirtualBoard) -> None:
    assert mpremote(bare_board, "exec", "print(1); print('ä')") == "1\r\nä\r\n"
    assert mpremote(bare_board, "resume", "eval", "6 * 7") == "42\r\n"


def test_an_exception_ends_mpremote_with_the_traceback(bare_board: VirtualBoard) -> None:
    output = mpremote(bare_board, "exec", "1 / 0", fails=True)
    assert "ZeroDivisionError: divide by zero" in output


def test_run_executes_a_file_of_the_host(bare_board: VirtualBoard, tmp_path: Path) -> None:
    script = tmp_path / "hello.py"
    script.write_text("for i in range(3):\n    print('line', i)\n" + "# comment\n" * 2000)
    assert mpremote(bare_board, "run", str(script)) == "line 0\r\nline 1\r\nline 2\r\n"


def test_files_are_copied_listed_hashed_and_removed(bare_board: VirtualBoard, tmp_path: Path) -> None:
    content = bytes(range(256)) * 20
    (tmp_path / "data.bin").write_bytes(content)
    mpremote(bare_board, "mkdir", "dir", "+", "cp", str(tmp_path / "data.bin"), ":dir/data.bin")
    assert "5120 data.bin" in mpremote(bare_board, "ls", ":dir")
    assert hashlib.sha256(content).hexdigest() in mpremote(bare_board, "sha256sum", ":dir/data.bin")
    mpremote(bare_board, "cp", ":dir/data.bin", str(tmp_path / "back.bin"), "+", "touch", ":empty")
    assert (tmp_path / "back.bin").read_bytes() == content
    mpremote(bare_board, "rm", ":empty", "+", "rm", "-r", ":dir")
    assert mpremote(bare_board, "ls").splitlines() == ["ls :"]


def test_cat_shows_a_file_and_a_missing_one_is_an_error(bare_board: VirtualBoard) -> None:
    mpremote(bare_board, "exec", "f = open('a.txt', 'w'); f.write('text'); f.close()")
    assert mpremote(bare_board, "cat", "a.txt").endswith("text")
    assert "No such file" in mpremote(bare_board, "cat", "none.txt", fails=True)


def test_a_tree_is_copied_and_its_module_runs(bare_board: VirtualBoard, tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("from .inner.value import VALUE\n")
    (package / "inner" / "value.py").write_text("VALUE = 77\n")
    mpremote(bare_board, "mkdir", "lib", "+", "cp", "-r", str(package), ":lib/")
    assert mpremote(bare_board, "exec", "import package; print(package.VALUE)") == "77\r\n"


def test_a_file_of_200_kilobytes_arrives_whole_both_ways(bare_board: VirtualBoard, tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(os.urandom(200_000))
    mpremote(bare_board, "cp", str(tmp_path / "large.bin"), ":")
    mpremote(bare_board, "cp", ":large.bin", str(tmp_path / "again.bin"))
    assert (tmp_path / "again.bin").read_bytes() == (tmp_path / "large.bin").read_bytes()


def test_df_shows_the_flash(bare_board: VirtualBoard) -> None:
    assert re.search(r"4194304 +8192 +4186112 +0 /", mpremote(bare_board, "df"))


def test_rtc_is_set_and_keeps_going_over_a_reset(bare_board: VirtualBoard) -> None:
    now = time.localtime()
    mpremote(bare_board, "rtc", "--set")
    assert mpremote(bare_board, "rtc").startswith(f"({now.tm_year}, {now.tm_mon}, ")
    mpremote(bare_board, "exec", "import machine; machine.RTC().datetime((2001, 2, 3, 5, 4, 5, 6, 0))")
    assert mpremote(bare_board, "soft-reset", "rtc").startswith("(2001, 2, 3, 5, 4, 5,")
    bare_board.reset()
    assert mpremote(bare_board, "rtc").startswith("(2001, 2, 3, 5, 4, 5,")


def test_mip_installs_a_local_package(bare_board: VirtualBoard, tmp_path: Path) -> None:
    (tmp_path / "thing.py").write_text("NAME = 'thing'\n")
    (tmp_path / "package.json").write_text('{"urls": [["thing.py", "thing.py"]], "version": "1"}')
    mpremote(bare_board, "mip", "install", "--no-mpy", str(tmp_path / "package.json"))
    assert mpremote(bare_board, "exec", "import thing; print(thing.NAME)") == "thing\r\n"


def test_mount_gives_the_board_a_folder_of_the_host(bare_board: VirtualBoard, tmp_path: Path) -> None:
    binary = bytes(range(256)) * 8  # with line feeds and Ctrl-C bytes, in both directions
    (tmp_path / "in.bin").write_bytes(binary)
    (tmp_path / "module.py").write_text("print('from the host')\n")
    code = (
        "import module\ndata = open('in.bin', 'rb').read()\nprint(len(data))\n"
        "f = open('out.bin', 'wb')\nf.write(data)\nf.close()\n"
    )
    output = mpremote(bare_board, "mount", str(tmp_path), "exec", code)
    assert "from the host\r\n2048\r\n" in output
    assert (tmp_path / "out.bin").read_bytes() == binary


def test_edit_brings_the_file_back(bare_board: VirtualBoard, tmp_path: Path, monkeypatch: object) -> None:
    mpremote(bare_board, "exec", "f = open('e.txt', 'w'); f.write('old'); f.close()")
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\nprintf new > "$1"\n')
    editor.chmod(0o755)
    command = [sys.executable, "-m", "mpremote", "connect", bare_board.port, "edit", ":e.txt"]
    subprocess.run(command, env={**os.environ, "EDITOR": str(editor)}, check=True, timeout=60)
    assert mpremote(bare_board, "cat", "e.txt").endswith("new")


def test_repl_takes_lines_and_leaves_with_ctrl_x(bare_board: VirtualBoard) -> None:
    master, slave = os.openpty()
    command = [sys.executable, "-m", "mpremote", "connect", bare_board.port, "repl"]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    try:
        _type(master, b"", b"Use Ctrl-] or Ctrl-x to exit this shell")
        _type(master, b"\r", b">>> ")
        _type(master, b"print(6 * 7)\r", b"\n42\r\n")
        _type(master, b"while True: pass\r\r", b"\r\n... \r\n")
        _type(master, b"\x03", b"KeyboardInterrupt")
        os.write(master, b"\x18")
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _type(terminal: int, keys: bytes, answer: bytes) -> None:
    os.write(terminal, keys)
    seen = b""
    deadline = time.monotonic() + 30
    while answer not in seen:
        ready, _, _ = select.select([terminal], [], [], deadline - time.monotonic())
        assert ready, f"no {answer!r} after typing {keys!r}, but {seen!r}"
        seen += os.read(terminal, 4096)


def test_a_second_mpremote_is_told_that_the_port_is_in_use(bare_board: VirtualBoard) -> None:
    with raw_repl(bare_board):
        assert "in use by another program" in mpremote(bare_board, "exec", "print(1)", fails=True)
    assert mpremote(bare_board, "exec", "print(1)") == "1\r\n"


def test_bytes_for_stdout_buffer_arrive_as_they_are_and_text_in_order(bare_board: VirtualBoard) -> None:
    code = (
        "import sys\nprint('a')\nsys.stdout.buffer.write(b'\\n\\r\\n\\xff\\xfe')\n"
        "sys.stdout.write('b\\n')\nprint('c')"
    )
    with raw_repl(bare_board) as transport:
        assert transport.exec(code) == b"a\r\n\n\r\n\xff\xfeb\r\nc\r\n"


def test_old_raw_mode_without_paste_works(bare_board: VirtualBoard) -> None:
    with raw_repl(bare_board) as transport:
        transport.use_raw_paste = False
        assert transport.exec("print('x' * 3)\n" + "# filler\n" * 500) == b"xxx\r\n"
