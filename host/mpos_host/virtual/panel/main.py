"""The panel process: LVGL with a screen and a touch panel, for the VM and for whoever looks at the board.

Started by PanelProcess as `python -m mpos_host.virtual.panel.main`, with the two listening sockets as
inherited descriptors. Each connection of a VM gets a forked process with an LVGL of its own, so that a VM
that starts again finds nothing of the one before; this process waits for it and ends as it ended.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from mpos_host.virtual import sandbox
from mpos_host.virtual.panel import lvgl as panel_lvgl
from mpos_host.virtual.panel.calls import Calls
from mpos_host.virtual.panel.control import Control
from mpos_host.virtual.panel.damage import end
from mpos_host.virtual.panel.display import Display, Touch
from mpos_host.virtual.panel.keys import Keys
from mpos_host.virtual.panel.lvgl import lv
from mpos_host.virtual.panel.names import Names
from mpos_host.virtual.panel.objects import Objects
from mpos_host.virtual.panel.running import Running
from mpos_host.virtual.panel.session import Session, VmGone
from mpos_host.virtual.panel.types import Stub

_HOST_GONE = 3  # exit code of the forked process


@dataclass(frozen=True)
class Setup:
    """What all lives have in common. `hang_s`: CPU time of one request after which LVGL is taken to hang."""

    vm: socket.socket
    control: socket.socket
    names: Names
    running: Running
    contained: bool
    hang_s: float


class Panel:
    """One life: from before the VM connects to when it is gone."""

    def __init__(self, setup: Setup):
        self._setup = setup
        self._poll = select.poll()
        self._poll.register(setup.vm, select.POLLIN)
        self._poll.register(sys.stdin, select.POLLHUP)
        self._line: socket.socket | None = None
        self._touch_line: socket.socket | None = None
        self.display = Display()
        self.touch = Touch()
        self.keys = Keys()
        self._control = Control(setup.control, self._poll, self.display, self.touch, self.keys)

    def run(self) -> None:
        """Raises VmGone when the VM has closed its line."""
        lv.init()
        while self._line is None:
            self._work()
        setup = self._setup
        calls = Calls(setup.names, Objects(), setup.running)
        session = Session(self._line, calls, setup.contained, setup.hang_s, self._wait)
        session.hardware = self._hardware
        session.calls.adapt.on_deinit = lambda: self._taken_down(session)
        self._control.session = session
        self._control.hold = self._hold
        session.on_input = self.keys.deliver
        self.touch.ring = self.keys.ring = self._ring
        session.serve()

    def _wait(self) -> None:
        """Until the VM has said something; the host is served meanwhile."""
        while not self._work():
            pass

    def _work(self) -> bool:
        """Wait for anything; True when it is from the VM."""
        ready = False
        for descriptor, event in self._poll.poll():
            if self._line is not None and descriptor == self._line.fileno():
                ready = True
            elif self._line is None and descriptor == self._setup.vm.fileno():
                self._line, _ = self._setup.vm.accept()
                self._take_touch_line(self._line)
                # The next VM is for the next life: it may connect before the end of this one is noticed.
                self._poll.unregister(self._setup.vm)
                self._poll.register(self._line, select.POLLIN)
            elif descriptor == sys.stdin.fileno():
                os._exit(_HOST_GONE)
            else:
                self._control.serve(descriptor, event)
        return ready

    def _hold(self, hold: bool) -> None:
        """While it is held, the VM waits for the answer to its next request."""
        assert self._line is not None
        self._poll.modify(self._line, 0 if hold else select.POLLIN)  # the VM's end is told nevertheless

    def _take_touch_line(self, line: socket.socket) -> None:
        """The first message of a VM has the touch panel's interrupt line with it (PanelProcess.connect)."""
        _, descriptors, _, _ = socket.recv_fds(line, 16, 1)
        if not descriptors:
            return  # gone already
        self._touch_line = socket.socket(fileno=descriptors[0])
        self._touch_line.setblocking(False)
        if self.touch.waiting or self.keys.waiting:
            self._ring()

    def _ring(self) -> None:
        if self._touch_line is not None:
            with suppress(BlockingIOError, ConnectionError):  # rung already, or nobody there any more
                self._touch_line.send(b"\1")

    def _hardware(self, number: int) -> object:
        return self.display.create() if number == 0 else self.touch.create()

    def _taken_down(self, session: Session) -> None:
        session.damage.clear()
        self.display.forget()
        self.touch.forget()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vm", type=int, required=True, help="descriptor of the socket for the VM")
    parser.add_argument("--control", type=int, required=True, help="descriptor of the socket for the host")
    parser.add_argument("--hang", type=float, required=True, help="CPU seconds that a request may take")
    parser.add_argument("--contained", action="store_true", help="exceptions in callbacks do no damage")
    arguments = parser.parse_args()
    vm, control = socket.socket(fileno=arguments.vm), socket.socket(fileno=arguments.control)
    panel_lvgl.check()
    names = Names(Stub(panel_lvgl.FILE))
    sandbox.enter(sys.path)  # device code tells LVGL what to do, and LVGL believes it
    setup = Setup(vm, control, names, Running(), arguments.contained, arguments.hang)
    while True:
        child = os.fork()
        if child == 0:
            _run(setup)
        status = _wait_for(child)
        if status != 0:
            return _end_as(status, setup)


def _run(setup: Setup) -> NoReturn:
    """The forked process."""
    faulthandler.enable(all_threads=False)
    faulthandler.register(signal.SIGVTALRM, all_threads=False, chain=True)
    try:
        Panel(setup).run()
    except VmGone:
        pass
    except BaseException as error:
        traceback.print_exc()
        end(f"{type(error).__name__}: {error}")
    sys.stderr.flush()
    os._exit(0)


def _wait_for(child: int) -> int:
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
    return os.waitpid(child, 0)[1]


def _end_as(status: int, setup: Setup) -> int:
    """Say why the forked process ended, and end likewise."""
    if not os.WIFSIGNALED(status):
        code = os.WEXITSTATUS(status)
        return 0 if code == _HOST_GONE else code
    number = os.WTERMSIG(status)
    if number == signal.SIGVTALRM:
        reason = f"LVGL hangs: it has used {setup.hang_s:g} s of CPU time for {setup.running.last()}"
    else:
        reason = f"LVGL crashed in {setup.running.last()}"
    if number != signal.SIGKILL:
        print(f"panel: {reason}", file=sys.stderr, flush=True)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    return 128 + number


if __name__ == "__main__":
    sys.exit(main())
