"""The shorter commands of `mpos`, and how a command finds its board."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mpos_host import project
from mpos_host.board import ports as ports
from mpos_host.board import screen
from mpos_host.board.deploy import deploy as deploy_files
from mpos_host.board.deploy import plan
from mpos_host.board.target import Target
from mpos_host.cli.progress import show_progress
from mpos_host.project import UserError

if TYPE_CHECKING:
    import pytest


def board_options(parser: argparse.ArgumentParser) -> None:
    """The options that choose a board, for `open_target`."""
    group = parser.add_argument_group("the board")
    group.add_argument("--board", metavar="NAME", help="a folder of boards/ (default: virtual)")
    group.add_argument(
        "--port", metavar="PORT", help="serial port of a real board, or of a running virtual one"
    )
    group.add_argument("--binary", metavar="PATH", help="lvgl_micropython's unix binary, for unix_sdl")
    group.add_argument("--heap", metavar="SIZE", help="heap of a board that is a process, like 256k")
    group.add_argument("--flash", metavar="SIZE", help="flash of a board that is a process, like 4M")


def open_target(options: argparse.Namespace, log: Callable[[str], None] | None = None) -> Target:
    """The board that --board, --port and --binary name; a real one without --port by its USB id."""
    board = project.load_board(options.board or _board_at(options.port, options.binary))
    port = options.port
    if port is None and not board.is_process:
        port = ports.find_port(board, ports.connected()).device
    return Target(board, port=port, binary=options.binary, heap=options.heap, flash=options.flash, log=log)


def running_target(options: argparse.Namespace, command: str, exact: bool = False) -> Target:
    """A board that is there before the command and after it: not one that this command would start itself.

    With `exact`, a port alone does not do if it does not say which board is at it.
    """
    if not options.port and project.load_board(options.board or "virtual").is_process:
        raise UserError(f"mpos {command} is for a board that runs: say its --port (`mpos run` shows it)", 2)
    if not exact:
        options.board = options.board or "virtual"  # what the command does is the same on every board
    return open_target(options)


def _board_at(port: str | None, binary: str | None) -> str:
    """The board that is meant when nobody said which."""
    if port is None:
        return "unix_sdl" if binary else "virtual"
    found = [one for one in ports.connected() if one.device == port]
    names = ports.names_for(found[0]) if found else []
    if len(names) != 1 and Path(port).exists():
        raise UserError(f"which board is at {port}? Say --board {' or --board '.join(names) or 'NAME'}", 2)
    return names[0] if names else "virtual"  # a port that is not there: whoever opens it says so


def deploy(options: argparse.Namespace) -> int:
    """Bring mpos and apps onto a board."""
    apps = [project.load_app(where) for where in options.app]
    with running_target(options, "deploy", exact=True) as target:
        target.device.enter()
        files = plan(target.board, apps, options.source)
        done = deploy_files(target.device, files, target.board, show_progress())
        reset = "; they run after a reset: mpos reset" if done.written or done.removed else ""
        print(f"{done}{reset}")
    return 0


def test(options: argparse.Namespace) -> int:
    """Run device tests through pytest."""
    try:
        import pytest
    except ImportError:
        raise UserError(
            "the tests need pytest: `make test` installs it, or pip install '.[test]' in a checkout"
        ) from None
    arguments = [str(path) for path in options.paths]
    if not arguments:
        smoke = sorted((project.root() / "tests" / "device").glob("smoke_*.py"))
        if not smoke:
            raise UserError("there are no tests/device/smoke_*.py here: name the files to run", 2)
        arguments = [str(path) for path in smoke]
    options.board = options.board or _board_at(options.port, options.binary)
    if not options.port and not project.load_board(options.board).is_process:
        options.port = ports.find_port(project.load_board(options.board), ports.connected()).device
    open_target(options)  # what cannot be is said before any test runs
    for name in ("board", "port", "binary", "heap", "flash", "report", "host-address"):
        value = getattr(options, name.replace("-", "_"))
        if value:
            arguments.append(f"--{name}={value}")
    for name in ("ask", "update-images"):
        if getattr(options, name.replace("-", "_")):
            arguments.append(f"--{name}")
    # pytest would rewrite the assertions of its plugins, and warns where they are imported already, as here.
    arguments += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    watch = _CtrlC()
    code = int(pytest.main(arguments, plugins=[watch]))
    return 130 if watch.pressed else code


class _CtrlC:
    """A pytest plugin: pytest's exit code for Ctrl-C is that for files it cannot read as well."""

    pressed = False

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.pressed = excinfo.type is KeyboardInterrupt  # pytest's own Interrupted is one as well


def screenshot(options: argparse.Namespace) -> int:
    """Take a picture of the screen of a running board."""
    screen.check_picture(options.file)
    with running_target(options, "screenshot") as target:
        screen.save_picture(target, options.file)
    return 0


def shell(options: argparse.Namespace) -> int:
    """mpremote's REPL on the board, without a reset."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("mpos shell is for a terminal; elsewhere: mpremote connect PORT resume exec CODE", 2)
    with running_target(options, "shell") if options.port else open_target(options) as target:
        port = target.device.port  # one that is missing or busy is said as by every other command
        target.disconnect()
        command = [sys.executable, "-m", "mpremote", "connect", port, "resume", "repl"]
        return subprocess.run(command).returncode


def reset(options: argparse.Namespace) -> int:
    """Reset the board as its button would."""
    with running_target(options, "reset") as target:
        target.device.hard_reset()
    return 0


def boards(options: argparse.Namespace) -> int:
    """List the boards and what is connected."""
    found = ports.connected()
    for name in project.board_names():
        board = project.load_board(name)
        tried = board.is_process or board.facts.get("tried_on_hardware")
        notes = [] if tried else ["not yet tried on hardware"]
        notes += [f"may be at {port.device}" for port in found if ports.may_be(board, port)]
        print(f"{name:34}{board.title}{'  (' + ', '.join(notes) + ')' if notes else ''}")
    for port in found:
        if not ports.names_for(port):
            print(f"{port.device}: {port.description} ({port.usb_id}), none of these")
    return 0
