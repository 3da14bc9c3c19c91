"""The live view of a command that starts a board: whether there is one, and how it is announced."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mpos_host.board.target import Target
from mpos_host.project import UserError

if TYPE_CHECKING:
    from mpos_host.virtual.view.server import LiveView


def view_option(parser: argparse.ArgumentParser) -> None:
    """The option for `live_view`."""
    parser.add_argument(
        "--view",
        action=argparse.BooleanOptionalAction,
        help="a page that shows the virtual board and touches it (default: at a terminal, but not in CI)",
    )


@contextmanager
def live_view(target: Target, title: str, wanted: bool | None) -> Iterator[LiveView | None]:
    """The page of the board, its address shown, and opened where there is a desktop. None if there is none.

    `wanted` None: at a terminal. Raises UserError if it is wanted and the board has no panel.
    """
    at_terminal = sys.stderr.isatty() and not os.environ.get("CI")
    has_panel = target.virtual is not None and target.virtual.panel is not None
    if wanted is False or (wanted is None and not (at_terminal and has_panel)):
        yield None
        return
    if not has_panel:
        raise UserError(f"{target.board.name} has no panel to look at: --view is for the virtual board", 2)
    assert target.virtual is not None
    from mpos_host.virtual.view.server import LiveView

    with LiveView(target.virtual, title) as view:
        print(f"mpos: see it and touch it at {view.url}", file=sys.stderr, flush=True)
        if at_terminal and _has_desktop():
            webbrowser.open(view.url)
        yield view


def _has_desktop() -> bool:
    """Elsewhere `webbrowser` would start a browser in this terminal."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
