"""What a running test says to the host: figures and pictures for the report, and questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mpos_host import project
from mpos_host.board import screen
from mpos_host.board.target import Target
from mpos_host.testing.smoke.messages import MessageReader
from mpos_host.testing.smoke.pictures import CheckedPicture, PictureStore


@dataclass(frozen=True)
class Figure:
    """Something a test measured."""

    name: str
    value: float | str
    unit: str

    def __str__(self) -> str:
        return f"{self.value} {self.unit}".rstrip()


class Dialogue:
    """One test's: give `feed` to the run as its output. `say` shows a person what they are asked to do.

    `ended` turns true when the board has run `END`, which follows the test: one that resets the board ends
    without a traceback as well.
    """

    END = "print(end='\\x1e{\"ended\": true}\\x1f')"

    def __init__(self, target: Target, store: PictureStore, say: Callable[[str], None]):
        self.figures: list[Figure] = []
        self.pictures: list[CheckedPicture] = []
        self.ended = False
        self._target = target
        self._store = store
        self._say = say
        self._reader = MessageReader(self._on_message)
        self.feed = self._reader.feed

    @property
    def output(self) -> str:
        """What the test printed."""
        return self._reader.output

    @property
    def tail(self) -> str:
        """The end of it."""
        return self._reader.tail

    @property
    def wrong_pictures(self) -> list[CheckedPicture]:
        return [picture for picture in self.pictures if not picture.good]

    def _on_message(self, message: dict[str, Any], body: str) -> None:
        if "ended" in message:
            self.ended = True
        elif "figure" in message:
            self.figures.append(Figure(message["figure"], message["value"], message["unit"]))
        elif "picture" in message:
            self._take(message["picture"], screen.png_of(body))
        elif "ask" in message:
            self._target.device.send_line(json.dumps(self._answer(message["ask"], message["arguments"])))

    def _answer(self, what: str, arguments: list[Any]) -> dict[str, Any]:
        handler = {"picture": self._picture, "click": self._click, "touch": self._touch, "say": self._say}
        try:
            if what not in handler:
                raise ValueError("it knows " + ", ".join(handler))
            return {"value": handler[what](*arguments)}
        except Exception as error:  # the test on the board is told, and fails with it
            return {"error": str(error)}

    def _picture(self, name: str) -> bool:
        """Take the picture here; False if the board must send it."""
        if "panel" not in self._target.abilities:
            return False
        self._take(name, self._target.panel.screenshot())
        return True

    def _click(self, x: int, y: int) -> None:
        self._target.panel.click(x, y)

    def _touch(self, x: int, y: int, pressed: bool) -> None:
        self._target.panel.touch(x, y, pressed)

    def _take(self, name: str, png: bytes) -> None:
        self.pictures.append(self._store.check(name, png))


def new_dialogue(config: pytest.Config, target: Target) -> Dialogue:
    """The dialogue of a test that is about to run on `target`."""
    folder = project.root() / "tests" / "smoke_images"
    store = PictureStore(folder, target.board.name, bool(config.getoption("update_images")))
    terminal = config.pluginmanager.get_plugin("terminalreporter")

    def say(text: str) -> None:
        capture = config.pluginmanager.get_plugin("capturemanager")
        if terminal is not None and capture is not None:
            with capture.global_and_fixture_disabled():
                terminal.write_line("")
                terminal.write_line(text, bold=True)

    return Dialogue(target, store, say)
