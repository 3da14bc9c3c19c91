"""Smoke tests of a board at a serial port, as a real one is: the run can neither start it nor see it die."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from smoke_run import SmokeRun

from mpos_host.virtual.board import VirtualBoard

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def board_at_port() -> Iterator[VirtualBoard]:
    with VirtualBoard() as board:
        yield board


@pytest.fixture
def smoke_run(tmp_path: Path, board_at_port: VirtualBoard) -> SmokeRun:
    return SmokeRun(tmp_path, ["--board=virtual", f"--port={board_at_port.port}"])


def test_a_board_that_resets_itself_is_found_again(smoke_run: SmokeRun):
    smoke_run.write(
        "def test_resets():\n    import machine\n    machine.reset()\ndef test_next():\n    pass\n"
    )
    ended = smoke_run.run()
    assert "the board reset itself in test_resets" in ended.stdout
    assert smoke_run.outcomes() == {"test_resets": "failure", "test_next": "passed"}, ended.stdout


def test_a_board_that_answers_nothing_is_given_up_until_somebody_resets_it(
    smoke_run: SmokeRun, board_at_port: VirtualBoard
):
    smoke_run.write(
        "from reporting import host\n"
        "TIMEOUT = 1\n"
        "def test_hangs():\n    import micropython\n    micropython.kbd_intr(-1)\n"
        "    while True:\n        pass\n"
        "def test_meanwhile():\n    pass\n"
        + "".join(f"def test_later_{number}():\n    pass\n" for number in range(5))
    )
    with subprocess.Popen(
        [*smoke_run.command(), "--", "-v"],
        cwd=smoke_run.folder,
        env=smoke_run.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            seen = ""
            for line in process.stdout:
                seen += line
                if "test_meanwhile FAILED" in line:
                    break
            board_at_port.reset()
            seen += process.communicate(timeout=60)[0]
        finally:
            process.kill()
    assert "test_hangs did not end in 1 s and did not react to Ctrl-C" in seen
    assert "Reset the board by hand" in seen
    outcomes = list(smoke_run.outcomes().values())
    assert outcomes[:2] == ["failure", "failure"] and outcomes[-1] == "passed", seen


def test_by_hand_a_finger_finds_the_targets(smoke_run: SmokeRun, board_at_port: VirtualBoard):
    smoke_run.take("smoke_by_hand.py")
    panel = board_at_port.panel
    assert panel is not None
    touches = iter([(25, 25), (295, 25), (160, 120), (25, 215), (295, 215)])
    with subprocess.Popen(
        [*smoke_run.command("--ask")],
        cwd=smoke_run.folder,
        env=smoke_run.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            seen = ""
            for line in process.stdout:
                seen += line
                if "red dot" in line:
                    panel.wait_text("touch the red dot", 10)
                    panel.click(*next(touches))
                if "as they are named" in line:
                    panel.wait_text("right", 10)
                    panel.click(100, 210)
        finally:
            process.kill()
    assert set(smoke_run.outcomes().values()) == {"passed"}, seen
    assert "finger and target apart, at most: 0 px" in seen


def test_a_board_that_is_not_there_ends_the_run_at_once(tmp_path: Path):
    smoke_run = SmokeRun(tmp_path, ["--board=virtual", "--port=/dev/tty_that_is_not_there"])
    smoke_run.write("def test_one():\n    pass\ndef test_two():\n    pass\n")
    ended = smoke_run.run()
    assert ended.returncode == 4
    assert "there is no port /dev/tty_that_is_not_there: plug the board in" in ended.stdout
    assert "2 not run" in ended.stdout
