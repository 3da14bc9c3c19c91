"""What it costs: an idle screen, heap, tasks, and many of them."""

from __future__ import annotations

from collections.abc import Iterator

from figure import Figure, median
from session import BenchSession, Cost

WAYS = ("mpos", "task_handler_33", "task_handler_2", "coroutine_33")


def idle(session: BenchSession) -> Iterator[Figure]:
    """A screen on which nothing moves."""
    for way in WAYS:
        yield from _idle(session, way, "Idle", threads=0)
    yield from _idle(session, "mpos", "Idle, while 4 threads may post", threads=4)


def _idle(session: BenchSession, way: str, section: str, threads: int) -> Iterator[Figure]:
    seconds = 1.0 if session.quick else 6.0
    costs: list[Cost | None] = []

    def on_line(line: str) -> None:
        if line == "idle begins":
            costs.append(session.cost(seconds - 0.5))

    measured = session.run(
        "bench_idle",
        way=way,
        milliseconds=int(seconds * 1000),
        threads=threads,
        seconds=seconds,
        on_line=on_line,
    )
    ours = way == "mpos"
    title = measured["title"]
    yield Figure(
        section, "LVGL's handler called", title, measured["turns"], "1/s", at_most=1 if ours else None
    )
    yield Figure(section, "polls", title, measured["polls"], "1/s", at_most=2 if ours else None)
    if costs and (cost := costs[0]) is not None:
        tenth = {"TaskHandler(33)": 0.1} if ours and not threads else {}
        yield Figure(section, "CPU", title, cost.cpu_percent, "%", ratios_at_most=tenth)
        yield Figure(section, "CPU, main thread", title, cost.main_thread_percent, "%", ratios_at_most=tenth)
        yield Figure(section, "the process woken", title, cost.wakeups_per_second, "1/s")


def heap(session: BenchSession) -> Iterator[Figure]:
    """Heap of turns and frames."""
    seconds = 0.5 if session.quick else 3.0
    turns = session.run("bench_turns", "measure_heap", turns=20 if session.quick else 200, seconds=3)
    for key, name in (("wake", "a wake"), ("turn", "a turn"), ("idle_second", "an idle second")):
        yield Figure("Heap", name, "mpos", turns[key], "bytes", at_most=0)
    milliseconds = int(seconds * 1000)
    ours = session.run("bench_animation_heap", "measure_loop", milliseconds=milliseconds, seconds=seconds)
    bare = session.run("bench_animation_heap", "measure_bare", milliseconds=milliseconds, seconds=seconds)
    yield Figure("Heap", "a frame of an animation", "mpos", ours["frame"], "bytes")
    yield Figure("Heap", "a frame of an animation", "the binding alone", bare, "bytes")
    own = max(0.0, ours["frame"] - bare)
    yield Figure("Heap", "a frame of an animation, without the binding's", "mpos", own, "bytes", at_most=0)


def tasks(session: BenchSession) -> Iterator[Figure]:
    """A managed task beside a raw one."""
    batches, steps = (3, 50) if session.quick else (60, 400)
    measured = session.run("bench_tasks", batches=batches, steps=steps, seconds=30)
    raw = measured["raw"]
    titles = {"raw": "asyncio", "off": "mpos, statistics off", "on": "mpos, statistics on"}
    for kind, title in titles.items():
        yield Figure("Tasks", "heap of a task", title, measured[kind]["bytes"], "bytes")
    for key, name in (
        ("create", "create and first step"),
        ("crowded", "create and first step, beside a display in use"),
    ):
        for kind, title in titles.items():
            limits = {"off": {"asyncio": 1.6}, "on": {"asyncio": 1.9}}.get(kind, {})
            yield Figure("Tasks", name, title, median(measured[kind][key]), "us", ratios_at_most=limits)
    for kind, title in titles.items():
        yield Figure("Tasks", "a step", title, median(measured[kind]["step"]), "us")
    for kind, title in list(titles.items())[1:]:
        more = measured[kind]["bytes"] - raw["bytes"]
        yield Figure("Tasks", "heap of a task over asyncio's", title, more, "bytes", at_most=350)
        more = median([a - b for a, b in zip(measured[kind]["step"], raw["step"], strict=True)])
        yield Figure("Tasks", "a step over asyncio's", title, more, "us", at_most=1.5)


def scale(session: BenchSession) -> Iterator[Figure]:
    """Many tasks asleep."""
    for sleepers in (1, 10) if session.quick else (1, 10, 100, 1000):
        measured = session.run(
            "bench_turns", "measure_scale", sleepers=sleepers, rounds=5 if session.quick else 60, seconds=10
        )
        for key, name in (("turn", "a turn"), ("wake", "waking one task")):
            yield Figure("Scale", name, f"{sleepers} tasks asleep", median(measured[key]), "us")
