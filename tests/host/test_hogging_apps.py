"""An app that holds the loop locks nobody out: Ctrl-C ends it, from mpremote and from our tools as well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mpos_host import project
from mpos_host.board import screen
from mpos_host.board.deploy import deploy, plan
from mpos_host.board.target import Target

SECONDS = 20

MANIFEST = '{"name": "Hog", "package": "hog", "version": "1", "entry": "hog:Hog"}'

APP = """
import time
import lvgl as lv
from mpos import Activity, TaskManager, UiBridge

def hog():
    print("HO" + "GS")
    HOGGING

class Hog(Activity):
    def onCreate(self):
        screen = lv.obj()
        lv.label(screen).set_text("The hog's screen")
        self.button = lv.button(screen)
        self.setContentView(screen)
        ON_CREATE

    def onResume(self, screen):
        super().onResume(screen)
        ON_RESUME

    async def work(self):
        await TaskManager.sleep_ms(20)
        hog()
"""

PLACES = {
    "onCreate": ("hog()", "pass"),
    "onResume": ("pass", "hog()"),
    "a task": ("self.create_task(self.work(), 'the hog')", "pass"),
    "a timer": ("UiBridge.timer(lambda timer: hog(), 20, repeat=1)", "pass"),
    "an event": (
        "self.on(self.button, lv.EVENT.CLICKED, lambda event: hog())",
        "TaskManager.post(self.button.send_event, lv.EVENT.CLICKED, None)",
    ),
    "a raw timer": ("lv.timer_create(lambda timer: (timer.pause(), hog()), 20, None)", "pass"),
}


def app_of(folder: Path, place: str, hogging: str = "while True: pass") -> project.App:
    on_create, on_resume = PLACES[place]
    text = APP.replace("HOGGING", hogging).replace("ON_CREATE", on_create).replace("ON_RESUME", on_resume)
    (folder / "manifest.json").write_text(MANIFEST)
    (folder / "hog.py").write_text(text)
    return project.load_app(str(folder))


def boot(board: Target, app: project.App) -> None:
    """Bring the app onto the board and switch it on; returns when the app hogs."""
    assert board.virtual is not None
    board.device.enter()
    deploy(board.device, plan(board.board, [app]), board.board)
    since = board.virtual.output_position
    board.restart()
    board.virtual.wait_output("HOGS", since=since)


@pytest.mark.requires("virtual")
@pytest.mark.parametrize("place", PLACES)
def test_ctrl_c_finishes_its_activity_and_says_so(board: Target, tmp_path: Path, place: str) -> None:
    boot(board, app_of(tmp_path, place))
    assert screen.wait_text(board, "Ctrl-C", SECONDS), screen.texts(board)
    texts = screen.texts(board)
    assert "The hog's screen" not in texts, texts
    running = "[mpos.TaskManager.is_running(), len(mpos.TaskManager.task_list) >= 3]"
    assert board.device.call(running, "mpos") == [True, True]


@pytest.mark.requires("virtual")
@pytest.mark.parametrize("hogging", ["while True: pass", "time.sleep(100)"])
def test_mpremote_gets_in_and_resets_it(board: Target, tmp_path: Path, hogging: str) -> None:
    boot(board, app_of(tmp_path, "onCreate", hogging))
    port = board.port
    command = [sys.executable, "-m", "mpremote", "connect", port, "resume", "exec", "print(6 * 7)"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert answer.stdout.endswith("42\n"), answer


@pytest.mark.requires("virtual")
def test_mpos_reset_and_deploy_work(board: Target, tmp_path: Path) -> None:
    assert board.virtual is not None
    boot(board, app_of(tmp_path, "a task"))
    since = board.virtual.output_position
    subprocess.run(
        [sys.executable, "-m", "mpos_host", "reset", "--port", board.port], check=True, timeout=SECONDS
    )
    board.virtual.wait_output("HOGS", since=since)  # It runs, and hogs, again.
    command = [sys.executable, "-m", "mpos_host", "deploy", "--port", board.port, "--board", "virtual"]
    done = subprocess.run([*command, "apps/demo_download"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    since = board.virtual.output_position
    board.restart()
    board.virtual.wait_output(">>> ", since=since)
    assert board.device.call("mpos.main.first_app()", "mpos.main") == "demo_download"
