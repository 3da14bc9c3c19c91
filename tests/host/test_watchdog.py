"""TaskManager.start(watchdog_ms=...): the board's watchdog is fed for as long as the loop turns."""

import pytest

from mpos_host.board.target import Target

pytestmark = pytest.mark.requires("virtual")

TURNS = """
from mpos import TaskManager
async def stop():
    await TaskManager.sleep_ms(2500)
    print("TURNED")
    TaskManager.stop()
TaskManager.create_task(stop())
TaskManager.start(watchdog_ms=1000)
"""

BLOCKS = """
import time
from mpos import TaskManager
async def block():
    print("BLOCKS")
    time.sleep(20)
TaskManager.create_task(block())
TaskManager.start(watchdog_ms=1000)
"""


def test_a_loop_that_turns_feeds_it(board: Target) -> None:
    assert "TURNED" in board.device.exec(TURNS)


def test_a_loop_that_does_not_turn_has_the_board_reset(board: Target) -> None:
    assert board.virtual is not None
    since = board.virtual.output_position
    board.device.enter()
    board.device.transport.exec_raw_no_follow(BLOCKS)
    printed = board.virtual.wait_output("MPY: watchdog reset", since=since)
    assert "BLOCKS" in printed
    board.restart()
