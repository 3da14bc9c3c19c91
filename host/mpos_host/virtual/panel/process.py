"""The panel as a child process: LVGL can hang or crash, and then must not take the host program along."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

_PACKAGES = Path(__file__).resolve().parents[3]
_BACKLOG = 8
_STOP_TIMEOUT_S = 5.0
_LAST_LINES = 40


class PanelProcess:
    """A panel for the VM that `connect` gives its lines to; the host connects to `control_path`.

    exceptions: "upstream" (an exception leaves a callback for whoever caused it, with what that does to LVGL)
    or "contained" (it is printed and that callback is off). hang_s: CPU time of one request after which LVGL
    is taken to hang, and the panel ends. Once started it serves one VM after the other;
    each finds a fresh LVGL.
    """

    def __init__(self, socket_path: str, exceptions: str = "upstream", hang_s: float = 20.0):
        if exceptions not in ("upstream", "contained"):
            raise ValueError(f'exceptions is "upstream" or "contained", not {exceptions!r}')
        self.socket_path = socket_path
        self.control_path = socket_path + ".control"
        self._exceptions = exceptions
        self._hang_s = hang_s
        self._process: subprocess.Popen[bytes] | None = None
        self._said: deque[str] = deque(maxlen=_LAST_LINES)
        self._reader: threading.Thread | None = None
        self._stopped = False

    def start(self) -> None:
        """Start it, again if it has died. The sockets can be connected to at once."""
        self.stop()
        self._said.clear()
        self._stopped = False
        vm = listen(self.socket_path, socket.SOCK_SEQPACKET)
        control = listen(self.control_path, socket.SOCK_STREAM)
        command = [sys.executable, "-m", "mpos_host.virtual.panel.main"]
        command += ["--vm", str(vm.fileno()), "--control", str(control.fileno())]
        command += ["--hang", str(self._hang_s)]
        if self._exceptions == "contained":
            command.append("--contained")
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # its end tells the panel that the host is gone
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(vm.fileno(), control.fileno()),
                env=os.environ | {"PYTHONPATH": _import_path()},
                cwd=_PACKAGES,  # python -m looks for modules there before it looks anywhere else
                start_new_session=True,  # a Ctrl-C on the terminal is the VM's
            )
        finally:
            vm.close()
            control.close()
        self._reader = threading.Thread(
            target=self._read, args=(self._process,), daemon=True, name="panel stderr"
        )
        self._reader.start()

    def connect(self) -> tuple[socket.socket, socket.socket]:
        """What a VM inherits: the line for calls, and that of the touch panel's interrupt. Raises OSError.

        Device code gets no address of the panel, only these. The interrupt's other end goes to the
        panel as the first message on the line.
        """
        line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            line.connect(self.socket_path)
            interrupt, other_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with other_end:
                interrupt.setblocking(False)
                socket.send_fds(line, [b"interrupt"], [other_end.fileno()])
        except OSError:
            line.close()
            raise
        return line, interrupt

    def stop(self) -> None:
        """End it and remove its sockets. May be called twice."""
        process, self._process = self._process, None
        if process is not None:
            self._stopped = True
            assert process.stdin is not None
            process.stdin.close()
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if self._reader is not None:
                self._reader.join(_STOP_TIMEOUT_S)
        for path in (self.socket_path, self.control_path):
            Path(path).unlink(missing_ok=True)

    @property
    def exit_reason(self) -> str | None:
        """Why it died: what it said last, signal, exit code; None while it lives or after `stop()`."""
        process = self._process
        if process is None or process.poll() is None:
            return None
        if self._reader is not None:
            self._reader.join(_STOP_TIMEOUT_S)  # the last lines
        code = process.returncode
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        said = [line for line in self._said if line.startswith("panel: ")] or list(self._said)[-8:]
        return f"the panel died ({how})" + (": " + "\n".join(said) if said else "")

    @property
    def last_output(self) -> list[str]:
        """The last lines that it wrote to its standard error, tracebacks too."""
        return list(self._said)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with process.stderr as stream:
            for line in stream:
                self._said.append(line.decode("utf-8", "replace").rstrip())


def _import_path() -> str:
    """This package is found by the child however it was found here."""
    return os.pathsep.join([str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])


def listen(path: str, kind: int) -> socket.socket:
    """A listening socket at `path`, in the place of what is there. Raises OSError."""
    Path(path).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, kind)
    try:
        listener.bind(path)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
