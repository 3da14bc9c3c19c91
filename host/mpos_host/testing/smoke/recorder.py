"""Keeps what the tests of a run did, and writes it down at the end, however that came.

pytest reports a test only when it is over. A run that is interrupted has one that was running and some that
never ran: the report names them too.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mpos_host.testing.smoke.dialogue import Dialogue, Figure
from mpos_host.testing.smoke.html_report import page
from mpos_host.testing.smoke.pictures import CheckedPicture

# Worst first: how a run is summed up and what a test with several phases counts as.
OUTCOMES = ("failed", "interrupted", "not run", "skipped", "passed")


@dataclass
class TestRecord:
    """One test in the report."""

    __test__ = False  # not a class of tests

    id: str
    outcome: str = "not run"
    seconds: float = 0
    reason: str = ""  # one line
    details: str = ""  # the failure in full
    output: str = ""
    figures: list[Figure] = field(default_factory=list)
    pictures: list[CheckedPicture] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.id.rpartition("::")[2]

    @property
    def file(self) -> str:
        return self.id.partition("::")[0]


@dataclass
class RunRecord:
    """A run: when it began (Unix time), what the board said of itself, and its tests in their order."""

    began: float
    command: str
    seconds: float = 0
    facts: dict[str, str] = field(default_factory=dict)
    tests: list[TestRecord] = field(default_factory=list)

    def count(self) -> str:
        """Like "2 failed, 9 passed"."""
        outcomes = [test.outcome for test in self.tests]
        return ", ".join(f"{outcomes.count(one)} {one}" for one in OUTCOMES if one in outcomes) or "no tests"


class Recorder:
    """A pytest plugin object; writes into `folder`."""

    def __init__(self, config: pytest.Config, folder: Path):
        self.run = RunRecord(time.time(), _command())
        self._config = config
        self._path = folder / "index.html"
        self._tests: dict[str, TestRecord] = {}
        self._running: tuple[pytest.Item, float] | None = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.run.tests = [TestRecord(item.nodeid) for item in session.items]
        self._tests = {test.id: test for test in self.run.tests}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._running = (item, time.time())
        result = yield
        self._running = None  # not in a `finally`: an interrupted test is still the one that was running
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.when == "call":
            self._take_dialogue(item)
        session = getattr(item, "funcargs", {}).get("board_session")
        if session is not None:
            self.run.facts = session.facts
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = self._tests[report.nodeid]
        test.seconds += report.duration
        if report.outcome != "passed" or report.when == "call":
            test.outcome = min(test.outcome, report.outcome, key=_rank)
        if report.failed and not test.reason:
            test.details = report.longreprtext
            test.reason = _last_line(test.details)
        elif report.skipped and isinstance(report.longrepr, tuple):
            test.reason = report.longrepr[2].removeprefix("Skipped: ")

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        if self._running is None or not isinstance(excinfo.value, KeyboardInterrupt):
            return
        item, began = self._running
        self._take_dialogue(item)
        now = time.time()
        # For the JUnit file, which else knows nothing of this test.
        item.ihook.pytest_runtest_logreport(
            report=pytest.TestReport(
                nodeid=item.nodeid,
                location=item.location,
                keywords={},
                outcome="failed",
                longrepr="interrupted by Ctrl-C",
                when="call",
                user_properties=item.user_properties,
                duration=now - began,
                start=began,
                stop=now,
            )
        )
        self._tests[item.nodeid].outcome = "interrupted"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self.run.seconds = time.time() - self.run.began
        self._path.write_text(page(self.run), encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.section("smoke tests")
        for line in summary(self.run):
            terminalreporter.write_line(line)
        terminalreporter.write_line(f"report: {self._path.resolve().as_uri()}")

    def _take_dialogue(self, item: pytest.Item) -> None:
        dialogue: Dialogue | None = getattr(item, "dialogue", None)
        if dialogue is not None:
            test = self._tests[item.nodeid]
            test.figures, test.pictures, test.output = dialogue.figures, dialogue.pictures, dialogue.output
            item.user_properties += [(figure.name, str(figure)) for figure in dialogue.figures]


def summary(run: RunRecord) -> list[str]:
    """The report as text: the board, then each test with its figures."""
    lines = [f"{name + ':':14}{value}" for name, value in run.facts.items()]
    lines.append("")
    for test in run.tests:
        lines.append(f"{test.outcome:12}{test.file.rpartition('/')[2]}::{test.name}  {test.seconds:.1f} s")
        if test.reason:
            lines.append(f"{'':12}  {test.reason}")
        lines += [f"{'':12}  {figure.name}: {figure}" for figure in test.figures]
        lines += [f"{'':12}  picture {one.name}: {one.verdict}" for one in test.pictures if one.good]
    return [*lines, "", run.count()]


def _rank(outcome: str) -> int:
    # "not run" is what every test starts with.
    return len(OUTCOMES) if outcome == "not run" else OUTCOMES.index(outcome)


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    last = lines[-1].removeprefix("E ").strip() if lines else ""
    return re.sub("[\x00-\x1f\ufffd]+", " ", last)  # what a board said last may be half a protocol


def _command() -> str:
    """The command line, as it was typed but for the path of the program."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name  # python -m pytest
    return " ".join([name, *sys.argv[1:]])
