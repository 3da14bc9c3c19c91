"""The boot's door: a board whose app never gets far starts without it, and says why and how to go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpos_host import project
from mpos_host.board import screen
from mpos_host.board.deploy import deploy, plan
from mpos_host.board.target import Target

pytestmark = pytest.mark.requires("virtual")

SECONDS = 20

MANIFEST = '{"name": "App", "package": "app", "version": "1", "entry": "app:App"}'

APP = """
import sys, time
import lvgl as lv
from mpos import Activity, TaskManager

class App(Activity):
    def onCreate(self):
        print("ON" + "CREATE")
        screen = lv.obj()
        lv.label(screen).set_text("The app")
        self.setContentView(screen)
        CODE

    async def tell(self):
        await TaskManager.sleep_ms(11000)
        print("STILL" + "HERE")
"""


SLOW_BOARD = b"""
import time

def init():
    print("BOARD" + "INIT")
    time.sleep(20)
"""

REMOVE = "import os\ntry:\n os.remove('%s')\nexcept OSError:\n pass"


def bring(board: Target, folder: Path, code: str) -> None:
    """Bring an app onto the board, which is not started yet."""
    (folder / "manifest.json").write_text(MANIFEST)
    (folder / "app.py").write_text(APP.replace("CODE", code))
    board.device.enter()
    deploy(board.device, plan(board.board, [project.load_app(str(folder))]), board.board)
    board.device.exec(REMOVE % "/app_starts")


def switch_on(board: Target, text: str) -> None:
    """Start the board afresh and wait until it prints `text`."""
    assert board.virtual is not None
    since = board.virtual.output_position
    board.restart()
    board.virtual.wait_output(text, since=since, timeout=SECONDS)


def assert_not_started(board: Target, why: str) -> None:
    assert screen.wait_text(board, "The app 'app' was not started", SECONDS), screen.texts(board)
    texts = screen.texts(board)
    assert any(why in text for text in texts), texts
    assert "The app" not in texts
    assert board.device.call("mpos.TaskManager.is_running()", "mpos") is True


@pytest.mark.parametrize(
    "code",
    [
        "sys.exit()",
        "import machine; machine.reset()",
        "import machine; machine.WDT(timeout=500)\n        while True: pass",
    ],
    ids=["exits", "resets", "hangs with a watchdog"],
)
def test_an_app_that_ends_each_start_is_started_three_times(board: Target, tmp_path: Path, code: str) -> None:
    assert board.virtual is not None
    bring(board, tmp_path, code)
    since = board.virtual.output_position
    switch_on(board, "was not started")
    printed = board.virtual.wait_output(">>> ", since=since)
    assert_not_started(board, "In its last 3 starts")
    whole = board.virtual.wait_output("was not started", since=since) + printed
    assert "ONCREATE" in whole
    # A reset is one more try.
    switch_on(board, "ONCREATE")
    board.virtual.wait_output("was not started", since=board.virtual.output_position)
    board.device.exec(REMOVE % "/app.txt")


def test_a_board_that_is_switched_off_three_times_early_starts_without_the_app(
    board: Target, tmp_path: Path
) -> None:
    bring(board, tmp_path, "pass")
    for _ in range(3):
        switch_on(board, "ONCREATE")
    switch_on(board, "was not started")
    assert_not_started(board, "mpos deploy")
    switch_on(board, "ONCREATE")


def test_ten_seconds_or_a_command_on_the_console_prove_the_app(board: Target, tmp_path: Path) -> None:
    assert board.virtual is not None
    bring(board, tmp_path, "self.create_task(self.tell())")
    switch_on(board, "ONCREATE")
    switch_on(board, "ONCREATE")
    switch_on(board, "STILLHERE")
    for _ in range(2):
        switch_on(board, "ONCREATE")
    switch_on(board, "ONCREATE")
    assert board.device.eval("6 * 7") == 42
    for _ in range(3):
        switch_on(board, "ONCREATE")
    assert "The app" in screen.texts(board)


def test_a_file_keeps_the_door_open(board: Target, tmp_path: Path) -> None:
    bring(board, tmp_path, "pass")
    board.device.write_file("/no_app", b"")
    switch_on(board, "was not started")
    assert_not_started(board, "There is a file /no_app")
    board.device.exec("import os\nos.remove('/no_app')")
    switch_on(board, "ONCREATE")


def test_ctrl_c_while_the_board_boots_opens_it(board: Target, tmp_path: Path) -> None:
    assert board.virtual is not None
    bring(board, tmp_path, "pass")
    board.device.write_file("/lib/board.py", SLOW_BOARD)
    switch_on(board, "BOARDINIT")
    board.device._stream.write(b"\x03")
    board.virtual.wait_output("Ctrl-C came while the board booted")
    assert board.device.call("mpos.TaskManager.is_running()", "mpos") is True
    board.device.exec(REMOVE % "/lib/board.py")
