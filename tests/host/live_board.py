"""A virtual board with an app that counts taps, and its live view."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mpos_host import project
from mpos_host.board.target import Target
from mpos_host.cli.run import start_app
from mpos_host.virtual.view.server import LiveView

MANIFEST = {"name": "Counter", "package": "counter", "version": "1.0.0", "entry": "counter:Counter"}

COUNTER = """
import lvgl as lv
from mpos import Activity

class Counter(Activity):
    def onCreate(self):
        screen = lv.obj()
        self.count = 0
        self.label = lv.label(screen)
        self.label.set_text("0 taps")
        self.label.set_pos(20, 20)
        button = lv.button(screen)
        button.set_pos(100, 100)
        button.set_size(120, 60)
        button.add_event_cb(self.on_click, lv.EVENT.CLICKED, None)
        text = lv.label(button)
        text.set_text("Tap me")
        text.center()
        self.setContentView(screen)

    def on_click(self, event):
        self.count += 1
        print("tapped", self.count)
        self.label.set_text("%d taps" % self.count)
"""


def write_counter(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    (folder / "counter.py").write_text(COUNTER)
    return folder


@contextmanager
def live_board(folder: Path) -> Iterator[tuple[Target, LiveView]]:
    """A board on which the app runs, its port free for others."""
    with Target(project.load_board("virtual")) as target:
        start_app(target, project.load_app(str(write_counter(folder))), {})
        target.disconnect()
        assert target.virtual is not None
        with LiveView(target.virtual, "Counter") as view:
            yield target, view
