"""Each board.py on the real drivers of a checkout: `--drivers CHECKOUT --binary lvgl_micropy_unix`.

CHECKOUT is one of lvgl_micropython, or of MicroPythonOS for its module names and its own drivers. The drivers
run on the desktop binary over stand-ins for the hardware (tests/standins), driven by the loop as on a board.
"""

import json
import subprocess
from pathlib import Path

import pytest

from mpos_host import project
from mpos_host.checks import driver_signatures

STANDINS = Path(__file__).parents[1] / "standins" / "run_board.py"

ENTER, ESC, HOME, END = 10, 27, 2, 3
UP, DOWN, RIGHT, LEFT = 17, 18, 19, 20

# Keys as LVGL hands them to a widget: "next" and "previous" it keeps to itself, to move the focus.
KEYS = {
    "waveshare_esp32_s3_touch_lcd_2": {},
    "fri3d_2024": {
        "keys": [[ENTER], [ESC], [], [], [HOME], [END]],
        "keys_held": [ENTER],
        "joystick": [RIGHT, LEFT, UP, DOWN],
    },
    "lilygo_t_display_s3": {"keys": [[], []], "keys_together": [ENTER], "keys_held": [ESC]},
    "lilygo_t_hmi": {"keys": [[], [ENTER]]},
    "freenove_esp32s3_display": {"keys": [[ESC]]},
}


@pytest.fixture
def checkout(request):
    path = request.config.getoption("--drivers")
    if not path:
        pytest.skip("needs --drivers CHECKOUT (of lvgl_micropython or MicroPythonOS)")
    return Path(path).resolve()


@pytest.fixture
def binary(request):
    path = request.config.getoption("--binary")
    if not path:
        pytest.skip("needs --binary PATH of lvgl_micropython's desktop binary")
    return Path(path).resolve()


def _is_mpos(checkout):
    return (checkout / "internal_filesystem").is_dir()


@pytest.fixture
def driver_folders(checkout, tmp_path):
    """What goes on the module path so that the drivers are found under the names the firmware has."""
    if _is_mpos(checkout):
        (tmp_path / "drivers").symlink_to(checkout / "internal_filesystem" / "lib" / "drivers")
        (tmp_path / "focaltech_touch.py").symlink_to(tmp_path / "drivers" / "indev" / "focaltech_touch.py")
        return [tmp_path]
    common = checkout / "api_drivers" / "common_api_drivers"
    return [common / "indev", common / "display" / "st7789", common / "display" / "ili9341"]


@pytest.mark.parametrize("name", KEYS)
def test_a_board_draws_a_frame_and_is_touched(name, binary, driver_folders, tmp_path):
    board = project.load_board(name)
    (tmp_path / "cwd").mkdir()
    done = subprocess.run(
        [binary, STANDINS, project.root(), name, *driver_folders],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path / "cwd",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout.splitlines()[-1])

    width, height = board.facts["display"]["width"], board.facts["display"]["height"]
    assert report["name"] == name
    assert report["size"] == [width, height]
    assert report["frame_bytes"] == width * height * 2
    assert report["distinct"] > 5  # a picture, not one colour
    assert 0 < report["change_bytes"] < report["frame_bytes"]  # only what changed is sent again
    assert report["task_handler"] is False and report["polled_by_lvgl"] == 0
    assert report["sleep"] == [0x28, 0x10, 0x11, 0x29]
    if "touch" in board.facts:
        assert report["touch_clicks"] == 1
        panel = sorted([width, height])
        before, after, booted = report["calibrated"]
        assert any(abs(found - size // 2) > 8 for found, size in zip(before, panel, strict=True))
        assert all(abs(found - size // 2) <= 2 for found, size in zip(after, panel, strict=True))
        assert booted == after
    assert set(report["files_left"]) <= {"calibration"}
    if board.facts["display"]["bus"] == "i80":
        assert report["ramctrl"][-1] == [0x00, 0xF8]  # low byte first
    for what, keys in KEYS[name].items():
        assert report[what] == keys, what


def test_the_committed_table_is_what_the_checkout_has(checkout):
    """Fails when the checkout is at another commit whose signatures differ: read the table anew."""
    firmware = "MicroPythonOS" if _is_mpos(checkout) else "lvgl_micropython"
    found = driver_signatures.read(firmware, checkout)
    known = driver_signatures.load()[firmware]
    assert (found.signatures, found.names) == (known.signatures, known.names)
