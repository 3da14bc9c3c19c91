"""After a raw event callback raised on a board where LVGL cannot be put right: the UI is started again.

The virtual board's panel ends, as a board would crash, when anything is deleted after that.
"""

from pathlib import Path

import pytest

from mpos_host import project
from mpos_host.board import screen
from mpos_host.board.target import Target
from mpos_host.cli.run import start_app

SECONDS = 20

MANIFEST = '{"name": "Restart", "package": "restart", "version": "1", "entry": "restart:Below"}'

APP = """
import lvgl as lv
from mpos import Activity, TaskManager
from mpos.app import activities

count = 0
created = 0

def fail(event):
    raise ValueError("in a raw callback")

class Below(Activity):
    def onCreate(self):
        screen = lv.obj()
        self.label = lv.label(screen)
        self.setContentView(screen)
        self.create_task(self.work())
        activities.start(Above())

    async def work(self):
        global count
        while True:
            await TaskManager.sleep_ms(5)
            count += 1
            self.label.set_text("Below " + str(count))

class Above(Activity):
    def onCreate(self):
        global created
        created += 1
        screen = lv.obj()
        lv.label(screen).set_text("Above %d" % created)
        self.add_button(screen, "Raise", fail).align(lv.ALIGN.BOTTOM_LEFT, 0, 0)
        back = self.add_button(screen, "Back", None)
        back.align(lv.ALIGN.BOTTOM_RIGHT, 0, 0)
        self.on(back, lv.EVENT.CLICKED, lambda event: self.finish())
        self.setContentView(screen)

    def add_button(self, screen, text, raw):
        button = lv.button(screen)
        lv.label(button).set_text(text)
        if raw is not None:
            button.add_event_cb(raw, lv.EVENT.CLICKED, None)
        return button
"""


@pytest.fixture
def app(tmp_path: Path) -> project.App:
    (tmp_path / "manifest.json").write_text(MANIFEST)
    (tmp_path / "restart.py").write_text(APP)
    return project.load_app(str(tmp_path))


def tap(board: Target, text: str) -> None:
    assert screen.wait_text(board, text, SECONDS), screen.texts(board)
    board.panel.click(*screen.centre_of(board, text))


@pytest.mark.requires("panel")  # elsewhere LVGL is put right: tests/device/test_mending.py
def test_the_activity_starts_again_and_the_tasks_of_others_live(app: project.App, board: Target) -> None:
    start_app(board, app, {})
    for number in (1, 2):
        assert screen.wait_text(board, f"Above {number}", SECONDS)
        tap(board, "Raise")
        assert screen.wait_text(board, "ValueError: in a raw callback", SECONDS)
        tap(board, "Tap to restart Above")
    assert screen.wait_text(board, "Above 3", SECONDS)
    assert not any("raw callback" in text for text in screen.texts(board))
    before = board.device.call("restart.count", "restart")
    tap(board, "Back")
    assert screen.wait_text(board, "Below", SECONDS)
    count = "await mpos.ui.inspect.wait_for('Below %d' % (restart.count + 5), 10000)"
    assert board.device.call(count, "restart,mpos.ui.inspect")
    assert board.device.call("restart.count", "restart") > before
    assert board.exit_reason() is None
