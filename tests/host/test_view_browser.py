"""The live view in a real browser: what it shows is what the board shows, what it does reaches the board."""

from __future__ import annotations

import array
import time
from collections.abc import Iterator

import pytest
from live_board import live_board
from playwright.sync_api import Page, expect

from mpos_host.board.target import Target
from mpos_host.virtual.view.server import LiveView
from peers.browser import browser_page

SECONDS = 30

# The colors of the canvas as RGB565.
PIXELS = """() => {
    const canvas = document.getElementById("screen");
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const colors = [];
    for (let i = 0; i < data.length; i += 4)
        colors.push((data[i] >> 3) << 11 | (data[i + 1] >> 2) << 5 | data[i + 2] >> 3);
    return colors;
}"""


@pytest.fixture(scope="module")
def board_and_view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Target, LiveView]]:
    with live_board(tmp_path_factory.mktemp("view") / "counter") as both:
        yield both


@pytest.fixture(scope="module")
def target(board_and_view: tuple[Target, LiveView]) -> Target:
    return board_and_view[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with browser_page() as page:
        page.set_default_timeout(SECONDS * 1000)
        expect.set_options(timeout=SECONDS * 1000)
        yield page


@pytest.fixture
def page(board_and_view: tuple[Target, LiveView], browser: Page) -> Page:
    """The page of the board, whose app has just started."""
    target, view = board_and_view
    assert target.virtual is not None
    browser.goto("about:blank")
    target.virtual.reset()
    target.panel.wait_text("0 taps", SECONDS)
    browser.goto(view.url)
    expect(browser.locator("#status")).to_have_text("running")
    return browser


def tap(page: Page, x: int, y: int) -> None:
    scale = page.evaluate("document.getElementById('screen').getBoundingClientRect().width / 320")
    page.click("#screen", position={"x": (x + 0.5) * scale, "y": (y + 0.5) * scale})


def wait_same_pixels(page: Page, target: Target) -> None:
    """Until the canvas is what the panel shows."""
    until = time.monotonic() + SECONDS
    while page.evaluate(PIXELS) != list(array.array("H", target.panel.pixels())):
        assert time.monotonic() < until, "the canvas is not what the panel shows"


def test_the_canvas_has_the_panels_pixels_and_follows_them(page: Page, target: Target) -> None:
    wait_same_pixels(page, target)
    before = target.panel.pixels()
    tap(page, 160, 130)
    target.panel.wait_text("1 taps", SECONDS)
    assert target.panel.pixels() != before
    wait_same_pixels(page, target)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_at_every_size_a_click_reaches_the_widget_under_it(page: Page, target: Target, times: int) -> None:
    page.click(f"[data-scale='{times}']")
    tap(page, 20, 200)  # nothing is there
    for x, y in ((101, 101), (218, 158)):  # corners of the button
        tap(page, x, y)
    target.panel.wait_text("2 taps", SECONDS)
    expect(page.locator("#log")).to_contain_text("tapped 2")


def test_a_finger_that_stays_down_holds_the_button_until_it_leaves_the_page(
    page: Page, target: Target
) -> None:
    box = page.locator("#screen").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 130 / 240)
    page.mouse.down()
    while not pressed(target):
        target.panel.wait_frame(target.panel.frame_count())
    page.goto("about:blank")
    target.panel.wait_text("1 taps", SECONDS)
    assert not pressed(target)


def pressed(target: Target) -> bool:
    screen = target.panel.tree()[0]
    return "PRESSED" in next(one for one in screen["children"] if one["type"] == "button")["states"]


def test_figures_come_and_the_plots_move(page: Page) -> None:
    expect(page.locator("#turns")).not_to_have_text("–")
    expect(page.locator("#tasks")).to_contain_text("lvgl")
    assert int(page.text_content("#heap") or "") > 0
    for name in ("loop", "heap"):
        picture = f"document.querySelector('#{name}-plot canvas').toDataURL()"
        before = page.evaluate(picture)
        page.wait_for_function(f"before => {picture} !== before", arg=before)
    tap(page, 160, 130)  # draws frames
    page.wait_for_function("document.querySelectorAll('#frame-plot canvas').length === 1")


