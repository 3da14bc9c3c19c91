"""The command `mpos`: run, deploy and look at apps on a board. `mpos COMMAND --help` says what each takes.

An error is one line on stderr that says what to do. Exit codes: 0 done, 1 it failed, 2 the command cannot be
right, 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from mpos_host.cli import commands, live, run, top, touch
from mpos_host.project import UserError
from mpos_host.virtual.panel import key_codes


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the console script. Returns the exit code."""
    _open_closed_streams()
    try:
        options = _parser().parse_args(arguments)
        code = options.command(options)
        sys.stdout.flush()  # what it cannot write is an error of this command, not of Python's end
        return code
    except UserError as error:
        _complain(f"mpos: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        _complain("")
        return 130
    except BrokenPipeError:
        _give_up_output()
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _complain(f"mpos: {where}{error.strerror or error}")
        _give_up_output()
        return 1


def _open_closed_streams() -> None:
    """A closed standard stream (`<&-`) is /dev/null: the next file to be opened would get its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


def _complain(line: str) -> None:
    with suppress(OSError):  # nobody can be told
        print(line, file=sys.stderr, flush=True)


def _give_up_output() -> None:
    """What is left in a buffer would be tried again when Python ends, and be its error."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(devnull, stream.fileno())
    os.close(devnull)


class _Parser(argparse.ArgumentParser):
    """An error is one line here as well, without the usage in front of it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"mpos: {message} (see {self.prog} --help)\n")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < 1e6:  # a NaN neither
        raise argparse.ArgumentTypeError(f"{text!r} is no time: say seconds, like 2.5")
    return seconds


def _text(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("an empty text is on every screen: say which to wait for")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mpos", description="Run and look at apps on a board with a screen.")
    commands_of = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands_of.add_parser(name, help=text, description=text)
        added.set_defaults(command=command)
        return added

    it = add("run", run.run, "Boot a board, deploy mpos and the app, start it, show its log until Ctrl-C.")
    it.add_argument("app", help="the app's folder, or its name in apps/")
    commands.board_options(it)
    it.add_argument("--source", action="store_true", help="deploy .py files instead of .mpy")
    it.add_argument(
        "--watch", action="store_true", help="deploy what is saved, and start the app again (virtual board)"
    )
    live.view_option(it)
    it.add_argument("--headless", action="store_true", help="no window (only unix_sdl has one)")
    it.add_argument(
        "--expect", type=_text, metavar="TEXT", help="end well as soon as a visible widget shows TEXT"
    )
    it.add_argument(
        "--timeout",
        type=_seconds,
        default=60,
        metavar="S",
        help="how long --expect waits (default: 60 seconds)",
    )
    it.add_argument("--screenshot", metavar="FILE.png", help="leave a picture of the screen at the end")
    it.add_argument(
        "--arg",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an entry of the activity's extras; may be given several times",
    )

    it = add("deploy", commands.deploy, "Bring mpos and apps onto a board; only what changed is sent.")
    it.add_argument("app", nargs="*", help="folders of apps; the first is started at boot")
    commands.board_options(it)
    it.add_argument("--source", action="store_true", help="deploy .py files instead of .mpy")

    it = add("test", commands.test, "Run device tests on a board (through pytest).")
    it.add_argument(
        "paths", nargs="*", help="files or folders (default: the smoke tests); options of pytest after --"
    )
    commands.board_options(it)
    it.add_argument("--report", metavar="DIR", help="leave a report there: index.html and junit.xml")
    it.add_argument("--ask", action="store_true", help="also tests that need a person at the board")
    it.add_argument("--host-address", metavar="ADDR", help="of this computer, as the board sees it")
    it.add_argument("--update-images", action="store_true", help="store the pictures instead of comparing")

    it = add("screenshot", commands.screenshot, "Take a picture of the screen of a running board.")
    it.add_argument("file", help="the PNG file to write")
    commands.board_options(it)

    it = add("shell", commands.shell, "Talk to the board: a REPL beside the running app (mpremote's).")
    commands.board_options(it)

    it = add("reset", commands.reset, "Reset the board as its button would.")
    commands.board_options(it)

    it = add("top", top.top, "Show what the tasks of a running board use, live.")
    commands.board_options(it)
    it.add_argument("--once", action="store_true", help="one table, then end")
    it.add_argument("--interval", type=_seconds, default=2, metavar="S", help="seconds between (default: 2)")

    def beside(name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = add(name, command, f"{text} (a virtual board that runs).")
        added.add_argument("--port", metavar="PORT", help="which board, if several run")
        return added

    it = beside("tap", touch.tap, "Tap the widget that shows a text, or a point")
    it.add_argument("where", nargs="+", metavar="TEXT | X Y", help="the widget's text, or pixels")

    it = beside("drag", touch.drag, "Drag from one point to another")
    for name in ("x1", "y1", "x2", "y2"):
        it.add_argument(name, type=int, metavar=name.upper())

    it = beside("key", touch.key, "Press keys")
    it.add_argument(
        "keys", nargs="+", metavar="KEY", help=f"a character, or one of {', '.join(key_codes.NAMES)}"
    )

    it = beside("type", touch.type_text, "Type a text into the widget that has the focus")
    it.add_argument("text", metavar="TEXT")

    it = beside("wait", touch.wait, "Wait until a text is on the screen")
    it.add_argument("text", type=_text, metavar="TEXT")
    it.add_argument("--timeout", type=_seconds, default=60, metavar="S", help="seconds (default: 60)")

    it = beside("tree", touch.tree, "Print the widgets on the screen")
    it.add_argument("--json", action="store_true", help="for programs")

    add("boards", commands.boards, "List the boards, and what is connected.")
    return parser
