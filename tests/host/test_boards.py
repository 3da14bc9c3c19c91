"""What board.toml and board.py say, checked without a board."""

import re

import pytest

from mpos_host import project
from mpos_host.checks import board_calls, driver_signatures

TABLE = driver_signatures.load()
BOARDS = project.board_names()


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_calls_its_drivers_as_their_signatures_allow(name):
    path = project.load_board(name).directory / "board.py"
    assert board_calls.faults(path, TABLE) == []
    if project.load_board(name).facts["chip"] != "none":
        assert board_calls.checked_calls(path, TABLE) >= 9


def _waveshare_with(tmp_path, old, new):
    source = (project.load_board("waveshare_esp32_s3_touch_lcd_2").directory / "board.py").read_text()
    assert old in source
    path = tmp_path / "board.py"
    path.write_text(source.replace(old, new))
    return [line.split(": ", 1)[1] for line in board_calls.faults(path, TABLE)]


@pytest.mark.parametrize(
    "old, new, fault",
    [
        ("display_width=240", "screen_width=240", "st7789.ST7789() has no parameter screen_width"),
        ("        data_bus=bus,\n", "", "st7789.ST7789() lacks the parameter data_bus"),
        ("dc=42, cs=45", "data_command=42, cs=45", "lcd_bus.SPIBus() has no parameter data_command"),
        ("host=2, mosi", "2, mosi", "machine.SPI.Bus() takes 0 positional parameters, gets 1"),
        (
            "touch_cal=Calibration",
            "calibration=Calibration",
            "cst816s.CST816S() has no parameter calibration",
        ),
        ("STATE_PWM", "STATE_DIMMED", "st7789 has no STATE_DIMMED"),
        ("set_power(True)", "set_power()", "display.set_power() lacks the parameter value"),
        ("set_backlight(100)", "set_backlight(100, 50)", "display.set_backlight() takes 1 positional"),
        (
            "ROTATION._90)",
            "ROTATION._90, True)",
            "display.set_rotation() takes 1 positional parameters, gets 2",
        ),
    ],
)
def test_a_wrong_call_is_found(tmp_path, old, new, fault):
    assert any(found.startswith(fault) for found in _waveshare_with(tmp_path, old, new))


def test_the_two_firmwares_drivers_that_differ_are_each_held_to_their_own(tmp_path):
    source = (project.load_board("lilygo_t_hmi").directory / "board.py").read_text()
    path = tmp_path / "board.py"
    path.write_text(source.replace("            lcd_cs=_LCD_CS,\n", ""))
    assert [line.split(": ", 1)[1] for line in board_calls.faults(path, TABLE)] == [
        "xpt2046.XPT2046() lacks the parameter lcd_cs (MicroPythonOS)"
    ]


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_says_what_the_host_must_know(name):
    board = project.load_board(name)
    facts = board.facts
    assert facts["name"] == name == board.directory.name
    assert facts["tried_on_hardware"] is False
    assert facts["display"]["width"] and facts["display"]["height"]
    source = (board.directory / "board.py").read_text()
    assert f'name="{name}"' in source
    if facts["chip"] == "none":
        return
    assert facts["firmware"]["modules"] and facts["deploy"]["apps"]
    assert facts["arch"] == "xtensawin" and facts["flash"]["size"] and facts["flash"]["offset"] == 0
    assert all(re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", usb) for usb in facts["usb"]["ids"])
    assert "Tried on hardware: no." in source
    for driver in facts["firmware"]["drivers"]:
        assert f'hardware.driver("{driver}")' in source


def _numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    return [n for one in value for n in _numbers(one)] if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    "name", [name for name in BOARDS if project.load_board(name).facts["chip"] != "none"]
)
def test_the_pins_of_board_toml_are_those_of_board_py(name):
    board = project.load_board(name)
    source = (board.directory / "board.py").read_text()
    for number in _numbers(board.facts["pins"]):
        assert re.search(rf"[=(] ?{number}\b", source), number


def test_the_table_names_the_commits_it_was_read_at():
    assert set(TABLE) == {"lvgl_micropython", "MicroPythonOS"}
    assert all(re.fullmatch(r"[0-9a-f]{40}", drivers.commit) for drivers in TABLE.values())


def test_the_committed_table_is_as_the_generator_writes_it():
    assert (project.root() / driver_signatures.TABLE).read_text() == driver_signatures.as_json(TABLE)
