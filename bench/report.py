"""Figures as JSON and as tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from figure import Figure, misses, ratios


def write_json(path: Path, board: str, figures: Sequence[Figure]) -> None:
    """Put the figures of `board` into the file, in the place of its earlier ones."""
    try:
        others = [entry for entry in json.loads(path.read_text(encoding="utf-8")) if entry["board"] != board]
    except FileNotFoundError:
        others = []
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = others + [_entry(figure, board, figures) for figure in figures]
    path.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


def _entry(figure: Figure, board: str, figures: Sequence[Figure]) -> dict[str, object]:
    entry: dict[str, object] = {
        "name": f"{figure.section}: {figure.name}",
        "board": board,
        "way": figure.way,
        "value": round(figure.value, 5),
        "unit": figure.unit,
    }
    others = ratios(figure, figures)
    if others:
        entry["ratio"] = others
    missed = misses(figure, figures)
    if missed:
        entry["missed"] = missed
    return entry


def tables(figures: Sequence[Figure]) -> str:
    """Markdown: a table a section, a column a way; beside the value how many times the first way's it is."""
    parts = []
    for section in _unique(figure.section for figure in figures):
        mine = [figure for figure in figures if figure.section == section]
        ways = _unique(figure.way for figure in mine)
        rows = [[section, *ways, "goal"], ["---", *("---:" for _ in ways), "---"]]
        for name in _unique(figure.name for figure in mine):
            row = {figure.way: figure for figure in mine if figure.name == name}
            first = next(iter(row.values()))
            unit = f" ({first.unit})" if first.unit else ""
            rows.append(
                [name + unit, *(_cell(row.get(way), row.get(ways[0])) for way in ways), _goal(row.values())]
            )
        parts.append(_aligned(rows))
    return "\n\n".join(parts) + "\n"


def missed_goals(figures: Sequence[Figure]) -> list[str]:
    """A line for each goal that was missed."""
    return [
        f"{figure.section}: {figure.name} ({figure.way}): {why}"
        for figure in figures
        for why in misses(figure, figures)
    ]


def _cell(figure: Figure | None, first: Figure | None) -> str:
    if figure is None:
        return ""
    if first is None or first is figure or not first.value or figure.value < 0 or not figure.value:
        return _number(figure.value)
    return f"{_number(figure.value)} ({_number(figure.value / first.value)}x)"


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.2g}" if abs(value) < 1 else f"{value:.3g}"


def _goal(row: Iterable[Figure]) -> str:
    goals = []
    for figure in row:
        if figure.at_most is not None:
            goals.append(f"at most {figure.at_most:g}")
        if figure.at_least is not None:
            goals.append(f"at least {figure.at_least:g}")
        goals += [f"at most {limit:g} of {way}" for way, limit in figure.ratios_at_most.items()]
    return ", ".join(_unique(goals))


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            _rule(cell, width) if cell.startswith("---") else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _rule(cell: str, width: int) -> str:
    return "-" * (width - 1) + ":" if cell.endswith(":") else "-" * width


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