def test_a_line_is_run_beside_the_app_and_its_error_is_shown(page: Page, target: Target) -> None:
    log = page.locator("#log")
    for line, shown in (
        ("6 * 7", "42"),
        ("answer = [1, 2]; print(answer)", "[1, 2]"),
        ("len(await __import__('mpos').TaskManager.sleep_ms(1) or 'four')", "4"),
        ("1 / 0", "ZeroDivisionError"),
        ("1 +", "SyntaxError"),
    ):
        page.fill("#line", line)
        page.press("#line", "Enter")
        expect(log).to_contain_text(f">>> {line}")
        expect(log.locator("span").last).to_contain_text(shown)
    page.press("#line", "ArrowUp")
    assert page.input_value("#line") == "1 +"
    tap(page, 160, 130)
    target.panel.wait_text("1 taps", SECONDS)


def test_a_click_in_the_inspector_names_the_widget_and_touches_nothing(page: Page, target: Target) -> None:
    page.click("#inspect")
    tap(page, 160, 130)
    expect(page.locator("#path")).to_have_text('obj › button › label "Tap me"')
    expect(page.locator("#facts")).to_contain_text("lv.label")
    page.locator("#tree button", has_text="button").first.click()
    expect(page.locator("#facts")).to_contain_text("100, 100  120 × 60")
    expect(page.locator("#facts")).to_contain_text("CLICKABLE")
    expect(page.locator("#mark")).to_be_visible()
    page.click("#inspect")
    assert "0 taps" in target.panel.texts()


def test_what_is_typed_on_the_screen_goes_to_the_board(page: Page, target: Target) -> None:
    for line in (
        "import lvgl as lv; area = lv.textarea(lv.screen_active()); area.set_pos(20, 170)",
        "area.set_one_line(True); area.set_placeholder_text('type here')",
    ):
        page.fill("#line", line)
        page.press("#line", "Enter")
    target.panel.wait_text("type here", SECONDS)
    tap(page, 60, 190)
    page.keyboard.type("Hello, w")
    page.dispatch_event("#screen", "keydown", {"key": "ö"})  # playwright's keyboard is an American one
    page.keyboard.type("rld")
    target.panel.wait_text("Hello, wörld", SECONDS)
    page.keyboard.press("Backspace")
    page.keyboard.press("Home")
    page.keyboard.type(">")
    target.panel.wait_text(">Hello, wörl", SECONDS)


def test_pause_holds_the_board_until_it_is_told_to_go_on(page: Page, target: Target) -> None:
    page.click("#pause")
    expect(page.locator("#status")).to_have_text("paused")
    frames = target.panel.frame_count()
    tap(page, 160, 130)
    with pytest.raises(TimeoutError):
        target.panel.wait_frame(frames, 1)
    page.click("#pause")
    target.panel.wait_text("1 taps", SECONDS)


def test_a_paused_board_goes_on_when_the_page_is_closed(page: Page, target: Target) -> None:
    page.click("#pause")
    expect(page.locator("#status")).to_have_text("paused")
    page.goto("about:blank")
    target.panel.click(160, 130)
    target.panel.wait_text("1 taps", SECONDS)


@pytest.mark.parametrize("button", ["reset", "restart"])
def test_the_board_and_the_app_start_anew(page: Page, target: Target, button: str) -> None:
    tap(page, 160, 130)
    target.panel.wait_text("1 taps", SECONDS)
    assert target.virtual is not None
    since = target.virtual.output_position
    page.click(f"#{button}")
    target.virtual.wait_output("virtual is up", SECONDS, since)
    target.panel.wait_text("0 taps", SECONDS)
    expect(page.locator("#status")).to_have_text("running")
    wait_same_pixels(page, target)
    expect(page.locator("#silence")).to_be_hidden()
    tap(page, 160, 130)
    target.panel.wait_text("1 taps", SECONDS)


def test_the_screenshot_is_the_panels_picture(page: Page, target: Target) -> None:
    wait_same_pixels(page, target)
    with page.expect_download() as download:
        page.click("#shot")
    assert download.value.path().read_bytes() == target.panel.screenshot()
