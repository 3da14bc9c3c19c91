"""`mpos tap`, `drag`, `key`, `type`, `wait` and `tree`: what a finger does, for a virtual board that runs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager

from mpos_host.project import UserError
from mpos_host.virtual.panel.areas import HEIGHT, WIDTH
from mpos_host.virtual.panel.client import PanelClient, PanelDied
from mpos_host.virtual.panel.find import outline
from mpos_host.virtual.running import running_panel


def tap(options: argparse.Namespace) -> int:
    """Tap a widget by its text, or a point."""
    with _panel(options, "tap") as panel:
        if len(options.where) == 1:
            panel.tap(options.where[0])
        elif len(options.where) == 2 and all(one.isdigit() for one in options.where):
            panel.click(*_on_screen(*map(int, options.where)))
        else:
            raise UserError("mpos tap takes a text (in quotes if it has spaces), or X and Y", 2)
    return 0


def drag(options: argparse.Namespace) -> int:
    """Drag from one point to another."""
    with _panel(options, "drag") as panel:
        panel.swipe(*_on_screen(options.x1, options.y1), *_on_screen(options.x2, options.y2))
    return 0


def key(options: argparse.Namespace) -> int:
    """Press keys."""
    with _panel(options, "key") as panel:
        panel.keys(*options.keys)
    return 0


def type_text(options: argparse.Namespace) -> int:
    """Type a text."""
    with _panel(options, "type") as panel:
        panel.type(options.text)
    return 0


def wait(options: argparse.Namespace) -> int:
    """Wait for a text on the screen."""
    with _panel(options, "wait") as panel:
        panel.wait_text(options.text, options.timeout)
    return 0


def tree(options: argparse.Namespace) -> int:
    """Print the tree of widgets."""
    with _panel(options, "tree") as panel:
        roots = panel.tree()
    print(json.dumps(roots, indent=1) if options.json else "\n".join(outline(roots)))
    return 0


@contextmanager
def _panel(options: argparse.Namespace, command: str) -> Iterator[PanelClient]:
    panel = running_panel(options.port, command)
    try:
        yield panel
    except (LookupError, ValueError, PanelDied, TimeoutError) as error:
        raise UserError(str(error)) from None
    finally:
        panel.close()


def _on_screen(x: int, y: int) -> tuple[int, int]:
    if not (0 <= x < WIDTH and 0 <= y < HEIGHT):
        raise UserError(f"{x},{y} is not on the screen of {WIDTH} x {HEIGHT} pixels", 2)
    return x, y
