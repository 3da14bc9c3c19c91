"""A panel and MicroPython programs that draw on it, without the rest of the virtual board."""

from __future__ import annotations

import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mpos_host.virtual.compiled_firmware import build_firmware
from mpos_host.virtual.panel.client import PanelClient
from mpos_host.virtual.panel.process import PanelProcess

TIMEOUT_S = 20.0

_PROLOGUE = """\
import sys
sys.path[:] = [{firmware!r}, ".frozen"]
import gc
gc.collect()
before = gc.mem_alloc()
import virtual_link
virtual_link.connect({lines!r})
import lvgl as lv
import virtual_hw
gc.collect()
firmware_heap = gc.mem_alloc() - before
display = virtual_hw.display()
screen = lv.screen_active()

def pause():
    sys.stdin.readline()

def run(ms):
    for _ in range(ms // 10):
        lv.tick_inc(10)
        lv.timer_handler()
"""


class Program:
    """A MicroPython program that runs; its lines are read with a deadline."""

    def __init__(self, command: list[str], fds: tuple[int, ...]):
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=fds,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def line(self, timeout: float = TIMEOUT_S) -> str:
        """The next line of its output. Raises TimeoutError or EOFError."""
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(f"the program has printed nothing for {timeout} s") from None
        if line is None:
            raise EOFError("the program has ended")
        return line

    def tell(self, text: str) -> None:
        """A line for its `pause()`."""
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def rest(self, timeout: float = TIMEOUT_S) -> list[str]:
        """What it prints until it ends."""
        lines = []
        deadline = time.monotonic() + timeout
        try:
            while True:
                lines.append(self.line(max(0.1, deadline - time.monotonic())))
        except EOFError:
            self.process.wait(TIMEOUT_S)
            return lines

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(TIMEOUT_S)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)


class PanelVm:
    """`panel` is the host's view, `process` the panel; `start` and `run` give it a VM."""

    def __init__(self, folder: Path, exceptions: str, hang_s: float):
        self._folder = folder
        self.process = PanelProcess(str(folder / "panel"), exceptions, hang_s)
        self.process.start()
        self.panel = PanelClient(self.process.control_path, lambda: self.process.exit_reason, TIMEOUT_S)
        self._programs: list[Program] = []

    def start(self, source: str, heap: str = "2M") -> Program:
        """Start a program; `lv`, `display`, `screen`, `run(ms)` and `pause()` are there."""
        path = self._folder / f"program{len(self._programs)}.py"
        vm = str(Path(sys.executable).with_name("micropython"))
        with ExitStack() as stack:
            fds = tuple(stack.enter_context(line).fileno() for line in self.process.connect())
            prologue = _PROLOGUE.format(firmware=str(build_firmware()), lines="{},{}".format(*fds))
            path.write_text(prologue + source, encoding="utf-8")
            program = Program([vm, "-X", f"heapsize={heap}", str(path)], fds)
        self._programs.append(program)
        return program

    def run(self, source: str, heap: str = "2M") -> list[str]:
        """Run a program to its end; returns its output."""
        return self.start(source, heap).rest()

    def close(self) -> None:
        for program in self._programs:
            program.close()
        self.panel.close()
        self.process.stop()


@contextmanager
def panel_vm(exceptions: str = "upstream", hang_s: float = 20.0) -> Iterator[PanelVm]:
    with tempfile.TemporaryDirectory(prefix="panel-") as folder:
        made = PanelVm(Path(folder), exceptions, hang_s)
        try:
            yield made
        finally:
            made.close()
