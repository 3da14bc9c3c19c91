"""How the virtual board dies, says so, starts again, and leaves nothing behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from serial_board import bare_board, mpremote, raw_repl

import mpos_host
from mpos_host.project import UserError
from mpos_host.virtual import BoardError, FlashError, VirtualBoard

__all__ = ["bare_board"]


@pytest.fixture
def temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A temporary folder of the test's own: other tests' boards come and go in the usual one."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("TMPDIR", folder)
        yield folder


@pytest.fixture
def nothing_left(temporary_folder: str) -> Iterator[None]:
    """Descriptors, threads, child processes and temporary files are the same after the test as before."""
    before = _resources()
    yield
    deadline = time.monotonic() + 10
    while _resources() != before and time.monotonic() < deadline:
        time.sleep(0.01)  # another thread may be just about to end
    assert _resources() == before


def _resources() -> dict[str, object]:
    me = os.getpid()
    children = [
        Path(f"/proc/{me}/task/{thread}/children").read_text() for thread in os.listdir(f"/proc/{me}/task")
    ]
    return {
        "descriptors": sorted(set(os.listdir("/proc/self/fd"))),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "children": sorted(child for line in children for child in line.split()),
        "files": sorted(os.listdir(tempfile.gettempdir())),
    }


def kill_vm(board: VirtualBoard, number: signal.Signals = signal.SIGKILL) -> None:
    assert board.vm_pid is not None
    os.kill(board.vm_pid, number)


def test_a_board_with_its_panel_leaves_nothing(nothing_left: None) -> None:
    with VirtualBoard() as board:
        mpremote(
            board, "exec", "import lvgl as lv, virtual_hw; virtual_hw.display(); print(lv.version_major())"
        )
        board.reset()
        assert board.panel is not None
        board.panel.info()
    board.close()


def test_closing_while_code_runs_and_prints_leaves_nothing(nothing_left: None) -> None:
    for code in ("while True: pass", "while True: print('x')", "import time; time.sleep(1000)"):
        with VirtualBoard(panel=False) as board, raw_repl(board) as transport:
            transport.exec_raw_no_follow(code)


def test_a_start_that_fails_leaves_nothing(nothing_left: None, tmp_path: Path) -> None:
    (tmp_path / "bad.img").write_bytes(b"x" * 2**20)
    with pytest.raises(FlashError):
        VirtualBoard(flash_size=2**20, flash_path=tmp_path / "bad.img")
    with pytest.raises(BoardError, match="exit code 1"):
        VirtualBoard(binary="/bin/false")
    with pytest.raises(BoardError, match="a heap that is too small.*MemoryError"):
        VirtualBoard(heap="8k", panel=False)
    with pytest.raises(UserError, match="heap 'much'"):
        VirtualBoard(heap="much")
    with pytest.raises(UserError, match="no executable"):
        VirtualBoard(binary=tmp_path / "bad.img")
    with pytest.raises(ValueError, match="upstream"):
        VirtualBoard(exceptions="other")


def test_a_killed_vm_is_reported_and_can_be_started_again(bare_board: VirtualBoard) -> None:
    bare_board.wait_output(">>> ")
    mpremote(bare_board, "exec", "print('the last words')")
    assert bare_board.exit_reason is None
    kill_vm(bare_board)
    bare_board.wait_output("MPY: the VM was killed by SIGKILL")
    assert bare_board.exit_reason is not None
    assert "killed by SIGKILL" in bare_board.exit_reason
    assert bare_board.vm_pid is None
    bare_board.reset()
    assert bare_board.exit_reason is None
    assert mpremote(bare_board, "exec", "print(1)") == "1\r\n"


def test_a_closed_board_says_so() -> None:
    board = VirtualBoard(panel=False)
    board.close()
    board.close()
    with pytest.raises(BoardError, match="closed"):
        board.reset()


def test_a_crash_ends_the_command_that_caused_it_with_the_reason(bare_board: VirtualBoard) -> None:
    crash = "import uctypes\nprint('before')\nuctypes.bytearray_at(8, 8)[:] = b'12345678'"
    output = mpremote(bare_board, "exec", crash, fails=True)
    assert "before" in output and "killed by SIGSEGV" in output


def test_the_next_mpremote_gets_a_board_without_the_main_that_died(bare_board: VirtualBoard) -> None:
    with raw_repl(bare_board) as transport:
        transport.fs_writefile("main.py", b"import uctypes\nuctypes.bytearray_at(8, 8)[:] = b'12345678'")
    bare_board.reset()
    bare_board.wait_output("killed by SIGSEGV")
    assert mpremote(bare_board, "rm", ":main.py", "+", "exec", "print('repaired')").endswith("repaired\r\n")
    assert bare_board.exit_reason is None


def test_waiting_for_output_ends_with_the_board_and_says_why(bare_board: VirtualBoard) -> None:
    bare_board.wait_output(">>> ")
    with pytest.raises(TimeoutError, match="did not print 'never' .within 0.1 s.; it printed: .*MicroPython"):
        bare_board.wait_output("never", timeout=0.1)
    threading.Timer(0.2, kill_vm, [bare_board]).start()
    with pytest.raises(TimeoutError, match="killed by SIGKILL"):  # or it would say: within 60 s
        bare_board.wait_output("never", timeout=60)


def test_a_megabyte_that_nobody_reads_is_printed_to_its_end(bare_board: VirtualBoard) -> None:
    with raw_repl(bare_board) as transport:
        transport.exec_raw_no_follow(
            "print('x' * 1000000)\nfor i in range(20000): print('line', i)\nprint('end')"
        )
        bare_board.wait_output("line 19999\r\nend\r\n", timeout=20)
    assert mpremote(bare_board, "exec", "print(1)") == "1\r\n"


def test_a_megabyte_arrives_whole_at_a_slow_reader(bare_board: VirtualBoard) -> None:
    with raw_repl(bare_board) as transport:
        transport.exec_raw_no_follow("for i in range(20): print('%2d' % i * 25000)")
        expected = b"".join(b"%2d" % i * 25000 + b"\r\n" for i in range(20)) + b"\x04\x04>"
        data = b""
        while len(data) < len(expected):
            time.sleep(0.002)  # slow
            piece = transport.serial.read(min(16384, len(expected) - len(data)))
            assert piece, f"only {len(data)} of {len(expected)} bytes came"
            data += piece
        assert data == expected


def test_the_panels_death_is_the_boards(nothing_left: None) -> None:
    with VirtualBoard() as board:
        panel = board.panel_pid
        children = Path(f"/proc/{panel}/task/{panel}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        board.wait_output("the panel died")
        assert board.exit_reason is not None and "the panel died" in board.exit_reason
        board.reset()
        assert board.exit_reason is None
        assert mpremote(board, "exec", "import lvgl; print(lvgl.version_major())") == "9\r\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_when_the_host_program_is_killed_everything_ends(
    number: signal.Signals, temporary_folder: str
) -> None:
    program = (
        "from mpos_host.virtual import VirtualBoard\n"
        "import time\n"
        "board = VirtualBoard()\n"
        "print(board.vm_pid, board.panel_pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    host = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(mpos_host.__file__).parents[1])},
    )
    watched: list[int] = []
    try:
        assert host.stdout is not None
        pids = [int(word) for word in host.stdout.readline().split()]
        assert len(pids) == 2
        watched = [os.pidfd_open(pid) for pid in pids]
        host.send_signal(number)
        host.wait(10)
        for descriptor, pid in zip(watched, pids, strict=True):
            assert select.select([descriptor], [], [], 10)[0], f"process {pid} is still there"
    finally:
        host.kill()
        host.communicate()
        for descriptor in watched:
            os.close(descriptor)
    with VirtualBoard():
        assert len(os.listdir(temporary_folder)) == 1, "what the killed program had left is still there"
    assert os.listdir(temporary_folder) == []
