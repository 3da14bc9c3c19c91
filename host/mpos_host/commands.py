"""The shorter commands of `mpos`, and how a command finds its board."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mpos_host import project, screen
from mpos_host.deploy import deploy as deploy_files
from mpos_host.deploy import plan
from mpos_host.project import UserError
from mpos_host.target import Target


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
    """The board that --board, --port and --binary name."""
    name = options.board or ("unix_sdl" if options.binary else "virtual")
    return Target(
        project.load_board(name),
        port=options.port,
        binary=options.binary,
        heap=options.heap,
        flash=options.flash,
        log=log,
    )


def deploy(options: argparse.Namespace) -> int:
    """Bring mpos and apps onto a board."""
    apps = [project.load_app(where) for where in options.app]
    with _running_target(options, "deploy") as target:
        target.device.enter()
        done = deploy_files(target.device, plan(target.board, apps, options.source), target.board)
        written, removed = len(done.written), len(done.removed)
        print(f"{written} files written ({done.bytes_sent / 1024:.0f} KB), {removed} removed")
    return 0


def test(options: argparse.Namespace) -> int:
    """Run device tests through pytest."""
    try:
        import pytest
    except ImportError:
        raise UserError("the tests need pytest: pip install 'mpos-host[test]'") from None
    arguments = [str(path) for path in options.paths]
    if not arguments:
        smoke = sorted((project.root() / "tests" / "device").glob("smoke_*.py"))
        if not smoke:
            raise UserError("there are no tests/device/smoke_*.py here: name the files to run", 2)
        arguments = [str(path) for path in smoke]
    for name in ("board", "port", "binary", "heap"):
        if getattr(options, name):
            arguments += [f"--{name}", getattr(options, name)]
    return int(pytest.main(arguments))


def screenshot(options: argparse.Namespace) -> int:
    """Take a picture of the screen of a running board."""
    with _running_target(options, "screenshot") as target:
        Path(options.file).write_bytes(screen.screenshot(target))
    return 0


def shell(options: argparse.Namespace) -> int:
    """mpremote's REPL on the board, without a reset."""
    with open_target(options) as target:
        command = [sys.executable, "-m", "mpremote", "connect", target.port, "resume", "repl"]
        return subprocess.run(command).returncode


def reset(options: argparse.Namespace) -> int:
    """Reset the board as its button would."""
    with _running_target(options, "reset") as target:
        target.device.hard_reset()
    return 0


def boards(options: argparse.Namespace) -> int:
    """List the boards and what is connected."""
    for name in project.board_names():
        board = project.load_board(name)
        tried = (
            ""
            if board.is_process or board.facts.get("tried_on_hardware")
            else "  (not yet tried on hardware)"
        )
        print(f"{name:34}{board.title}{tried}")
    return 0


def top(options: argparse.Namespace) -> int:
    """Show what the tasks of a running board use."""
    with _running_target(options, "top") as target:
        while True:
            stats, tasks = target.device.call(
                "[mpos.TaskManager.stats(), [tuple(task) for task in mpos.TaskManager.list_tasks()]]", "mpos"
            )
            print(_table(stats, tasks))
            if options.once:
                return 0
            time.sleep(options.interval)


def _running_target(options: argparse.Namespace, command: str) -> Target:
    """A board that is there before the command and after it: not one that this command would start itself."""
    if not options.port:
        raise UserError(f"mpos {command} is for a board that runs: say its --port (`mpos run` shows it)", 2)
    return open_target(options)


def _table(stats: dict[str, object], tasks: list[list[object]]) -> str:
    lines = [f"{'task':32}{'state':10}{'age s':>8}{'steps':>9}{'busy ms':>9}{'longest ms':>12}"]
    for name, state, age, steps, busy, longest in tasks:
        lines.append(
            f"{name!s:32.32}{state!s:10}{int(str(age)) / 1000:8.1f}{steps!s:>9}{busy!s:>9}{longest!s:>12}"
        )
    return "\n".join(lines)
