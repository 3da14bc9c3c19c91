"""The command `mpos` as a user types it: what it says, and what it ends with."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import pytest

from mpos_host.board.device import Device
from mpos_host.cli import main as cli
from mpos_host.cli import run
from mpos_host.virtual.board import VirtualBoard
from peers.processes import handles_of_children, read_until, wait_gone

GOOD = {"name": "Hello", "package": "hello", "version": "1.0.0", "entry": "hello:Hello"}

HELLO = """
import lvgl as lv
from mpos import Activity, TaskManager

class Hello(Activity):
    def onCreate(self):
        screen = lv.obj()
        self.label = lv.label(screen)
        self.label.set_text("Hello " + self.extras.get("who", "you"))
        self.setContentView(screen)
        TaskManager.create_task(self.later())

    async def later(self):
        await TaskManager.sleep_ms(300)
        self.label.set_text("Later")
        print("later came")
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A folder with an app that works."""
    return write_app(tmp_path / "hello", HELLO)


@pytest.fixture
def board_arguments(request: pytest.FixtureRequest) -> list[str]:
    """The options of `mpos` for the board that the tests run on."""
    if request.config.getoption("port"):
        pytest.skip("needs a board of its own: the one at --port is in use by the tests")
    options = {name: request.config.getoption(name) for name in ("board", "binary")}
    return [part for name, value in options.items() if value for part in (f"--{name}", value)]


def write_app(folder: Path, source: str, manifest: object = GOOD) -> Path:
    folder.mkdir(parents=True)
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    (folder / "manifest.json").write_text(text)
    (folder / "hello.py").write_text(source)
    return folder


def mpos(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mpos_host", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL)


def assert_one_line(done: subprocess.CompletedProcess[str], code: int, *parts: str) -> None:
    assert done.returncode == code, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for part in parts:
        assert part in done.stderr


def test_a_missing_app_is_named_with_what_is_close():
    assert_one_line(mpos("run", "demo_downlod"), 2, "no app demo_downlod", "did you mean demo_download?")


def test_an_unknown_board_is_named_with_what_is_close():
    done = mpos("run", "demo_download", "--board", "virtul")
    assert_one_line(done, 2, "no board virtul", "did you mean virtual?")


def test_a_folder_without_manifest_is_no_app(tmp_path: Path):
    assert_one_line(mpos("run", tmp_path), 2, "has no manifest.json")


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("{", "is not valid JSON"),
        ("[]", "must hold an object"),
        ({key: text for key, text in GOOD.items() if key != "entry"}, 'lacks "entry"'),
        ({**GOOD, "version": 1}, '"version" must be a string, not 1'),
        ({**GOOD, "version": ""}, '"version" must be a string'),
        ({**GOOD, "package": "no/name"}, '"package" must be a name'),
        ({**GOOD, "entry": "hello"}, '"entry" must be "module:Class"'),
        ({**GOOD, "entry": "helo:Hello"}, "names helo.py"),
        ({**GOOD, "entry": "hello:Helo"}, "names class Helo, hello.py has: Hello"),
    ],
)
def test_an_error_in_the_manifest_is_said_before_anything_starts(tmp_path: Path, manifest, said):
    assert_one_line(mpos("run", write_app(tmp_path / "app", HELLO, manifest)), 2, "manifest.json", said)


def test_an_error_of_syntax_is_said_with_its_line(tmp_path: Path):
    done = mpos("run", write_app(tmp_path / "app", "class Hello:\n  def"))
    assert_one_line(done, 2, "hello.py:2")


def test_syntax_that_only_cpython_has_is_said_in_one_line(tmp_path: Path):
    source = "class Hello:\n    match 1:\n        case 1:\n            pass\n"
    done = mpos("run", write_app(tmp_path / "app", source))
    assert_one_line(done, 2, "hello.py:2: SyntaxError", "MicroPython")


def test_a_file_is_no_app(app: Path):
    assert_one_line(mpos("run", app / "hello.py"), 2, "is a file: an app is a folder")


def test_an_error_in_the_options_is_one_line():
    assert_one_line(mpos("run"), 2, "required: app", "mpos run --help")
    assert_one_line(mpos("runn"), 2, "invalid choice: 'runn'")
    for seconds in ("soon", "nan", "-1", "inf"):
        assert_one_line(mpos("run", "demo_download", "--timeout", seconds), 2, f"'{seconds}' is no time")
        assert_one_line(mpos("top", "--interval", seconds), 2, f"'{seconds}' is no time")
    assert_one_line(mpos("run", "demo_download", "--expect", ""), 2, "empty text")


def test_sizes_that_cannot_be_are_said_before_anything_starts():
    for size in ("0", "10k"):
        assert_one_line(mpos("run", "demo_download", "--heap", size), 2, f"a heap of {size} is too small")
    for size in ("0", "10k", "5000000"):
        assert_one_line(mpos("run", "demo_download", "--flash", size), 2, f"a flash of {size} cannot be")


def test_a_picture_that_cannot_be_written_is_said_before_anything_starts(tmp_path: Path):
    for where, said in ((tmp_path / "none" / "a.png", "there is no folder"), (tmp_path, "is a folder")):
        assert_one_line(mpos("run", "demo_download", "--screenshot", where), 2, said)
        assert_one_line(mpos("screenshot", where, "--port", "/dev/ttyNONE"), 2, said)


def test_a_shell_without_a_terminal_is_said():
    assert_one_line(mpos("shell"), 2, "is for a terminal")


def test_options_that_cannot_be_are_said():
    assert_one_line(mpos("run", "demo_download", "--heap", "many"), 2, "'many' is no size")
    assert_one_line(mpos("run", "demo_download", "--binary", "/none"), 2, "no file /none")
    assert_one_line(mpos("run", "demo_download", "--board", "unix_sdl"), 2, "needs --binary")
    assert_one_line(mpos("run", "demo_download", "--arg", "x"), 2, "NAME=VALUE")
    assert_one_line(mpos("run", "demo_download", "--port", "/dev/ttyNONE"), 1, "no port /dev/ttyNONE")
    assert_one_line(mpos("screenshot", "x.png"), 2, "say its --port")


def test_a_port_in_use_is_said():
    with VirtualBoard(panel=False) as board, Device(board.port):
        assert_one_line(mpos("top", "--port", board.port), 1, board.port, "in use")


def test_every_board_is_listed():
    done = mpos("boards")
    assert done.returncode == 0
    for name in ("virtual", "unix_sdl", "waveshare_esp32_s3_touch_lcd_2"):
        assert re.search(rf"^{name}\b", done.stdout, re.MULTILINE)


def test_run_ends_well_when_the_text_appears(app: Path, board_arguments, tmp_path: Path):
    picture = tmp_path / "screen.png"
    done = mpos("run", app, *board_arguments, "--expect", "Later", "--screenshot", picture)
    assert done.returncode == 0, done.stderr
    assert "later came" in done.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_run_says_what_was_there_instead(tmp_path: Path, board_arguments):
    app = write_app(tmp_path / "app", HELLO.replace("Later", "Hello still"))
    arguments = ["--expect", "Nonsense", "--timeout", "1", "--arg", "who=still"]
    done = mpos("run", app, *board_arguments, *arguments)
    assert done.returncode == 1
    assert "'Nonsense' did not appear in 1 s; the screen shows 'Hello still'" in done.stderr


def test_extras_reach_the_app(app: Path, board_arguments):
    done = mpos("run", app, *board_arguments, "--expect", "Hello reader", "--arg", "who=reader")
    assert done.returncode == 0, done.stderr


def test_an_app_that_holds_the_loop_is_named(
    tmp_path: Path, board_arguments, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    app = write_app(tmp_path / "app", HELLO.replace("await TaskManager.sleep_ms(300)", "while True: pass"))
    monkeypatch.setattr(run, "_BOOT", 8)
    assert cli.main(["run", str(app), *board_arguments]) == 1
    log, errors = capsys.readouterr()
    assert "did not answer" in errors and "does Hello hold the loop" in errors
    assert "is up" in log


def test_a_start_is_said_to_be_slow_only_if_the_app_blocks_it(tmp_path: Path, board_arguments):
    for ms, said in ((200, False), (1200, True)):
        app = write_app(
            tmp_path / str(ms), HELLO.replace("screen =", f"import time; time.sleep_ms({ms}); screen =")
        )
        done = mpos("run", app, *board_arguments, "--expect", "Later")
        assert done.returncode == 0, done.stderr
        assert ("Task 'boot' blocked the loop" in done.stdout) is said


def test_nothing_that_an_app_prints_at_its_start_is_missing_in_the_log(tmp_path: Path, board_arguments):
    count = "for n in range(200):\n            print('number', n)\n            await TaskManager.sleep_ms(5)"
    source = HELLO.replace("await TaskManager.sleep_ms(300)", count)
    app = write_app(tmp_path / "app", source)
    numbers = "".join(f"number {n}\n" for n in range(200))
    done = mpos("run", app, *board_arguments, "--expect", "Later")
    assert done.returncode == 0, done.stderr
    assert numbers in done.stdout
    with running(app, board_arguments) as process:
        assert process.stdout is not None
        log = "".join(takewhile(lambda line: "later came" not in line, process.stdout))
        assert numbers in log
        assert "\n\n" not in log


def test_run_from_source_shows_the_same(app: Path, board_arguments):
    done = mpos("run", app, *board_arguments, "--source", "--expect", "Hello you")
    assert done.returncode == 0, done.stderr


def test_an_app_that_raises_in_oncreate_is_told_on_the_terminal_and_on_the_screen(
    tmp_path: Path, board_arguments
):
    broken = "from mpos import Activity\nclass Hello(Activity):\n    def onCreate(self):\n        1 / 0\n"
    app = write_app(tmp_path / "app", broken)
    done = mpos("run", app, *board_arguments, "--screenshot", tmp_path / "screen.png")
    assert done.returncode == 1
    assert "hello.py" in done.stdout and "line 4" in done.stdout
    assert "ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "screen.png").exists()


def test_other_tools_use_the_board_while_the_app_runs(app: Path, board_arguments, tmp_path: Path):
    with running(app, board_arguments) as process:
        port = read_until(process.stderr, "mpremote connect").split("connect ")[1].split()[0]
        table = mpos("top", "--port", port, "--once")
        assert re.search(r"^lvgl +\S+ +[\d.]+", table.stdout, re.MULTILINE), table.stdout + table.stderr
        picture = mpos("screenshot", tmp_path / "screen.png", "--port", port)
        assert picture.returncode == 0, picture.stderr
        assert (tmp_path / "screen.png").read_bytes().startswith(b"\x89PNG")
        command = [sys.executable, "-m", "mpremote", "connect", port, "resume", "exec", "print(6 * 7)"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert answer.stdout.strip() == "42"
        deployed = mpos("deploy", "--port", port)
        assert_one_line(deployed, 2, f"which board is at {port}?")
        process.send_signal(signal.SIGINT)
        log, _ = process.communicate(timeout=60)
    assert "42" not in log and "raw REPL" not in log


def test_ctrl_c_ends_the_board_and_leaves_nothing_running(app: Path, board_arguments):
    with running(app, board_arguments) as process:
        read_until(process.stdout, "later came")
        children = handles_of_children(process.pid)
        assert children
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    wait_gone(children)


@contextmanager
def running(app: Path, board_arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """`mpos run` in the background."""
    command = [sys.executable, "-m", "mpos_host", "run", str(app), *board_arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_error(redirection: str):
    command = f"{shlex.quote(sys.executable)} -m mpos_host boards {redirection}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stderr == ""


def test_output_that_cannot_be_written_is_one_line():
    command = f"{shlex.quote(sys.executable)} -m mpos_host boards >/dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert_one_line(done, 1, "No space left on device")


def test_a_manifest_that_is_nested_too_deeply_is_refused(tmp_path: Path):
    (tmp_path / "manifest.json").write_text("[" * 200_000)
    assert_one_line(mpos("run", tmp_path), 2, "nested too deeply")


def test_a_test_file_that_cannot_be_read_is_no_ctrl_c(tmp_path: Path):
    (tmp_path / "device").mkdir()
    (tmp_path / "device" / "test_it.py").write_text("def test_it(:\n")
    done = mpos("test", tmp_path / "device" / "test_it.py")
    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert "test_it.py:1: " in done.stdout


def test_a_board_that_resets_while_a_text_is_waited_for_is_said_at_once(tmp_path: Path, board_arguments):
    source = HELLO.replace('print("later came")', "import machine; machine.reset()").replace(
        '"Later"', '"Now"'
    )
    app = write_app(tmp_path / "app", source)
    done = mpos("run", app, *board_arguments, "--expect", "Later", "--timeout", "80")
    assert done.returncode == 1
    assert "the board reset itself while 'Later' was waited for" in done.stderr.splitlines()[-1]
