"""Endurance: the two soak programs on a board, for a while (the tests) or for hours (by hand).

    make soak MINUTES=60
    make soak MINUTES=60 ARGS=--interrupts BOARD=unix_memory BINARY=PATH

It prints counts as it goes, and ends with status 1 on the first thing that does not add up.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mpos_host import project
from mpos_host.board.device import DeviceError, DeviceTimeout
from mpos_host.board.target import Target
from mpos_host.project import UserError
from mpos_host.testing.session import BoardSession
from peers.http_server import running_server

DEVICE = Path(__file__).parent / "device"
ROUND_SECONDS = 4.0
Say = Callable[[str], None]


class Mismatch(Exception):
    """Something does not add up; the message lists what."""


class Running:
    """A board on which one of the programs runs."""

    def __init__(self, session: BoardSession, program: str, call: str):
        self.device = session.fresh().device
        self._session = session
        session.send([DEVICE / "soak_parts.py", DEVICE / f"{program}.py"])
        session.spoil()
        self.device.enter()
        self.device.transport.exec_raw_no_follow(f"import {program}\n{program}.{call}")

    def until(self, ending: str, seconds: float = 20) -> str:
        """What the board prints before `ending`. Raises Mismatch that tells what the board does instead."""
        try:
            return self.device._stream.until(ending.encode(), repr(ending), seconds)
        except DeviceTimeout as error:
            raise Mismatch(f"{error}; it printed:\n{error.output[-3000:]}\n{self._interrupted()}") from None

    def _interrupted(self) -> str:
        """Where the board is, as a last Ctrl-C shows."""
        try:
            return self.device.interrupt()
        except UserError as error:
            return f"after a Ctrl-C: {error}\n{getattr(error, 'output', '')[-3000:]}"

    def write(self, text: str) -> None:
        self.device._stream.write(text.encode())

    def the_end(self, seconds: float = 30) -> dict[str, Any]:
        """The figures that the program prints at its end. Raises Mismatch with its traceback if it failed."""
        printed = self.until("\x04", seconds)
        errors = self.until("\x04", seconds)
        if errors or "THE END" not in printed:
            raise Mismatch(f"{printed[-3000:]}\n{errors}")
        return json.loads(printed.rpartition("THE END")[2])


def with_console(
    session: BoardSession,
    url: str,
    seconds: float,
    seed: int,
    say: Say,
    round_seconds: float = ROUND_SECONDS,
    judge_lateness: bool = True,
) -> dict[str, Any]:
    """Work beside commands in the console. Returns all counts; raises Mismatch.

    With `judge_lateness` frames that come late are one: on a machine that has time for this.
    """
    soak = Running(session, "soak_console", f"main({url!r}, {judge_lateness})")
    soak.until(">>> ")
    soak.device.transport.in_raw_repl = False
    commands = _Commands(soak, random.Random(seed))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        round_ends = time.monotonic() + round_seconds
        while time.monotonic() < round_ends:
            commands.one()
        _expect_nothing(commands.call("await soak_console.look()", 60))
        say(f"{commands.counts.total()} commands {commands.call('soak_console.figures()')}")
    _expect_nothing(commands.call("await soak_console.finish()", 60))
    soak.write("import mpos\nmpos.TaskManager.stop()\n\x04")
    soak.until("\x04>")  # The command has ended; then the program does, and the console with it.
    return {**soak.the_end(), "commands": dict(commands.counts)}


def _expect_nothing(mismatches: list[str]) -> None:
    if mismatches:
        raise Mismatch("\n".join(mismatches))


class _Commands:
    """What a developer does at the console of a board that works."""

    def __init__(self, soak: Running, randomly: random.Random):
        self._soak = soak
        self._device = soak.device
        self._randomly = randomly
        self.counts: Counter[str] = Counter()
        self._kinds = [
            self.compute,
            self.fail,
            self.await_something,
            self.make_a_task,
            self.write_a_file,
            self.interrupt_one_that_waits,
            self.interrupt_one_that_waits,
            self.interrupt_one_that_holds,
        ]

    def one(self) -> None:
        """Give one command, and check its answer."""
        kind = self._randomly.choice(self._kinds)
        try:
            kind()
        except UserError as error:
            raise Mismatch(f"{kind.__name__}: {error}\n{getattr(error, 'output', '')[-2000:]}") from None
        self.counts[kind.__name__] += 1

    def call(self, expression: str, timeout: float = 20) -> Any:
        return self._device.call(expression, imports="mpos,soak_console", timeout=timeout)

    def compute(self) -> None:
        number = self._randomly.randrange(1000)
        self._expect(number * 7, self.call(f"{number} * 7"))

    def fail(self) -> None:
        try:
            self.call("1 // 0")
        except DeviceError as error:
            if "ZeroDivisionError" in error.traceback:
                return
        raise Mismatch("a command that divides by 0 did not fail so")

    def await_something(self) -> None:
        self._expect(None, self.call("await mpos.TaskManager.sleep_ms(20)"))

    def make_a_task(self) -> None:
        task = "mpos.TaskManager.create_task(mpos.TaskManager.sleep_ms(5), 'of a command')"
        self._expect(None, self.call(f"await {task}"))

    def write_a_file(self) -> None:
        data = self._randomly.randbytes(600)
        self._device.enter()  # it may be the first command of all
        self._device.transport.fs_writefile("/soak.bin", data)
        self._expect(data, self._device.transport.fs_readfile("/soak.bin"))

    def interrupt_one_that_waits(self) -> None:
        self._interrupt("await soak_console.wait()", "waiting")

    def interrupt_one_that_holds(self) -> None:
        self._interrupt("soak_console.hold()", "holding")

    def _interrupt(self, command: str, sign: str) -> None:
        self._device.enter()
        self._soak.write(f"import soak_console\n{command}\x04")
        self._soak.until(sign)
        time.sleep(self._randomly.uniform(0, 0.03))
        traceback = self._device.interrupt()
        if "KeyboardInterrupt" not in traceback:
            raise Mismatch(f"{command} ended with {traceback!r} after a Ctrl-C")

    def _expect(self, expected: object, answer: object) -> None:
        if answer != expected:
            raise Mismatch(f"a command answered {answer!r} and not {expected!r}")


def without_console(session: BoardSession, times: int, seed: int, say: Say) -> dict[str, Any]:
    """Send so many Ctrl-Cs at random moments. Returns all counts; raises Mismatch."""
    randomly = random.Random(seed)
    soak = Running(session, "soak_interrupts", f"main({times})")
    for number in range(times):
        soak.until("GO", 30)
        time.sleep(randomly.uniform(0, 0.012))
        soak.write("\x03")
        if number % 200 == 199:
            say(f"{number + 1} Ctrl-Cs")
    figures = soak.the_end(90)
    _expect_nothing(figures.pop("mismatches"))
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--interrupts", action="store_true", help="Ctrl-C without a console, else with one")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--board", default=None)
    parser.add_argument("--binary", default=None)
    parser.add_argument("--heap", default=None)
    options = parser.parse_args()
    print("seed", options.seed, flush=True)

    def say(text: str) -> None:
        print(time.strftime("%H:%M:%S"), text, flush=True)

    name = options.board or ("unix_memory" if options.binary else "virtual")
    try:
        target = Target(project.load_board(name), binary=options.binary, heap=options.heap)
        with BoardSession(target) as session, running_server() as url:
            until = time.monotonic() + options.minutes * 60
            while time.monotonic() < until:
                if options.interrupts:
                    say(str(without_console(session, 500, options.seed, say)))
                    options.seed += 1
                else:
                    say(str(with_console(session, url, options.minutes * 60, options.seed, say)))
    except (Mismatch, UserError) as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
