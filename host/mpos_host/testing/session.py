"""The board of a test run: kept for the whole run, made fresh as often as a test needs it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpos_host import project
from mpos_host.board import compiler
from mpos_host.board.deploy import deploy, plan
from mpos_host.board.target import Target
from mpos_host.project import UserError
from mpos_host.testing.smoke.facts import board_facts

if TYPE_CHECKING:
    from types import TracebackType

_FOLDER = "/test"

# Seconds: for a soft reset; for one of a board that was given up; until it is given up; between attempts.
_ANSWER = 10
_SHORT_ANSWER = 2
_COME_BACK = 10
_PAUSE = 0.2


class BoardSession:
    """One `Target` for all tests. Between tests it is soft reset; if it died or hangs, it is restarted.

    If there never is one, it ends the run, unless this process is one of several (`may_end_run`).
    """

    def __init__(self, target: Target, may_end_run: bool = True):
        self._may_end_run = may_end_run
        self.target = target
        self.facts: dict[str, str] = {}  # what the board says of itself, once it has run
        self._deployed = False
        self._sent: dict[str, bytes] = {}
        self._ready_for: object = None  # whoever has used the board since its last reset
        self._hangs = False  # it does not answer
        self._lost = False  # it did not, whatever was done

    def __enter__(self) -> BoardSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.target.close()

    def skip_unless(self, abilities: Iterable[str]) -> None:
        """Skip the test that runs unless the board has all of `abilities`."""
        missing = sorted(set(abilities) - self.target.abilities)
        if missing:
            pytest.skip(f"needs {' and '.join(missing)}, which {self.target.board.name} is not or has not")

    def fresh(self, user: object = None) -> Target:
        """The board after a soft reset, with mpos on its flash.

        With `user` the reset is left out if the same user had the board last, and `spoil()` was not called.
        """
        if user is not None and user is self._ready_for:
            return self.target
        self._ready_for = None
        try:
            self._make_fresh()
        except UserError as error:
            if not self._deployed and self.target.virtual is None and self._may_end_run:
                pytest.exit(str(error), returncode=4)  # the wrong port, or the wrong board: no test can run
            raise
        self._ready_for = user
        return self.target

    def spoil(self, hangs: bool = False) -> None:
        """What runs next needs a fresh board: the last test failed, or was stopped, or `hangs` for good."""
        self._ready_for = None
        self._hangs = hangs

    def send(self, files: Iterable[Path]) -> None:
        """Put device files (tests and what they import) into the test folder, as .mpy."""
        device = self.target.device
        runner = project.root() / "boards" / "shared" / "device_runner.py"
        if not self._sent:
            device.exec(f"import os\nif {_FOLDER[1:]!r} not in os.listdir('/'): os.mkdir({_FOLDER!r})")
        for path in (runner, *files):
            code = compiler.compile_one(compiler.Source(path, _shown_name(path), self.target.board.arch))
            name = f"{_FOLDER}/{path.stem}.mpy"
            if self._sent.get(name) != code:
                device.write_file(name, code)
                self._sent[name] = code
        device.exec(f"import sys\nif {_FOLDER!r} not in sys.path: sys.path.append({_FOLDER!r})")

    def _make_fresh(self) -> None:
        self.target.start()
        if self._hangs or self.target.exit_reason() is not None:
            self._recover()
        else:
            try:
                self._reset(_ANSWER)
            except UserError:
                # It died just now: what it was is reported by the test it happened in.
                self._recover()
        if not self._deployed:
            files = plan(self.target.board)
            deploy(self.target.device, files, self.target.board)
            self._deployed = True
            self._reset(_ANSWER)
            self.facts = board_facts(self.target)

    def _recover(self) -> None:
        """Get a board back that does not answer. One that was given up is tried briefly only."""
        known = self._deployed
        until = time.monotonic() + (_COME_BACK if known and not self._lost else 0)
        while True:
            try:
                self.target.restart()
                self._reset(_SHORT_ANSWER if self._lost else _ANSWER)
                self._lost = self._hangs = False
                return
            except UserError as error:
                if time.monotonic() < until and self.target.virtual is None:
                    time.sleep(_PAUSE)
                    continue  # a port that is there again may be gone again in a moment
                self._lost = True
                hint = ". Reset the board by hand: the next test may find it again" if known else ""
                raise UserError(f"{error}{hint}") from None

    def _reset(self, seconds: float) -> None:
        self.target.device.enter(soft_reset=True, timeout=seconds)


def _shown_name(path: Path) -> str:
    """What tracebacks of the device call the file: its path in the repository, where an editor finds it."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
