"""Ctrl-C without a console: it leaves the loop, and ends at most the one task in whose step it landed."""

import time

from mpos_host.board.target import Target


def start(board: Target, code: str) -> None:
    """Run `code` in the raw REPL and do not wait for its end."""
    board.device.enter()
    board.device.transport.exec_raw_no_follow(code)


def read_until(board: Target, ending: str, seconds: float = 20.0) -> str:
    return board.device._stream.until(ending.encode(), ending, seconds)


def press_ctrl_c(board: Target) -> None:
    board.device._stream.write(b"\x03")


LOOP_WITH_A_SLEEPER = """
from mpos import TaskManager
count = 0
async def work():
    global count
    while True:
        count += 1
        await TaskManager.sleep_ms(5)
try:
    count
    TaskManager.task_list and print("RESUMES")
except NameError:
    pass
TaskManager.create_task(work(), "sleeper") if not TaskManager.task_list else None
async def ready():
    print("RUNS")
TaskManager.create_task(ready())
try:
    TaskManager.start()
except KeyboardInterrupt:
    print("LEFT", len(TaskManager.task_list), count > 0)
"""


def test_while_the_loop_waits_it_leaves_start_and_no_task_is_lost(board: Target) -> None:
    for _ in range(3):
        start(board, LOOP_WITH_A_SLEEPER)
        read_until(board, "RUNS")
        time.sleep(0.02)
        press_ctrl_c(board)
        # The sleeper and the loop's own task for the inbox.
        assert " 2 True" in read_until(board, "\x04")
        read_until(board, "\x04")


HOG = """
from mpos import TaskManager
log = []
async def hog():
    try:
        print("HOGS")
        while True:
            pass
    finally:
        log.append("finally")
async def waiter(task):
    try:
        await task
    except Exception as error:
        log.append(type(error).__name__)
async def other():
    while True:
        await TaskManager.sleep_ms(1)
task = TaskManager.create_task(hog(), "the hog")
TaskManager.create_task(waiter(task))
survivor = TaskManager.create_task(other())
try:
    TaskManager.start()
except KeyboardInterrupt:
    print("LEFT", log, task.done(), survivor.done())
TaskManager.run_until_complete(TaskManager.sleep_ms(5))
print("THEN", log, survivor.done())
"""


def test_in_a_step_it_ends_that_task_releases_its_waiter_and_no_other(board: Target) -> None:
    start(board, HOG)
    read_until(board, "HOGS")
    press_ctrl_c(board)
    printed = read_until(board, "\x04")
    assert not read_until(board, "\x04")
    assert "Ctrl-C landed in task 'the hog'" in printed
    assert (
        "LEFT ['finally'] True False" in printed
        or "LEFT ['finally', 'TaskInterrupted'] True False" in printed
    )
    assert "THEN ['finally', 'TaskInterrupted'] False" in printed


SUPERVISED = """
from mpos import TaskManager
starts = 0
async def work():
    global starts
    starts += 1
    if starts == 1:
        print("HOGS")
        while True:
            pass
    print("AGAIN")
    TaskManager.stop()
task = TaskManager.create_supervised_task(work, restart_delay_ms=1)
try:
    TaskManager.start()
except KeyboardInterrupt:
    print("LEFT", task.done())
TaskManager.start()
"""


def test_a_supervised_task_in_which_it_lands_is_started_again(board: Target) -> None:
    start(board, SUPERVISED)
    read_until(board, "HOGS")
    press_ctrl_c(board)
    printed = read_until(board, "\x04")
    assert "LEFT False" in printed
    assert "AGAIN" in printed
