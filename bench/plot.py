"""The picture for the README: how soon the ways react, and what they cost while nothing happens.

python bench/plot.py [build/bench.json [docs/images/benchmark.png]]
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

_ROOT = Path(__file__).resolve().parents[1]
_OURS, _OTHERS, _TEXT, _MUTED, _LINE = "#0b6e4f", "#7b8794", "#222222", "#666666", "#d9dee3"

# Title, name of the figure, unit.
_PANELS = (
    ("Text changed → on the screen", "Update, 35 to 150 ms after the last frame: median", "ms"),
    ("Finger → the widget's callback", "Touch: median", "ms"),
    ("Processor time, idle screen", "Idle: CPU, main thread", "%"),
)
_BOARDS = {"unix_sdl": "lvgl_micropython's desktop binary", "virtual": "the virtual board"}


def draw(figures: Path, picture: Path) -> None:
    """Draw the figures of the desktop binary, else of the virtual board, else of any other."""
    entries: list[dict[str, Any]] = json.loads(figures.read_text(encoding="utf-8"))
    measured = {entry["board"] for entry in entries}
    board = next((name for name in (*_BOARDS, *sorted(measured)) if name in measured), "")
    canvas, axes = pyplot.subplots(1, len(_PANELS), figsize=(11, 3.1), sharey=True)
    for axis, (title, name, unit) in zip(axes, _PANELS, strict=True):
        values = {e["way"]: e["value"] for e in entries if e["board"] == board and e["name"] == name}
        _dots(axis, title, values, unit)
    where = _BOARDS.get(board, board)
    canvas.suptitle(
        f"Ways to drive LVGL beside asyncio, on {where} (logarithmic scale, less is better)",
        fontsize=12,
        color=_TEXT,
    )
    canvas.tight_layout()
    picture.parent.mkdir(parents=True, exist_ok=True)
    canvas.savefig(picture, dpi=150, facecolor="white")
    pyplot.close(canvas)


def _dots(axis: Axes, title: str, values: dict[str, float], unit: str) -> None:
    """A dot a way: a bar would have to begin somewhere, and a logarithmic axis has no zero."""
    ways = list(values)
    heights = range(len(ways), 0, -1)
    least = 10 ** math.floor(math.log10(min(values.values()) * 0.7))
    most = 10 ** math.ceil(math.log10(max(values.values())))
    axis.set_xscale("log")
    axis.set_xlim(least * 0.8, most * 9)
    axis.set_ylim(0.4, len(ways) + 0.6)
    axis.hlines(heights, least * 0.8, [values[way] for way in ways], color=_LINE, linewidth=2)
    for height, way in zip(heights, ways, strict=True):
        ours = way == "mpos"
        value = values[way]
        axis.plot(value, height, "o", markersize=12, color=_OURS if ours else _OTHERS)
        axis.annotate(
            f"{value:.2g} {unit}",
            (value, height),
            (11, 0),
            textcoords="offset points",
            va="center",
            fontsize=11,
            weight="bold" if ours else "normal",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    decades = [10.0**power for power in range(round(math.log10(least)), round(math.log10(most)) + 1)]
    axis.set_xticks(decades, [f"{decade:g} {unit}" for decade in decades], fontsize=9, color=_MUTED)
    axis.grid(axis="x", color=_LINE, linewidth=0.8)
    axis.set_axisbelow(True)
    axis.set_yticks(heights, ways, fontsize=11, color=_TEXT)
    axis.set_title(title, fontsize=11, color=_TEXT, pad=8)
    axis.tick_params(which="both", length=0)
    axis.xaxis.set_minor_locator(NullLocator())
    for side in axis.spines.values():
        side.set_visible(False)


if __name__ == "__main__":
    arguments = [Path(argument) for argument in sys.argv[1:]]
    draw(
        arguments[0] if arguments else _ROOT / "build" / "bench.json",
        arguments[1] if len(arguments) > 1 else _ROOT / "docs" / "images" / "benchmark.png",
    )
