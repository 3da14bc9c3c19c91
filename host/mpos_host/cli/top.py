"""`mpos top`: what the loop and its tasks use on a running board, asked over its console."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from typing import Any

from mpos_host.cli.commands import running_target

_STATE = "[mpos.TaskManager.stats(), [list(task) for task in mpos.TaskManager.list_tasks()]]"

_CLEAR = "\x1b[H\x1b[2J"  # ECMA-48: cursor home, erase the display

# Upper ends of the classes of LvglLoop's lateness histogram, in ms; the last is open.
_LATENESS = ("0", "1", "2", "5", "10", "20", "50", "more")


def top(options: argparse.Namespace) -> int:
    """Show a table every `--interval` seconds until Ctrl-C, or `--once`."""
    before: Sample | None = None
    with running_target(options, "top") as target:
        try:
            while True:
                stats, tasks = target.device.call(_STATE, "mpos")
                now = Sample(time.monotonic(), stats, tasks)
                live = sys.stdout.isatty() and not options.once
                print((_CLEAR if live else "") + table(now, before), flush=True)
                if options.once:
                    return 0
                before = now
                time.sleep(options.interval)
        except KeyboardInterrupt:
            return 0


class Sample:
    """What a board said at a time (seconds)."""

    def __init__(self, at: float, stats: dict[str, Any], tasks: list[list[Any]]):
        self.at = at
        self.stats = stats
        self.tasks = tasks
        # Several tasks may have one name: the first of them, the second, ...
        seen: Counter[str] = Counter()
        self.busy_ms: dict[tuple[str, int], int] = {}
        self.keys = []
        for name, _, _, _, busy, _ in tasks:
            self.keys.append((name, seen[name]))
            self.busy_ms[name, seen[name]] = busy
            seen[name] += 1


def table(now: Sample, before: Sample | None = None) -> str:
    """The text that is shown; shares and rates are since `before`, or since the task began."""
    lines = [*_loop_lines(now, before), ""]
    lines.append(f"{'task':30}{'state':>9}{'age s':>9}{'steps':>9}{'busy %':>8}{'longest ms':>12}")
    for key, (name, state, age_ms, steps, busy_ms, longest_ms) in zip(now.keys, now.tasks, strict=True):
        over_ms = age_ms
        if before is not None and key in before.busy_ms:
            busy_ms -= before.busy_ms[key]
            over_ms = (now.at - before.at) * 1000
        share = 100 * busy_ms / over_ms if over_ms else 0
        lines.append(f"{name:30.30}{state:>9}{age_ms / 1000:9.1f}{steps:9}{share:8.1f}{longest_ms:12}")
    return "\n".join(lines)


def _loop_lines(now: Sample, before: Sample | None) -> list[str]:
    stats = now.stats
    used, free = stats["heap_used"], stats["heap_free"]
    lines = [
        f"heap {used // 1024} KB used, {free // 1024} KB free",
        f"tasks {stats['tasks']} of {stats['created']} since boot, "
        f"{stats['errors']} errors, {stats['slow_steps']} slow steps",
        f"polls {stats['polls']}{_rate(now, before, 'polls')}",
    ]
    lvgl = stats.get("lvgl")
    if lvgl is not None:
        late = "  ".join(
            f"{limit}: {count}" for limit, count in zip(_LATENESS, lvgl["lateness"], strict=False) if count
        )
        lines += [
            f"turns {lvgl['turns']}{_rate(now, before, 'turns')}, frames {lvgl['frames']}"
            f"{_rate(now, before, 'frames')}, longest turn {lvgl['longest_turn_us'] / 1000:.1f} ms",
            f"turns late by at most (ms)  {late or 'none'}",
        ]
    return lines


def _rate(now: Sample, before: Sample | None, name: str) -> str:
    if before is None:
        return ""
    values = [sample.stats.get(name, sample.stats.get("lvgl", {}).get(name, 0)) for sample in (before, now)]
    return f" ({(values[1] - values[0]) / (now.at - before.at):.1f}/s)"
