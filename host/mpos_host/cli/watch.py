"""`mpos run --watch`: what is saved is deployed at once, and the app starts again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from watchfiles import watch

from mpos_host import project
from mpos_host.board.deploy import deploy, plan
from mpos_host.board.device import Device
from mpos_host.board.target import Target
from mpos_host.project import App, UserError

_START_S = 10.0
_JOIN_S = 30.0  # a deployment may be under way
_PORT_FREE_S = 10.0  # for another program to be done with the board's port
_PORT_PAUSE_S = 0.2


class _End(threading.Event):
    """Ends the watching. watchfiles looks at it once it sees what is saved, which nothing else tells."""

    def __init__(self) -> None:
        super().__init__()
        self.is_watched_for = threading.Event()

    def is_set(self) -> bool:
        self.is_watched_for.set()
        return super().is_set()


class Watch:
    """Watches the folders of `app`, of mpos and of the board, from its `with` block's start to its end.

    The board is one that runs in this program, which does not use its port. `start(device, title)` boots into
    the app. `tell` gets a line on what was done, or what is wrong with what was saved.
    """

    def __init__(
        self,
        target: Target,
        app: App,
        source: bool,
        tell: Callable[[str], None],
        start: Callable[[Device, str], None],
    ):
        self._target = target
        self._app = app
        self._source = source
        self._tell = tell
        self._start = start
        self._end = _End()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        self._end.is_watched_for.wait(_START_S)
        return self

    def __exit__(self, *exc: object) -> None:
        self._end.set()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        folders = (self._app.directory, project.root() / "mpos", self._target.board.directory)
        for _ in watch(*folders, stop_event=self._end, raise_interrupt=False):
            try:
                self._deploy()
            except UserError as error:
                self._tell(str(error))

    def _deploy(self) -> None:
        began = time.monotonic()
        app = project.load_app(str(self._app.directory))
        files = plan(self._target.board, [app], self._source)
        virtual = self._target.virtual
        assert virtual is not None
        until = began + _PORT_FREE_S
        while not self._end.is_set():
            with virtual.own_console() as port:
                if port is not None:
                    with Device(port, self._target.exit_reason) as device:
                        device.enter()
                        done = deploy(device, files, self._target.board)
                        if not done.written and not done.removed:
                            device.leave()
                            return
                        try:
                            self._start(device, app.title)
                        finally:
                            device.leave()
                    self._tell(f"{done}; started again after {time.monotonic() - began:.1f} s")
                    return
            if time.monotonic() > until:
                raise UserError("another program uses the board's port: save again when it is done")
            self._end.wait(_PORT_PAUSE_S)
