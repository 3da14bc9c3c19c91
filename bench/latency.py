"""How soon: from a change to the screen, from new work to its begin, from a finger to the widget."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from cost import WAYS
from figure import Figure, median, percentile
from session import BenchSession

_PERIOD_MS = 33  # LV_DEF_REFR_PERIOD


def update(session: BenchSession) -> Iterator[Figure]:
    """`label.set_text()` in a coroutine to the flush callback."""
    for section, resize, gaps in (
        ("Update, 35 to 150 ms after the last frame", False, (35, 150)),
        ("Update that changes the label's size, 35 to 150 ms after the last frame", True, (35, 150)),
        ("Update within a period after the last frame", True, (0, 34)),
    ):
        for way in WAYS:
            yield from _update(session, section, way, resize, gaps)


def _update(
    session: BenchSession, section: str, way: str, resize: bool, gaps: tuple[int, int]
) -> Iterator[Figure]:
    ours = way == "mpos"
    count = 5 if session.quick else 120 if ours else 40
    measured = session.run(
        "bench_update", way=way, gaps_ms=_gaps(count, *gaps), resize=resize, seconds=count * 0.2
    )
    milliseconds = [us / 1000 for us in measured["us"]]
    title = measured["title"]
    late = gaps[1] > _PERIOD_MS + 1
    goals = ours and late and session.board == "unix_memory"
    yield Figure(
        section,
        "median",
        title,
        median(milliseconds),
        "ms",
        at_most=0.1 if goals else None,
        ratios_at_most={"TaskHandler(2)": 0.1, "TaskHandler(33)": 0.01} if goals else {},
    )
    p95 = percentile(milliseconds, 95)
    yield Figure(section, "95 of 100", title, p95, "ms", at_most=0.3 if goals else None)
    worst = max(milliseconds)
    yield Figure(section, "worst", title, worst, "ms", at_most=_PERIOD_MS + 1 if ours else None)


def new_work(session: BenchSession) -> Iterator[Figure]:
    """Work that begins while the loop sleeps."""
    count = 3 if session.quick else 25
    for way in WAYS:
        measured = session.run("bench_new_work", way=way, gaps_ms=_gaps(count, 20, 80), seconds=count * 1.2)
        yield from _new_work(measured, ours=way == "mpos")


def _new_work(measured: dict, ours: bool) -> Iterator[Figure]:
    title = measured["title"]
    section = "New work while the loop sleeps"
    for key, name, limit in (
        ("task_from_callback", "task made in an LVGL callback", 1.0),
        ("task_from_thread", "task made in a thread", 1.0),
        ("task_from_interrupt", "task made in a scheduled interrupt", 1.0),
        ("animation", "first frame of an animation", _PERIOD_MS + 1.0),
    ):
        milliseconds = [us / 1000 for us in measured[key]]
        yield Figure(section, f"{name}, median", title, median(milliseconds), "ms")
        worst = max(milliseconds)
        yield Figure(section, f"{name}, worst", title, worst, "ms", at_most=limit if ours else None)
    for key, name in (("timer_created", "LVGL timer created"), ("timer_resumed", "LVGL timer resumed")):
        late = [float(value) for value in measured[key]]
        yield Figure(section, f"{name}, latest", title, max(late), "ms", at_most=2 if ours else None)
        earliest = min(late)
        yield Figure(section, f"{name}, earliest", title, earliest, "ms", at_least=0 if ours else None)


def touch(session: BenchSession) -> Iterator[Figure]:
    """A touch event to the callback of the widget under it."""
    count = 4 if session.quick else 40
    for way in WAYS:
        gaps = _gaps(count, 35, 120)
        if "panel" in session.target.abilities:
            title, milliseconds = _touches_from_host(session, way, gaps)
        elif "process" in session.target.abilities:
            measured = session.run("bench_touch", way=way, gaps_ms=gaps, seconds=count * 0.2)
            title, milliseconds = measured["title"], [us / 1000 for us in measured["us"]]
        else:
            return  # Nobody is there to touch a real board.
        ours = way == "mpos"
        yield Figure("Touch", "median", title, median(milliseconds), "ms")
        yield Figure("Touch", "95 of 100", title, percentile(milliseconds, 95), "ms")
        yield Figure("Touch", "worst", title, max(milliseconds), "ms", at_most=1 if ours else None)


def _touches_from_host(session: BenchSession, way: str, gaps_ms: list[int]) -> tuple[str, list[float]]:
    began_ns: list[int] = []

    def on_line(line: str) -> None:
        if line in ("ready for touches", "touched") and len(began_ns) < len(gaps_ms):
            time.sleep(gaps_ms[len(began_ns)] / 1000)
            began_ns.append(time.time_ns())
            session.target.panel.touch(50, 50, len(began_ns) % 2 == 1)

    measured = session.run(
        "bench_touch", "listen", way=way, touches=len(gaps_ms), seconds=len(gaps_ms) * 0.3, on_line=on_line
    )
    pairs = zip(began_ns, measured["ns"], strict=True)
    return measured["title"], [(heard - began) / 1e6 for began, heard in pairs]


def _gaps(count: int, low: int, high: int) -> list[int]:
    """The same gaps for each way."""
    source = random.Random(count)
    return [source.randint(low, high) for _ in range(count)]
