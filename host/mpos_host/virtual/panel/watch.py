"""The panel process in the supervisor's hands: started with the VM, watched by a descriptor."""

from __future__ import annotations

import os
import socket

from mpos_host.virtual.panel.process import PanelProcess


class PanelWatch:
    """`fd` becomes readable when the panel has died; -1 while it does not run, and always without a panel."""

    def __init__(self, panel: PanelProcess | None):
        self._panel = panel
        self.fd = -1

    @property
    def pid(self) -> int | None:
        return self._panel.pid if self._panel is not None else None

    def start(self) -> None:
        """Start the panel afresh."""
        self.stop()
        if self._panel is not None:
            self._panel.start()
            assert self._panel.pid is not None
            self.fd = os.pidfd_open(self._panel.pid)

    def keep(self) -> None:
        """Start the panel if it does not run. It gives each VM a fresh LVGL."""
        if self.fd < 0:
            self.start()

    def connect(self) -> tuple[socket.socket, ...]:
        """The lines that the next VM inherits (PanelProcess.connect); none without a panel."""
        return self._panel.connect() if self._panel is not None else ()

    def stop(self) -> None:
        """End the panel. May be called twice."""
        self._forget()
        if self._panel is not None:
            self._panel.stop()

    def take_death(self) -> str:
        """Why the panel died."""
        self._forget()
        assert self._panel is not None
        return self._panel.exit_reason or "the panel died"

    def _forget(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
