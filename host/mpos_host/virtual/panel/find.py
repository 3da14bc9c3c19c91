"""Finding a widget in the tree that the panel tells (`mpos_host.virtual.panel.tree`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mpos_host.virtual.panel.areas import HEIGHT, WIDTH


def centre_of(tree: list[dict[str, Any]], text: str) -> tuple[int, int]:
    """The middle of the visible widget that shows `text`, or else of the first that has it in its text.

    Raises LookupError, which lists the texts that there are.
    """
    there = [one for one in visible(tree) if one["text"]]
    found = [one for one in there if one["text"] == text] or [one for one in there if text in one["text"]]
    if not found:
        shown = ", ".join(repr(one["text"]) for one in there) or "no text"
        raise LookupError(f"no widget shows {text!r}; the screen shows {shown}")
    return _middle(found[0])


def visible(tree: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The widgets whose middle is on the screen and that are not hidden, in drawing order."""
    for widget in tree:
        if "HIDDEN" in widget["flags"]:
            continue
        x, y = _middle(widget)
        if 0 <= x < WIDTH and 0 <= y < HEIGHT:
            yield widget
        yield from visible(widget["children"])


def outline(tree: list[dict[str, Any]], depth: int = 0) -> Iterator[str]:
    """The tree as lines: type, text, place, flags and states."""
    for widget in tree:
        place = f"{widget['x']},{widget['y']} {widget['width']}x{widget['height']}"
        text = f" {widget['text']!r}" if widget["text"] else ""
        marks = " ".join([*widget["flags"], *widget["states"]])
        yield f"{'  ' * depth}{widget['type']}{text}  {place}  {marks}".rstrip()
        yield from outline(widget["children"], depth + 1)


def _middle(widget: dict[str, Any]) -> tuple[int, int]:
    return widget["x"] + widget["width"] // 2, widget["y"] + widget["height"] // 2
