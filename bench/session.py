"""The board that is measured: fresh for each program, with the programs on its flash."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpos_host.board import compiler
from mpos_host.board.deploy import deploy, plan
from mpos_host.board.target import Target

_HERE = Path(__file__).resolve().parent
_FOLDER = "/bench"
_SPARE_S = 30.0  # for what a program does beside what is measured


@dataclass(frozen=True)
class Cost:
    """What the process that plays the board used in a span of time."""

    cpu_percent: float
    main_thread_percent: float  # without the thread that plays the desktop binary's hardware timers
    wakeups_per_second: float  # how often one of its threads gave up the processor to wait


class BenchSession:
    """Runs device programs on `target`, each after a reset. A context manager.

    `quick` measures for seconds in all, so that the figures mean little; `long` for minutes.
    """

    def __init__(self, target: Target, quick: bool = False, long: bool = False):
        self.target = target
        self.undisturbed = False  # the board's processes come before all others of this computer
        self.quick = quick
        self.long = long

    def __enter__(self) -> BenchSession:
        self.target.start()
        self._reset()
        deploy(self.target.device.transport, plan(self.target.board), self.target.board)
        device = self.target.device
        device.exec(f"import os\nif {_FOLDER[1:]!r} not in os.listdir('/'): os.mkdir({_FOLDER!r})")
        for path in [*sorted((_HERE / "device").glob("*.py")), *sorted((_HERE / "ways").glob("*.py"))]:
            code = compiler.compile_one(compiler.Source(path, f"{path.stem}.py", self.target.board.arch))
            device.transport.fs_writefile(f"{_FOLDER}/{path.stem}.mpy", code, chunk_size=1024)
        return self

    def __exit__(self, *exc: object) -> None:
        self.target.close()

    @property
    def board(self) -> str:
        return self.target.board.name

    def run(
        self,
        program: str,
        function: str = "measure",
        seconds: float = 0.0,
        on_line: Callable[[str], None] | None = None,
        **arguments: Any,
    ) -> Any:
        """What `function(**arguments)` of the device module `program` returns, on a board that was reset.

        `seconds`: how long it measures. `on_line` gets each line it prints, at once.
        """
        self._reset()
        call = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        printed = self.target.device.exec(
            f"import json, sys\nsys.path.append({_FOLDER!r})\nimport {program}\n"
            f"print(end='\\x02%s\\x03' % json.dumps({program}.{function}({call})))",
            timeout=seconds + _SPARE_S,
            output=_lines(on_line) if on_line is not None else None,
            what=f"the end of {program}.{function}({call[:60]})",
        )
        return json.loads(printed.rpartition("\x02")[2].partition("\x03")[0])

    def cost(self, seconds: float) -> Cost | None:
        """What the board's process uses in the next `seconds`; None for a board that is no process."""
        pid = self.target.virtual.vm_pid if self.target.virtual is not None else None
        if pid is None:
            return None
        before, began = _usage(pid), time.monotonic()
        time.sleep(seconds)
        after, took = _usage(pid), time.monotonic() - began
        cpu, main, switches = (new - old for old, new in zip(before, after, strict=True))
        return Cost(cpu / 1e7 / took, main / 1e7 / took, switches / took)

    def versions(self) -> dict[str, str]:
        """What was measured, for the tables."""
        self._reset()
        sent = self.target.device.eval(
            "(sys.version, '%d.%d.%d' % (lv.version_major(), lv.version_minor(), lv.version_patch()))"
            " if not globals().update(sys=__import__('sys'), lv=__import__('lvgl')) else None"
        )
        return {
            "MicroPython": sent[0].partition("; ")[2],
            "LVGL": sent[1],
            "host Python": sys.version.split()[0],
        }

    def _reset(self) -> None:
        if self.target.exit_reason() is not None:
            self.target.restart()
        self.target.device.enter(soft_reset=True)
        virtual = self.target.virtual
        if virtual is not None:
            processes = [pid for pid in (virtual.vm_pid, virtual.panel_pid) if pid is not None]
            self.undisturbed = all([_put_first(pid) for pid in processes])


def _put_first(pid: int) -> bool:
    """Have the process run before all others, so that what else the computer does is not measured; False if
    that is not permitted to us."""
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    return True


def _lines(on_line: Callable[[str], None]) -> Callable[[str], None]:
    """What takes text in pieces, for `on_line`, which takes whole lines."""
    pending = [""]

    def take(text: str) -> None:
        *complete, pending[0] = (pending[0] + text).split("\r\n")
        for line in complete:
            on_line(line)

    return take


def _usage(pid: int) -> tuple[int, int, int]:
    """ns of processor time of all threads and of the first, and the times a thread waited."""
    cpu = main = switches = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        used = int((thread / "schedstat").read_text().split()[0])
        cpu += used
        if thread.name == str(pid):
            main = used
        status = (thread / "status").read_text()
        switches += int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return cpu, main, switches
