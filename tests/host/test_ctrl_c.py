"""Ctrl-C without a console: it leaves the loop between two steps, or ends what holds the loop."""

import time

import pytest

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
    TaskManager.list_tasks() and print("RESUMES")
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
import time
from mpos import TaskManager
log = []
async def hog():
    try:
        print("HOGS")
        {hogging}
    finally:
        log.append("finally")
async def waiter(task):
    try:
        await task
    except Exception as error:
        log.append(type(error).__name__)
    print("SEEN", log, survivor.done())
    TaskManager.stop()
async def other():
    while True:
        await TaskManager.sleep_ms(1)
task = TaskManager.create_task(hog(), "the hog")
TaskManager.create_task(waiter(task))
survivor = TaskManager.create_task(other())
TaskManager.start()
print("STOPPED", TaskManager.last_errors())
survivor.cancel()
"""

HOGGING = {
    "computing": "while True: pass",
    "sleeping": "time.sleep(100)",
    "sleeping-often": "while True: time.sleep_ms(10)",
    "allocating": "while True: bytearray(100)",
    "catching-errors": "while True:\n            try: int('x')\n            except Exception: pass",
}


@pytest.mark.parametrize("hogging", HOGGING)
@pytest.mark.parametrize("when", ["at once", "later"])
def test_a_task_that_holds_the_loop_is_ended_and_all_else_goes_on(
    board: Target, hogging: str, when: str
) -> None:
    start(board, HOG.replace("{hogging}", HOGGING[hogging]))
    read_until(board, "HOGS")
    if when == "later":
        time.sleep(2.5)
    press_ctrl_c(board)
    printed = read_until(board, "\x04")
    assert not read_until(board, "\x04")
    assert "SEEN ['finally', 'TaskInterrupted'] False" in printed
    assert "STOPPED []" in printed


def test_a_long_step_that_ends_by_itself_has_ctrl_c_leave_the_loop_after_it(board: Target) -> None:
    start(
        board,
        """
import time
from mpos import TaskManager
async def slow():
    print("BEGINS")
    time.sleep_ms(300)
    print("ENDS")
    await TaskManager.sleep_ms(0)
    return 7
task = TaskManager.create_task(slow())
try:
    TaskManager.start()
except KeyboardInterrupt:
    print("LEFT")
async def result():
    return await task
print("RESULT", TaskManager.run_until_complete(result()))
""",
    )
    read_until(board, "BEGINS")
    press_ctrl_c(board)
    printed = read_until(board, "\x04")
    assert not read_until(board, "\x04")
    assert printed.index("ENDS") < printed.index("LEFT") < printed.index("RESULT 7")


CALLBACKS = {
    "posted": "UiBridge.post(hog)",
    "timer": "UiBridge.timer(lambda timer: hog(), 1, repeat=1)",
    "raw LVGL timer": "lv.timer_create(lambda timer: hog() if not hogs else None, 1, None)",
    "event": "button = lv.button(lv.screen_active())\n"
    "UiBridge.on(button, lv.EVENT.CLICKED, lambda event: hog())\n"
    "UiBridge.post(button.send_event, lv.EVENT.CLICKED, None)",
    "frame": "TaskManager.lvgl_loop().before_frame(hog)",
}

HOG_IN_A_CALLBACK = """
import time, board, lvgl as lv
from mpos import LvglLoop, TaskManager, UiBridge
hardware = board.init()
TaskManager.attach(LvglLoop(hardware.display, hardware.inputs))
hogs = []
fired = []
ended = []
def hog():
    hogs.append(True)
    print("HOGS")
    while True:
        pass
def after(name, task):
    ended.append(name)
TaskManager.after_interrupt(after)
UiBridge.timer(lambda timer: fired.append(True), 5)
{how}
async def watch():
    while not ended:
        await TaskManager.sleep_ms(5)
    print("ENDED", ended)
    del fired[:]
    while len(fired) < 4:
        await TaskManager.sleep_ms(5)
    print("FIRED HOGS", len(hogs))
TaskManager.run_until_complete(watch())
"""


@pytest.mark.parametrize("how", CALLBACKS)
def test_a_callback_that_holds_the_loop_is_ended_and_all_else_goes_on(board: Target, how: str) -> None:
    start(board, HOG_IN_A_CALLBACK.replace("{how}", CALLBACKS[how]))
    read_until(board, "HOGS")
    press_ctrl_c(board)
    printed = read_until(board, "\x04")
    assert not read_until(board, "\x04")
    assert "FIRED HOGS 1" in printed
    assert "which held the loop" in printed


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
task = TaskManager.create_supervised_task(work, restart_delay_ms=1, name="worker")
TaskManager.start()
"""


def test_a_supervised_task_that_holds_the_loop_is_started_again(board: Target) -> None:
    start(board, SUPERVISED)
    read_until(board, "HOGS")
    press_ctrl_c(board)
    printed = read_until(board, "\x04")
    assert not read_until(board, "\x04")
    assert "Ctrl-C ended 'worker', which held the loop" in printed
    assert "AGAIN" in printed
