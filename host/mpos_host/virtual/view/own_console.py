"""The board's console for the live view, beside whatever other program uses the board's port.

All of it blocks, and may be called in any thread: calls wait for each other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mpos_host.board.device import Device, DeviceError, DeviceTimeout
from mpos_host.project import UserError
from mpos_host.virtual.board import VirtualBoard

_SAMPLE = "[mpos.TaskManager.stats(), [list(task) for task in mpos.TaskManager.list_tasks()]]"
_ERRORS = "[[error.name, error.traceback] for error in mpos.TaskManager.last_errors()]"

# Seconds: for figures, which come in some ms from a loop that turns; for a line; for an app to start again.
_SAMPLE_S = 2
_LINE_S = 10
_START_S = 30


class ConsoleInUse(UserError):
    """Another program has the board's port."""

    def __init__(self) -> None:
        super().__init__("another program uses the board's console; this goes on when it is done")


class OwnConsole:
    """The console of `board`."""

    def __init__(self, board: VirtualBoard):
        self._board = board
        self._errors_told = 0

    def sample(self) -> dict[str, Any]:
        """`stats` and `tasks` of the TaskManager, and `errors` if there are others than last time."""
        with self._console(_SAMPLE_S) as device:
            stats, tasks = device.call(_SAMPLE, "mpos", _SAMPLE_S)
            sample = {"stats": stats, "tasks": tasks}
            if stats["errors"] != self._errors_told:
                sample["errors"] = device.call(_ERRORS, "mpos", _SAMPLE_S)
                self._errors_told = stats["errors"]
            return sample

    def tell_errors_again(self) -> None:
        """The next sample has the errors that there are: somebody has come who does not know them."""
        self._errors_told = 0

    def run(self, line: str) -> str:
        """What a typed line prints; the value of an expression too, or the traceback."""
        with self._console(_LINE_S) as device:
            try:
                return device.printed_by(_as_typed(line), timeout=_LINE_S)
            except DeviceError as error:
                return f"{error.output}{error.traceback}\n"
            except DeviceTimeout:
                return f"{device.interrupt()}\n(ended after {_LINE_S} s)\n"

    def restart(self) -> None:
        """Soft reset: the app starts again, as it is on the flash."""
        with self._console(_SAMPLE_S) as device:
            device.reboot(_START_S)

    @contextmanager
    def _console(self, seconds: float) -> Iterator[Device]:
        with self._board.own_console() as port:
            if port is None:
                raise ConsoleInUse
            with Device(port, lambda: self._board.exit_reason) as device:
                device.enter_beside(seconds)
                try:
                    yield device
                except DeviceError:
                    device.leave(seconds)
                    raise
                device.leave(seconds)


def _as_typed(line: str) -> str:
    """Code that does with a line what the REPL does: the value of an expression is shown."""
    try:
        compile(line, "<line>", "eval", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError):
        return line  # a statement, or what MicroPython shall complain about
    return f"_value = ({line}\n)\nif _value is not None: print(repr(_value))"
