"""The examples of the docs and the README are run on the board as they stand there."""

import re
from pathlib import Path

import pytest

from mpos_host import project
from mpos_host.board import screen
from mpos_host.board.target import Target
from mpos_host.cli.run import start_app
from mpos_host.testing.session import BoardSession

ROOT = Path(__file__).parents[2]

# An example is a block that says so: ```python run
EXAMPLE = re.compile(r"^```python run\n(.*?)^```$", re.MULTILINE | re.DOTALL)

BEFORE = """
import device_runner
device_runner.lvgl_loop()
screen = device_runner.screen()
server = {server!r}
live = {live!r}
"""

AFTER = """
if "main" in globals():
    from mpos import TaskManager
    TaskManager.run_until_complete(main(), 10000)
"""


def examples() -> list[object]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [
        pytest.param(code, id=f"{page.stem}-{number}")
        for page in pages
        for number, code in enumerate(EXAMPLE.findall(page.read_text()), start=1)
    ]


@pytest.mark.parametrize("code", examples())
def test_the_example_runs(
    board: Target, board_session: BoardSession, server: str, websockets_url: dict[str, str], code: str
) -> None:
    board_session.send([])
    board.device.exec(
        BEFORE.format(server=server, live=websockets_url["good"] + "/echo") + code + AFTER, timeout=20
    )


def test_the_first_app_of_the_readme_runs(board: Target, tmp_path: Path) -> None:
    for name, code in re.findall(
        r"^`apps/hello/(\S+)`\n\n```\w+\n(.*?)^```$",
        (ROOT / "README.md").read_text(),
        re.MULTILINE | re.DOTALL,
    ):
        (tmp_path / name).write_text(code)
    start_app(board, project.load_app(str(tmp_path)), {})
    assert screen.wait_text(board, "1 seconds", 10), screen.texts(board)


def test_every_page_that_is_linked_to_exists() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
