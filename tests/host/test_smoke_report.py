"""The report of a run: what it says about tests that hang, reset the board, fail, or draw something else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from smoke_run import Articles, SmokeRun

pytestmark = pytest.mark.timeout(240)  # each starts a pytest with a board of its own

TROUBLE = """
import lvgl as lv
from reporting import record, screenshot, skip

TIMEOUT = 3

def test_before():
    record("answer", 42, "apples")

def test_hangs():
    print("going in")
    while True:
        pass

def test_resets_the_board():
    import machine
    machine.reset()

def test_resets_softly():
    import machine
    machine.soft_reset()

def test_kills_the_vm():
    import uctypes
    uctypes.bytearray_at(8, 8)[0] = 1

def test_fails():
    record("before", "it failed")
    assert 1 + 1 == 3, "no sum"

def test_is_skipped():
    skip("this board has no wheels")

def test_draws(lvgl_loop, screen):
    screen.set_style_bg_color(lv.color_hex(0x0000FF), 0)
    box = lv.obj(screen)
    box.remove_style_all()
    box.set_style_bg_color(lv.color_hex(0xFFFFFF), 0)
    box.set_style_bg_opa(lv.OPA.COVER, 0)
    box.set_size(20, 10)
    box.set_pos(X, 50)
    screenshot("box")

def test_after():
    pass
"""


@pytest.fixture
def smoke_run(request: pytest.FixtureRequest, tmp_path: Path) -> SmokeRun:
    if request.config.getoption("port"):
        pytest.skip("needs a board of its own: the one at --port is in use by the tests")
    options = [
        f"--{name}={value}" for name in ("board", "binary") if (value := request.config.getoption(name))
    ]
    return SmokeRun(tmp_path, options)


def test_every_kind_of_trouble_is_in_the_reports_and_the_run_goes_on(smoke_run: SmokeRun):
    smoke_run.write(TROUBLE.replace("X,", "100,"))
    stored = smoke_run.run("--update-images", "--", "-k", "draws")
    assert stored.returncode == 0, stored.stdout
    assert (smoke_run.images / "box.png").is_file()
    smoke_run.write(TROUBLE.replace("X,", "103,"))
    ended = smoke_run.run()
    assert ended.returncode == 1, ended.stdout + ended.stderr
    text = re.sub(r" +", " ", ended.stdout)
    for line in (
        "passed smoke_it.py::test_before",
        "answer: 42 apples",
        "failed smoke_it.py::test_hangs",
        "test_hangs did not end in 3 s",
        "failed smoke_it.py::test_resets_the_board",
        "the board reset itself in test_resets_the_board",
        "the board reset itself in test_resets_softly",
        "the board died in test_kills_the_vm: ",
        "AssertionError: no sum",
        "skipped smoke_it.py::test_is_skipped",
        "this board has no wheels",
        "60 pixels (0.078%) differ from tests/smoke_images/320x240/box.png",
        "passed smoke_it.py::test_after",
        "6 failed, 1 skipped, 2 passed",
    ):
        assert line in text, f"{line!r} is not in {ended.stdout}"
    assert smoke_run.outcomes() == {
        "test_before": "passed",
        "test_hangs": "failure",
        "test_resets_the_board": "failure",
        "test_resets_softly": "failure",
        "test_kills_the_vm": "failure",
        "test_fails": "failure",
        "test_is_skipped": "skipped",
        "test_draws": "failure",
        "test_after": "passed",
    }
    figures = ElementTree.parse(smoke_run.report / "junit.xml").iter("property")
    assert [(one.get("name"), one.get("value")) for one in figures] == [
        ("answer", "42 apples"),
        ("before", "it failed"),
    ]
    articles = Articles(smoke_run.page())
    assert "LVGL" in " ".join(articles.outside)
    assert "going in" in articles.of("hangs")[0]
    assert "no sum" in articles.of("fails")[0]
    text, pictures = articles.of("draws")
    assert pictures == 3 and "what differs, in red" in text


def test_ctrl_c_leaves_a_report_that_says_what_ran_and_what_did_not(smoke_run: SmokeRun):
    smoke_run.write(
        "from reporting import host, record\nTIMEOUT = 60\ndef test_first():\n    pass\n"
        "def test_runs():\n    record('so far', 1)\n    host('say', 'I am running')\n"
        "    while True:\n        pass\n"
        "def test_last():\n    pass\n"
    )
    with subprocess.Popen(
        smoke_run.command(),
        cwd=smoke_run.folder,
        env=smoke_run.environment(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if "I am running" in line:
                    break
            process.send_signal(signal.SIGINT)
            output = process.communicate(timeout=60)[0]
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130, output
    assert smoke_run.outcomes() == {"test_first": "passed", "test_runs": "failure"}
    articles = Articles(smoke_run.page())
    assert "interrupted" in articles.of("runs")[0] and "so far" in articles.of("runs")[0]
    assert "not run" in articles.of("last")[0]
    assert "1 interrupted, 1 not run, 1 passed" in output
