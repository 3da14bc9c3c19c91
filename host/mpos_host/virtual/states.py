"""What the virtual board's VM was started for, and how far it is."""

from __future__ import annotations

from enum import Enum, auto


class ResetCause(Enum):
    """As `machine.reset_cause()` numbers them (ports/esp32/modmachine.c)."""

    POWER_ON = 1
    HARD = 2
    WATCHDOG = 3
    SOFT = 5


class Phase(Enum):
    """How far the VM is."""

    DOWN = auto()  # no VM: it died
    STARTING = auto()  # the bootstrap runs; a Ctrl-C would break it
    BOOTING = auto()  # boot.py and main.py run, and the REPL comes up
    RUNNING = auto()  # the REPL has taken over
