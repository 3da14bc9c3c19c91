"""The benchmarks run on this board and say what they measured. What they give is not looked at: it takes the
computer's whole attention to mean something."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
WAYS = {"mpos", "TaskHandler(33)", "TaskHandler(2)", "coroutine, 33 ms"}


def way_of(title: str) -> str:
    return title.removesuffix(", re-creation")


@pytest.fixture(scope="module")
def options(request: pytest.FixtureRequest) -> list[str]:
    """What makes bench/run.py measure the board that is tested; skips where that is a board on a wire."""
    config = request.config
    if config.getoption("port"):
        pytest.skip("takes the board's port for itself")
    board, binary = config.getoption("board"), config.getoption("binary")
    return [*(["--board", board] if board else []), *(["--binary", binary] if binary else [])]


def run(options: list[str], folder: Path, *items: str) -> tuple[list[dict], str]:
    """The figures of a quick run of `items`, and what was printed."""
    output = folder / "bench.json"
    command = [sys.executable, str(BENCH / "run.py"), "--quick", "--output", str(output), "--only", *items]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(output.read_text()), done.stdout


@pytest.mark.timeout(110)
def test_each_way_is_measured_on_the_same_work_and_compared(options: list[str], tmp_path: Path) -> None:
    figures, printed = run(options, tmp_path, "update", "atomicity")
    update = [f for f in figures if f["name"] == "Update, 35 to 150 ms after the last frame: median"]
    assert {way_of(figure["way"]) for figure in update} == WAYS
    for figure in update:
        assert figure["unit"] == "ms"
        assert figure["value"] > 0
        assert {way_of(way) for way in figure["ratio"]} == WAYS - {way_of(figure["way"])}
    torn = {way_of(f["way"]): f["value"] for f in figures if f["name"].endswith("times it happened")}
    assert torn["mpos"] == 0  # This one does not depend on how busy the computer is.
    assert "| Update, 35 to 150 ms after the last frame | mpos " in printed


@pytest.mark.timeout(110)
def test_costs_have_names_and_units(options: list[str], tmp_path: Path) -> None:
    figures, _ = run(options, tmp_path, "heap", "tasks", "scale")
    units = {figure["name"]: figure["unit"] for figure in figures}
    assert units["Heap: a turn"] == "bytes"
    assert units["Tasks: create and first step"] == "us"
    assert units["Scale: waking one task"] == "us"
    assert {figure["way"] for figure in figures if figure["name"] == "Tasks: a step"} == {
        "asyncio",
        "mpos, statistics off",
        "mpos, statistics on",
    }
    assert len({(figure["name"], figure["way"]) for figure in figures}) == len(figures)


@pytest.mark.timeout(110)
def test_figures_of_another_board_stay_in_the_file(options: list[str], tmp_path: Path) -> None:
    other = {"name": "Heap: a turn", "board": "another", "way": "mpos", "value": 1, "unit": "bytes"}
    (tmp_path / "bench.json").write_text(json.dumps([other]))
    figures, _ = run(options, tmp_path, "scale")
    assert figures[0] == other
    assert len({figure["board"] for figure in figures}) == 2


def test_what_cannot_be_measured_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCH / "run.py"), "--board", "virtuel"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stderr == "bench: there is no board virtuel; did you mean virtual?\n"
