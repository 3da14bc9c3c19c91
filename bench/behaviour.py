"""Whether it can be relied on: fairness under load, whole steps, LVGL's clock."""

from __future__ import annotations

from collections.abc import Iterator

from cost import WAYS
from endless_server import endless_server
from figure import Figure, percentile
from session import BenchSession


def fairness(session: BenchSession) -> Iterator[Figure]:
    """Timers and frames beside a download that takes what it can get."""
    seconds = 0.5 if session.quick else 2.8
    if "process" not in session.target.abilities:
        return  # A board on a wire has no loopback to saturate.
    with endless_server() as port:
        for way, manager in [("mpos", False), ("mpos", True), *((way, False) for way in WAYS[1:])]:
            measured = session.run(
                "bench_fairness",
                way=way,
                port=port,
                milliseconds=int(seconds * 1000),
                manager=manager,
                seconds=seconds,
            )
            yield from _fairness(measured, ours=way == "mpos")


def _fairness(measured: dict, ours: bool) -> Iterator[Figure]:
    section, title = "Fairness: an animation and a download beside sleep_ms(10)", measured["title"]
    late = [max(0.0, us / 1000) for us in measured["late"]]
    p99 = percentile(late, 99)
    yield Figure(section, "late, 50 of 100", title, percentile(late, 50), "ms")
    yield Figure(section, "late, 99 of 100", title, p99, "ms", at_most=1 if ours else None)
    yield Figure(section, "frames", title, measured["frames"], "1/s", at_least=28 if ours else None)
    yield Figure(section, "download", title, measured["megabytes"], "MB/s")


def atomicity(session: BenchSession) -> Iterator[Figure]:
    """LVGL's callbacks between two statements of a coroutine."""
    seconds = 0.5 if session.quick else 3.0
    for way in WAYS:
        measured = session.run("bench_atomicity", way=way, milliseconds=int(seconds * 1000), seconds=seconds)
        section, title = "Atomicity: an LVGL callback between two statements", measured["title"]
        goal = 0 if way == "mpos" else None
        torn = 1000 * measured["torn"] / max(1, measured["looks"])
        yield Figure(section, "times it happened", title, measured["torn"], "", at_most=goal)
        yield Figure(section, "in 1000 callbacks", title, torn, "", at_most=goal)


def clock(session: BenchSession) -> Iterator[Figure]:
    """LVGL's clock by the wall's."""
    for loaded, section in ((False, "LVGL's clock, idle"), (True, "LVGL's clock, under load")):
        for way in WAYS:
            seconds = 1.0 if session.quick else 60.0 if session.long else 10.0 if way == "mpos" else 5.0
            measured = session.run(
                "bench_clock", way=way, milliseconds=int(seconds * 1000), loaded=loaded, seconds=seconds
            )
            ours = way == "mpos"
            error = abs(measured["rate"] - 1) * 100
            title = measured["title"]
            yield Figure(section, "its rate by the wall's", title, measured["rate"], "")
            yield Figure(section, "off by", title, error, "%", at_most=1 if ours else None)
            behind = measured["lag"]
            yield Figure(section, "behind at worst", title, behind, "ms", at_most=1 if ours else None)
