"""The thread that plays the board around the VM: starts it, carries its serial line, resets it, sees it die.

One thread does everything that touches the VM and the port, driven by what becomes readable or writable;
other threads hand it commands. It also is the thread whose end ends the VM (VmProcess).
"""

from __future__ import annotations

import os
import secrets
import select
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import ExitStack, suppress

from mpos_host.virtual.awake_clock import AwakeClock
from mpos_host.virtual.board_text import BoardText
from mpos_host.virtual.host_input import HostInput
from mpos_host.virtual.output_log import OutputLog
from mpos_host.virtual.panel.process import PanelProcess
from mpos_host.virtual.panel.watch import PanelWatch
from mpos_host.virtual.repl_output import CTRL_A, CTRL_D, FRIENDLY_PROMPT, BootOutput, ReplMode
from mpos_host.virtual.serial_port import SerialPort
from mpos_host.virtual.states import Phase, ResetCause
from mpos_host.virtual.vm import VmProcess

_START_TIMEOUT_S = 30.0
_CLOSE_TIMEOUT_S = 30.0
_LAST_WORDS_S = 1.0
_HELD_OUTPUT_S = 0.02  # then what may be the start of a mark is none
_PIECE = 64 * 1024


class Supervisor:
    """Runs the VM that `start_vm(settings, fds)` starts, on `port`, from `start()` to `close()`.

    The VM inherits the descriptors `fds`. `panel` is started before the VM, and again for a hard reset.
    `settings` are for the bootstrap (boot.py).
    `own_port` gets the VM's serial line in the place of `port` between `take_line()` and `give_line()`.
    """

    def __init__(
        self,
        start_vm: Callable[[list[str], tuple[int, ...]], VmProcess],
        port: SerialPort,
        own_port: SerialPort,
        clock: AwakeClock,
        log: OutputLog,
        panel: PanelProcess | None,
        settings: dict[str, str],
    ):
        self.exit_reason: str | None = None
        self._start_vm = start_vm
        self._port = self._public_port = port  # the one that has the VM's line; the one for tools
        self._own_port = own_port
        self._clock = clock
        self._log = log
        self._panel = PanelWatch(panel)
        self._settings = settings
        self._commands: deque[tuple[Callable[[], None], Future[None], bool]] = deque()
        self._started: list[Future[None]] = []  # commands that wait for the VM to be up
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="virtual-board", daemon=True)

        self._vm: VmProcess | None = None
        self._phase = Phase.DOWN
        self._text = BoardText()
        self._boot_output = BootOutput(b"", False, self._enter_raw_repl)
        self._repl = ReplMode()
        self._input = HostInput()
        self._control_text = b""  # the start of a message
        self._at_end: set[int] = set()  # pipes that the VM has closed
        self._orderly = False  # the VM said that it ends for a soft reset
        self._deadline: float | None = None  # for the start
        self._rtc_offset = 0
        self._watchdog_s: float | None = None
        self._fed_at = 0.0  # by the clock

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the VM and the thread. May be called twice."""
        if self._wake_write < 0:
            return
        if self._thread.is_alive():
            self._closing = True
            self._wake()
            self._thread.join(_CLOSE_TIMEOUT_S)
            if self._thread.is_alive():
                raise TimeoutError(f"the virtual board's thread did not end within {_CLOSE_TIMEOUT_S:g} s")
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._wake_write = -1

    def reset(self, cause: ResetCause, timeout: float) -> None:
        """Start the VM (afresh) and wait until it is up. Raises TimeoutError, or RuntimeError if it died."""
        self._submit(lambda: self._restart(cause, main=True), timeout, "the VM to start")

    def take_line(self, timeout: float) -> bool:
        """Connect the VM's line to the own port, unless somebody has the public one.

        What comes to the public port meanwhile waits there. Raises TimeoutError, or RuntimeError if closed.
        """
        if self._public_port.is_in_use:
            return False
        self._submit(lambda: self._connect(self._own_port), timeout, "the serial line", until_up=False)
        return True

    def give_line(self, timeout: float) -> None:
        """Connect the VM's line to the public port again. Raises as `take_line()` does."""
        self._submit(lambda: self._connect(self._public_port), timeout, "the serial line", until_up=False)

    def _connect(self, port: SerialPort) -> None:
        self._port = port

    @property
    def vm_pid(self) -> int | None:
        """The VM's process id, another one after each reset, soft ones too; None while there is no VM."""
        vm = self._vm
        return vm.pid if vm is not None else None

    @property
    def panel_pid(self) -> int | None:
        return self._panel.pid

    def _submit(self, action: Callable[[], None], timeout: float, what: str, until_up: bool = True) -> None:
        """Have the thread call `action`, and wait until it has, or until the VM is up."""
        if not self._thread.is_alive():
            raise RuntimeError("the board was closed")
        done: Future[None] = Future()
        self._commands.append((action, done, until_up))
        self._wake()
        try:
            done.result(timeout)
        except FutureTimeoutError:
            raise TimeoutError(f"waited {timeout:g} s for {what}") from None

    def _wake(self) -> None:
        os.write(self._wake_write, b"w")

    # --- the loop ---

    def _run(self) -> None:
        try:
            while not self._closing:
                self._turn()
        except Exception as error:  # a fault in here must be seen, not leave a mute port
            self._go_down(f"the virtual board failed: {error!r}")
            raise
        finally:
            self._drop_vm()
            self._panel.stop()
            self._started += [done for _, done, _ in self._commands]
            self._fail_started("the board was closed")

    def _turn(self) -> None:
        poller = select.poll()
        poller.register(self._wake_read, select.POLLIN)
        for port in (self._public_port, self._own_port):
            port_events = select.POLLOUT if port.has_output else 0
            if port is self._port and not self._input.is_full:
                port_events |= select.POLLIN
            poller.register(port.fd, port_events)
        if self._panel.fd >= 0:
            poller.register(self._panel.fd, select.POLLIN)
        vm = self._vm
        if vm is not None:
            poller.register(vm.exit_fd, select.POLLIN)
            if vm.control not in self._at_end:
                poller.register(vm.control, select.POLLIN)
            if vm.stdout not in self._at_end and not self._port.is_full:
                poller.register(vm.stdout, select.POLLIN)
            if self._may_send_input and self._input.awaits_room:
                poller.register(vm.stdin, select.POLLOUT)
        ready = dict(poller.poll(self._timeout_ms()))
        self._clock.look()

        if self._wake_read in ready:
            self._take_commands()
        for port in (self._public_port, self._own_port):
            if port.fd in ready or port.is_full:
                port.flush()
        if ready.get(self._port.fd, 0) & select.POLLIN:
            self._from_host(self._port.receive())
        if vm is not None and vm is self._vm:
            self._read_control(vm)  # before the output: what it says comes first
        if vm is not None and vm is self._vm:
            if vm.stdout in ready:
                self._read_output(vm)
            elif self._text.is_holding:
                self._from_vm(self._text.flush())
        if vm is not None and vm is self._vm and vm.exit_fd in ready:
            self._ended(vm)
        if self._panel.fd in ready:
            # The board is as good as dead; the VM may say where it used the panel last.
            self.exit_reason = self._panel.take_death()
            self._deadline = time.monotonic() + _LAST_WORDS_S
        if self._vm is not None:
            if self._may_send_input:
                self._input.send(self._vm)
            self._input.see_interrupt_through(self._vm)
            self._check_deadlines()

    def _timeout_ms(self) -> float | None:
        now = time.monotonic()
        waits: list[float] = []
        if self._deadline is not None:
            waits.append(self._deadline - now)
        if self._watchdog_s is not None or self._port.is_full:
            waits.append(AwakeClock.STEP_S)
        if self._input.retry_s is not None:
            waits.append(self._input.retry_s)
        if self._text.is_holding:
            waits.append(_HELD_OUTPUT_S)
        return max(0.0, min(waits) * 1000) if waits else None

    def _take_commands(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        while self._commands:
            action, done, until_up = self._commands.popleft()
            if until_up:
                self._started.append(done)
            action()
            if not until_up:
                done.set_result(None)

    def _check_deadlines(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            self._go_down(self.exit_reason or f"the VM did not come up within {_START_TIMEOUT_S:g} s")
        elif self._watchdog_s is not None and self._clock.now > self._fed_at + self._watchdog_s:
            self._emit(b"\r\nMPY: watchdog reset\r\n")
            self._restart(ResetCause.WATCHDOG, main=True)

    # --- starting and ending the VM ---

    def _restart(self, cause: ResetCause, main: bool) -> None:
        self._drop_vm()
        if cause is not ResetCause.SOFT:
            self._repl = ReplMode()
            self._input.clear()
        mark = b"\x1b[" + secrets.token_hex(8).encode() + b"z"
        self._text = BoardText()
        self._boot_output = BootOutput(mark, self._repl.is_raw, self._enter_raw_repl)
        self._at_end.clear()
        self._orderly = False
        self.exit_reason = None
        self._log.set_down(None)
        settings = {
            **self._settings,
            "reset_cause": str(cause.value),
            "rtc_offset": str(self._rtc_offset),
            "main": "1" if main else "0",
            "mark": mark.decode(),
        }
        try:
            if cause is ResetCause.SOFT:
                self._panel.keep()
            else:
                self._panel.start()
            self._vm = self._start_vm_with(settings)
        except Exception as error:
            self._go_down(f"the VM cannot be started: {error}")
            return
        self._phase = Phase.STARTING
        self._deadline = time.monotonic() + _START_TIMEOUT_S

    def _start_vm_with(self, settings: dict[str, str]) -> VmProcess:
        with ExitStack() as stack:
            fds = tuple(stack.enter_context(line).fileno() for line in self._panel.connect())
            settings["panel"] = ",".join(map(str, fds))
            return self._start_vm([f"{key}={value}" for key, value in settings.items()], fds)

    def _drop_vm(self) -> None:
        vm, self._vm = self._vm, None
        if vm is not None:
            vm.kill()
            self._drain(vm)
            vm.close()
        self._phase = Phase.DOWN
        self._deadline = self._watchdog_s = None
        self._input.forget_interrupts()
        self._control_text = b""

    def _ended(self, vm: VmProcess) -> None:
        self._drain(vm)
        self._read_control(vm)
        if self._vm is not vm:  # its last words were a reset
            return
        code = vm.wait()
        if self._orderly or code == 0:
            self._soft_reset()
        elif code < 0:
            self._go_down(f"the VM was killed by {signal.Signals(-code).name}")
        else:
            self._go_down(f"the VM ended with exit code {code}")

    def _soft_reset(self) -> None:
        self._emit(b"MPY: soft reboot\r\n")
        self._restart(ResetCause.SOFT, main=not self._repl.is_raw)

    def _drain(self, vm: VmProcess) -> None:
        """Take what a VM that has ended had still written."""
        while self._read_output(vm):
            pass
        self._from_vm(self._text.flush())
        self._emit(self._boot_output.flush())

    def _go_down(self, reason: str) -> None:
        lines = self._log.text()[-2000:].split("\n")
        last = [line.strip() for line in lines if line.strip(" \r>\x04")][-3:]
        self.exit_reason = reason + (f"; its last output: {' | '.join(last)}" if last else "")
        raw = self._repl.is_raw
        self._drop_vm()
        self._input.clear()
        message = f"MPY: {reason}. Reset the board to go on.\r\n".encode()
        # To an mpremote that waits for the end of a command, its error output; the second end is for one that
        # was still sending it.
        self._emit(b"\x04" + message + b"\x04\x04>" if raw else b"\r\n" + message)
        self._repl = ReplMode()
        self._log.set_down(self.exit_reason)
        self._fail_started(self.exit_reason)

    def _fail_started(self, reason: str) -> None:
        for done in self._started:
            done.set_exception(RuntimeError(reason))
        self._started.clear()

    # --- from the VM ---

    def _read_output(self, vm: VmProcess) -> bool:
        try:
            data = os.read(vm.stdout, _PIECE)
        except BlockingIOError:
            return False
        if not data:
            self._at_end.add(vm.stdout)
        self._from_vm(self._text.feed(data))
        return bool(data)

    def _from_vm(self, data: bytes) -> None:
        data = self._boot_output.feed(data)
        if self._phase is Phase.BOOTING and self._boot_output.is_over:
            self._phase = Phase.RUNNING
            self._deadline = None
            self._repl.is_raw = self._boot_output.raw  # what main.py may have served was its own
        self._emit(data)
        if self._phase is Phase.STARTING and FRIENDLY_PROMPT in data and self.exit_reason is None:
            # The panel's death, if it was that, is seen in a moment and says more.
            self.exit_reason = "the firmware of the board failed to start (a heap that is too small?)"
            self._deadline = time.monotonic() + _LAST_WORDS_S

    def _enter_raw_repl(self) -> None:
        self._deadline = time.monotonic() + _START_TIMEOUT_S
        if self._vm is not None:
            with suppress(BrokenPipeError):  # it has ended, which is seen in its turn
                os.write(self._vm.stdin, CTRL_A)

    def _emit(self, data: bytes) -> None:
        if not data:
            return
        self._repl.from_board(data)
        self._log.append(data)
        self._port.send(data)

    def _read_control(self, vm: VmProcess) -> None:
        while vm is self._vm:
            try:
                data = os.read(vm.control, 4096)
            except BlockingIOError:
                return
            if not data:
                self._at_end.add(vm.control)
                return
            *lines, self._control_text = (self._control_text + data).split(b"\n")
            for line in lines:
                self._obey(line.decode())

    def _obey(self, line: str) -> None:
        """A message of the firmware (boot.py, machine.py)."""
        name, _, value = line.partition(" ")
        if name == "boot":
            self._phase = Phase.BOOTING
            self._deadline = None
            for done in self._started:
                done.set_result(None)
            self._started.clear()
        elif name == "interrupt":
            cell, exception = (int(part) for part in value.split())
            if cell and self._vm is not None:
                self._vm.pending_exception = cell, exception
        elif name == "exit":
            self._orderly = True
            if self._vm is not None:
                self._vm.kill()
        elif name == "reset":
            self._restart(ResetCause.HARD, main=True)
        elif name == "rtc":
            self._rtc_offset = int(value)
        elif name == "wdt":
            self._watchdog_s = int(value) / 1000
            self._fed_at = self._clock.now
        elif name == "feed":
            self._fed_at = self._clock.now

    # --- from the host ---

    @property
    def _may_send_input(self) -> bool:
        return self._phase is Phase.RUNNING or (self._phase is Phase.BOOTING and not self._boot_output.raw)

    def _from_host(self, data: bytes) -> None:
        if self._phase is Phase.DOWN:
            # Whoever enters the raw REPL or asks for a soft reset gets a board, without main.py: that may
            # be what died.
            start = min((at for at in (data.find(CTRL_A), data.find(CTRL_D)) if at >= 0), default=-1)
            if start < 0:
                return
            data = data[start:].lstrip(CTRL_D)
            self._restart(ResetCause.HARD, main=False)
        self._repl.from_host(data)
        interruptible = self._phase in (Phase.BOOTING, Phase.RUNNING)
        self._input.receive(data, self._vm if interruptible else None)
