"""`mpos tap`, `drag`, `key`, `type`, `wait` and `tree` beside a virtual board that runs."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_board import write_counter

from mpos_host import project
from mpos_host.board.target import Target
from mpos_host.cli.run import start_app
from mpos_host.virtual.running import running_boards


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with Target(project.load_board("virtual")) as made:
        start_app(made, project.load_app(str(write_counter(tmp_path_factory.mktemp("app")))), {})
        yield made


def mpos(*arguments: object, temporary: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mpos_host", *map(str, arguments)]
    environment = {"TMPDIR": str(temporary or tempfile.gettempdir())}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


def test_a_widget_is_tapped_by_its_text_and_waited_for(target: Target) -> None:
    taps = int(target.panel.texts()[0].split()[0])
    for number, where in ((taps + 1, ["Tap me"]), (taps + 2, [160, 130])):
        tapped = mpos("tap", *where, "--port", target.port)
        assert (tapped.returncode, tapped.stderr) == (0, "")
        assert mpos("wait", f"{number} taps", "--port", target.port).returncode == 0


def test_a_drag_that_leaves_the_button_is_no_tap_and_one_within_is(target: Target) -> None:
    taps = int(target.panel.texts()[0].split()[0])
    assert mpos("drag", 110, 110, 210, 150, "--port", target.port).returncode == 0
    target.panel.wait_text(f"{taps + 1} taps")


def test_a_text_is_typed_and_a_key_pressed(target: Target) -> None:
    code = "import lvgl as lv\narea = lv.textarea(lv.screen_active())\narea.set_placeholder_text('type here')"
    target.device.printed_by(code + "\narea.set_pos(20, 170)\narea.set_one_line(True)")
    target.panel.wait_text("type here")
    for arguments in (("tap", "type here"), ("type", "a b"), ("key", "BACKSPACE", "c")):
        done = mpos(*arguments, "--port", target.port)
        assert (done.returncode, done.stderr) == (0, "")
    target.panel.wait_text("a c")
    target.device.printed_by("area.delete()")


def test_the_tree_is_printed_for_people_and_for_programs(target: Target) -> None:
    lines = mpos("tree", "--port", target.port).stdout.splitlines()
    assert lines[0].startswith("obj  0,0 320x240")
    assert any(line.startswith("  button  100,100 120x60  CLICKABLE") for line in lines)
    assert any(line.startswith("    label 'Tap me'") for line in lines)
    assert json.loads(mpos("tree", "--json", "--port", target.port).stdout) == target.panel.tree()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("tap", "Nothing"), 1, "no widget shows 'Nothing'; the screen shows"),
        (("tap", "1", "2", "3"), 2, "takes a text"),
        (("tap", "320", "0"), 2, "320,0 is not on the screen of 320 x 240"),
        (("drag", "0", "0", "0", "240"), 2, "0,240 is not on the screen"),
        (("key", "F1"), 1, "'F1' is no key"),
        (("type", "\t"), 1, "is no key"),
        (("wait", "Nothing", "--timeout", "0.1"), 1, "no text 'Nothing' on the screen after 0.1 s, only"),
        (("wait", ""), 2, "empty text"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    target: Target, arguments: tuple[str, ...], code: int, message: str
) -> None:
    done = mpos(*arguments, "--port", target.port)
    assert done.returncode == code and message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_board_that_does_not_run_is_named(tmp_path: Path) -> None:
    done = mpos("tap", "x", "--port", "/dev/pts/none")
    assert done.returncode == 2 and "none does at /dev/pts/none" in done.stderr
    done = mpos("tree", temporary=tmp_path)
    assert done.returncode == 2 and "start one with `mpos run APP`" in done.stderr


def test_with_several_boards_the_port_must_be_said(target: Target) -> None:
    with Target(project.load_board("virtual")) as second:
        done = mpos("tree")
        assert done.returncode == 2 and target.port in done.stderr and second.port in done.stderr
        assert set(running_boards()) >= {target.port, second.port}
        gone = second.port
    assert gone not in running_boards()


def test_a_folder_that_others_may_write_to_is_no_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mpos-board-planted"
    folder.mkdir()
    (folder / "port").write_text("/dev/pts/0")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for mode in (0o777, 0o700):  # without a lock that somebody holds it is none either
        folder.chmod(mode)
        assert running_boards() == {}
