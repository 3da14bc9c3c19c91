"""The virtual board: a MicroPython device that a stock mpremote uses through a pseudo-terminal."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mpos_host.project import UserError
from mpos_host.virtual.awake_clock import AwakeClock
from mpos_host.virtual.compiled_firmware import build_firmware
from mpos_host.virtual.flash import Flash
from mpos_host.virtual.output_log import OutputLog
from mpos_host.virtual.panel.client import PanelClient
from mpos_host.virtual.panel.process import PanelProcess
from mpos_host.virtual.running import PANEL_SOCKET, PORT_FILE
from mpos_host.virtual.scratch import ScratchFolder
from mpos_host.virtual.serial_port import SerialPort
from mpos_host.virtual.states import ResetCause
from mpos_host.virtual.supervisor import Supervisor
from mpos_host.virtual.vm import VmProcess, packaged_vm

_LOG_SIZE = 256 * 1024
_START_TIMEOUT_S = 40.0
_LINE_TIMEOUT_S = 5.0


class BoardError(UserError):
    """The board does not start or has died. The text says why."""


class VirtualBoard:
    """A board, running from construction to `close()` (or the end of the `with` block).

    flash_size: bytes of the LittleFS flash at `/`. flash_path: a host file that keeps it; None for a
    temporary one. heap: of the VM, as "256k" or "2M"; None for the VM's default (2M). binary: the path of
    a MicroPython unix executable to run instead of the packaged VM (lvgl_micropython's desktop binary); it
    has its own LVGL, and `panel` is None. panel: False for a board with a serial port only. exceptions: what
    one that leaves an LVGL callback does, "upstream" or "contained" (PanelProcess).

    Its serial port behaves as a board's: Ctrl-C interrupts running code, Ctrl-D and `machine.soft_reset()`
    reset softly (boot.py runs, main.py only if the reset did not come from the raw REPL), text ends its
    lines with CR LF. Output that nobody reads is held for half a second, 64 KiB at most, and then dropped
    (`output` still has it). When the VM dies, the port says why and stays; a host that enters the raw REPL
    then gets a restarted board, without main.py.

    Raises UserError (BoardError, FlashError) if it cannot start, with nothing left behind.
    """

    def __init__(
        self,
        flash_size: int = 4 * 2**20,
        heap: str | None = None,
        exceptions: str = "upstream",
        flash_path: str | os.PathLike[str] | None = None,
        binary: str | os.PathLike[str] | None = None,
        panel: bool = True,
    ):
        if sys.platform != "linux":
            raise UserError(
                f"the virtual board runs on Linux, not on {sys.platform}: use a real board with --port"
            )
        if heap is not None and not re.fullmatch(r"\d+[kKmM]?", heap):
            raise UserError(f"heap {heap!r}: give bytes, or a size like 256k or 2M")
        program = _executable(binary) if binary is not None else packaged_vm()
        firmware = build_firmware()
        with ExitStack() as stack:
            self._flash = stack.enter_context(Flash(flash_size, flash_path))
            clock = AwakeClock()
            self._port = SerialPort(clock)
            stack.callback(self._port.close)
            self._own_port = SerialPort(clock)
            self._own_console_lock = threading.Lock()
            stack.callback(self._own_port.close)
            self._log = OutputLog(_LOG_SIZE)
            process = None
            self.panel: PanelClient | None = None
            if panel and binary is None:
                folder = stack.enter_context(ScratchFolder())
                (folder.path / PORT_FILE).write_text(self._port.name)
                process = PanelProcess(str(folder.path / PANEL_SOCKET), exceptions)
                self.panel = PanelClient(process.control_path, lambda: self.exit_reason)
                stack.callback(self.panel.close)
            self._supervisor = Supervisor(
                lambda settings, fds: VmProcess(program, heap, firmware, self._flash.fd, settings, fds),
                self._port,
                self._own_port,
                clock,
                self._log,
                process,
                {
                    "blocks": str(self._flash.block_count),
                    "unique_id": _unique_id(self._flash.path),
                },
            )
            stack.callback(self._supervisor.close)
            self._supervisor.start()
            self._start(ResetCause.POWER_ON)
            self._resources = stack.pop_all()

    def __enter__(self) -> VirtualBoard:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes and release the port and the flash. May be called twice."""
        self._resources.close()

    @property
    def port(self) -> str:
        """The device file for mpremote, such as /dev/pts/3. It stays the same over resets."""
        return self._port.name

    @property
    def exit_reason(self) -> str | None:
        """Why the VM or the panel died (signal, exit code, assertion; last output), None while they live."""
        return self._supervisor.exit_reason

    @property
    def vm_pid(self) -> int | None:
        """The VM's process id, for measuring it; another one after each reset. None while it is dead."""
        return self._supervisor.vm_pid

    @property
    def panel_pid(self) -> int | None:
        """The panel's process id; another one after each hard reset. None without a panel."""
        return self._supervisor.panel_pid

    @property
    def output(self) -> str:
        """The last 256 KiB of what the board sent to its serial port, whoever read it."""
        return self._log.text()

    @property
    def output_position(self) -> int:
        """Bytes the board has sent so far: a `since` for `wait_output`."""
        return self._log.end

    def wait_output(self, text: str, timeout: float = 10.0, since: int = 0) -> str:
        """Wait until the board has sent `text` (after position `since`); returns the output up to its end.

        Raises TimeoutError, which shows what it sent instead, after `timeout` seconds or when the board dies.
        """
        return self._log.wait(text, timeout, since)

    def next_lines(self, since: int, timeout: float) -> tuple[str, int]:
        """Wait until a line ends after position `since`; returns the whole lines and the position behind.

        ("", since) if none ended within `timeout` seconds or before the board died.
        """
        return self._log.lines(timeout, since)

    @contextmanager
    def own_console(self) -> Iterator[str | None]:
        """A second port to the console, for this program alone: another program need not wait for its port.

        Within the block what is sent to `port` waits, so keep it short, and leave the console as it was
        found: at the friendly prompt. None in the place of the port's name while another program has `port`.
        """
        with self._own_console_lock:
            if not self._supervisor.take_line(_LINE_TIMEOUT_S):
                yield None
                return
            try:
                yield self._own_port.name
            finally:
                self._supervisor.give_line(_LINE_TIMEOUT_S)

    def reset(self) -> None:
        """Press the reset button: VM and panel start afresh, the flash is kept. Also after a death.

        Returns when the VM is up and boot.py starts. Raises BoardError if it does not come up.
        """
        self._start(ResetCause.HARD)

    def _start(self, cause: ResetCause) -> None:
        try:
            self._supervisor.reset(cause, _START_TIMEOUT_S)
        except (RuntimeError, TimeoutError) as error:
            raise BoardError(f"the virtual board does not start: {error}") from None


def _executable(binary: str | os.PathLike[str]) -> str:
    path = Path(binary).resolve()
    if not os.access(path, os.X_OK) or path.is_dir():
        raise UserError(f"{binary} is no executable file: give the MicroPython unix binary")
    return str(path)


def _unique_id(flash: Path | None) -> str:
    """Six bytes in hex, the same for the same flash file."""
    if flash is None:
        return secrets.token_hex(6)
    return hashlib.sha256(str(flash.resolve()).encode()).hexdigest()[:12]
