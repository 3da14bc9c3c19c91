"""The download demo as a user meets it: in a small heap, beside other tools, by touch, with a bad server."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from mpos_host import project
from mpos_host.board import screen
from mpos_host.board.target import Target
from mpos_host.cli.run import start_app

SECONDS = 40

BAR = "mpos.app.activities.foreground().bar.get_value()"
ALIVE = "[mpos.TaskManager.is_running(), len(mpos.TaskManager.task_list)]"


def start_demo(target: Target, url: str, **extras: str) -> None:
    start_app(target, project.load_app("demo_download"), {"url": url, **extras})


def assert_shows(target: Target, text: str) -> None:
    assert screen.wait_text(target, text, SECONDS), screen.texts(target)


def assert_the_loop_lives(target: Target) -> None:
    running, tasks = target.device.call(ALIVE, "mpos")
    assert running and tasks >= 3  # lvgl, inbox, console


@pytest.fixture
def small_board(request: pytest.FixtureRequest) -> Iterator[Target]:
    if request.config.getoption("port") or request.config.getoption("binary"):
        pytest.skip("the heap can be chosen on the virtual board only")
    with Target(project.load_board("virtual"), heap="320k") as target:
        yield target


def test_in_a_heap_of_320k_it_downloads_while_mpremote_answers(small_board: Target, server: str) -> None:
    start_demo(small_board, server + "/rate?size=600000&rate=100000")
    small_board.disconnect()
    code = (
        f"import mpos.app.activities\nbefore = {BAR}\n"
        f"while {BAR} == before: await mpos.TaskManager.sleep_ms(5)\nprint(before, {BAR})"
    )
    answer = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", small_board.port, "resume", "exec", code],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    before, after = map(int, answer.stdout.split())
    assert before < after <= 100
    assert_shows(small_board, "Complete: 585 KB")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/status/404", "404"),
        ("/early?size=1000&sent=100", "100 of 1000"),
        ("/redirect/302", "refused"),
    ],
)
def test_a_bad_answer_is_shown_and_the_loop_lives_on(
    board: Target, server: str, path: str, message: str
) -> None:
    start_demo(board, server + path)
    assert_shows(board, "Failed:")
    assert_shows(board, message)
    assert_shows(board, "Retry")
    assert_the_loop_lives(board)


def test_the_figures_move_also_while_the_percent_does_not(board: Target, server: str) -> None:
    start_demo(board, server + "/rate?size=100000000&rate=20000")
    assert_shows(board, "KB/s")
    assert not screen.wait_text(board, "0 %", 0)


def test_a_server_that_is_not_there_is_shown(board: Target) -> None:
    start_demo(board, "http://127.0.0.1:9/nothing")
    assert_shows(board, "refused")
    assert_the_loop_lives(board)


def test_a_full_flash_is_shown_and_leaves_no_partial_file(board: Target, server: str) -> None:
    start_demo(board, server + "/fixed?size=6000000")
    assert_shows(board, "Failed:")
    assert_shows(board, "no space left")
    assert_the_loop_lives(board)
    left = board.device.call("[name for name in os.listdir('/') if 'demo_download' in name]", "os")
    assert left == []


@pytest.mark.requires("panel")
def test_a_finger_cancels_and_starts_it_again(board: Target, server: str) -> None:
    start_demo(board, server + "/rate?size=300000&rate=100000")
    assert_shows(board, "%")
    board.panel.click(*screen.centre_of(board, "Cancel"))
    assert_shows(board, "Cancelled at")
    assert_the_loop_lives(board)
    board.panel.click(*screen.centre_of(board, "Retry"))
    assert_shows(board, "Complete")


def test_an_extra_arrives_as_it_was_given(board: Target) -> None:
    extra = "\u00e4 \u20ac \U0001f600 \" ' \\ \n"
    start_demo(board, "http://127.0.0.1:9/nothing", odd=extra)
    arrived = board.device.call(
        "list(mpos.app.activities.foreground().extras['odd'].encode())", "mpos.app.activities"
    )
    assert bytes(arrived).decode() == extra


def test_a_start_that_is_cancelled_before_it_ran_can_be_started_again(board: Target, server: str) -> None:
    start_app(board, project.load_app("demo_download"), {})
    app = "mpos.app.activities.foreground()"
    set_url = f"{app}.url = {server + '/fixed?size=1000'!r}"
    # Two taps of an impatient finger that LVGL delivers in one turn.
    board.device.call(
        f"[{app}.on_button(None), {app}.on_button(None)]", "mpos.app.activities", before=set_url
    )
    assert_shows(board, "Start")
    board.device.call(f"{app}.on_button(None)", "mpos.app.activities")
    assert_shows(board, "Complete: 1000 B")
    assert_shows(board, "Again")


@pytest.mark.requires("panel")
def test_what_the_panel_shows_at_the_end_is_a_finished_bar(board: Target, server: str) -> None:
    start_demo(board, server + "/fixed?size=100000")
    board.panel.wait_text("Complete", SECONDS)  # until it is drawn
    pixels = board.panel.pixels()

    def pixel(x: int, y: int) -> bytes:
        return pixels[(y * 320 + x) * 2 :][:2]

    # The right end of the bar has the colour of its left end, which is not the background's.
    assert pixel(25, 76) == pixel(290, 76) != pixel(160, 5)
