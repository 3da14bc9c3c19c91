"""A figure: one number that was measured, and what it is held against."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """`way` is how LVGL is driven, or what the number belongs to where that does not matter.

    `at_most`, `at_least`: the goal of the project, if it has one for this figure. `ratios_at_most`: by ways
    (the beginning of their names), how small this figure's ratio to theirs is to be.
    """

    section: str
    name: str
    way: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    ratios_at_most: dict[str, float] = field(default_factory=dict)


def ratios(figure: Figure, figures: Sequence[Figure]) -> dict[str, float | None]:
    """`figure`'s value by those of the other ways; None where theirs is 0."""
    return {
        other.way: round(figure.value / other.value, 5) if other.value else None
        for other in figures
        if (other.section, other.name) == (figure.section, figure.name) and other.way != figure.way
    }


def misses(figure: Figure, figures: Sequence[Figure]) -> list[str]:
    """What of its goals the figure misses, in words."""
    missed = []
    if figure.at_most is not None and figure.value > figure.at_most:
        missed.append(f"{figure.value:.4g} {figure.unit}, not at most {figure.at_most:g}")
    if figure.at_least is not None and figure.value < figure.at_least:
        missed.append(f"{figure.value:.4g} {figure.unit}, not at least {figure.at_least:g}")
    for way, ratio in ratios(figure, figures).items():
        for name, limit in figure.ratios_at_most.items():
            if way.startswith(name) and ratio is not None and ratio > limit:
                missed.append(f"{ratio:.4g} times that of {way}, not at most {limit:g} times")
    return missed


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` % of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
