"""Device tests as pytest items: MicroPython files whose functions run on the board, one by one.

The host never imports them; it reads their syntax tree. A function test_* or async def test_* is an item. Its
parameters are fixtures: those of `device_runner` are made on the device, others on the host and sent as
literals (strings, numbers, lists, ...). Module constants, all optional:

    REQUIRES = ("panel",)   # abilities of the board without which the file is skipped
    TIMEOUT = 30            # seconds for each test of the file
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from mpos_host.device import DeviceTimeout
from mpos_host.project import UserError
from mpos_host.session import BoardSession

# Parameters that boards/shared/device_runner.py provides on the device.
PROVIDED_ON_DEVICE = ("hardware", "lvgl_loop", "screen")

TIMEOUT = 30  # seconds for a test of a file that says nothing else

# Seconds after a test's own timeout, in which the device reports by itself which coroutine was late.
_GRACE = 3


class DeviceFile(pytest.File):
    """A test file of the device."""

    requires: tuple[str, ...] = ()
    timeout: float = TIMEOUT

    def collect(self) -> Iterator[pytest.Item]:
        try:
            tree = ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))
        except SyntaxError as error:
            raise self.CollectError(f"{self.path}:{error.lineno}: {error.msg}") from None
        self.requires = tuple(_constant(tree, "REQUIRES", ()))
        self.timeout = float(_constant(tree, "TIMEOUT", TIMEOUT))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield DeviceItem.make(self, node)

    def helpers(self) -> list[Any]:
        """The modules beside the file that are no tests: what the file may import."""
        return [
            path
            for path in sorted(self.path.parent.glob("*.py"))
            if not path.name.startswith(("test_", "smoke_", "conftest"))
        ]


class DeviceItem(pytest.Function):
    """One function of a device test file."""

    line = 0
    provided: tuple[str, ...] = ()

    @classmethod
    def make(cls, parent: DeviceFile, node: ast.FunctionDef | ast.AsyncFunctionDef) -> DeviceItem:
        names = [argument.arg for argument in node.args.args]
        provided = tuple(name for name in names if name in PROVIDED_ON_DEVICE)
        fixtures = [name for name in names if name not in provided]

        def call(board_session: BoardSession, **arguments: Any) -> None:
            item.run_on(board_session, arguments)

        # pytest reads the signature to find the fixtures.
        call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in ["board_session", *fixtures]]
        )
        item: DeviceItem = cls.from_parent(parent, name=node.name, callobj=call)
        item.line = node.lineno - 1
        item.provided = provided
        return item

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return self.path, self.line, self.name

    def run_on(self, session: BoardSession, arguments: dict[str, Any]) -> None:
        """Run the function on the board; raises what it raised there."""
        file = self.parent
        assert isinstance(file, DeviceFile)
        session.skip_unless(file.requires)
        board = session.fresh(user=file)
        session.send([*file.helpers(), file.path])
        printed: list[str] = []
        try:
            board.device.exec(
                f"import device_runner\ndevice_runner.run({file.path.stem!r}, {self.name!r}, "
                f"{self.provided!r}, {arguments!r}, {int(file.timeout * 1000)})",
                timeout=file.timeout + _GRACE,
                output=printed.append,
                what=f"the end of {self.name}",
            )
        except UserError as error:
            session.spoil()
            raise self._failure(error, session) from None
        except BaseException:
            session.spoil()
            raise
        finally:
            if printed:
                self.add_report_section("call", "device output", "".join(printed))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, DeviceTestFailed):
            return excinfo.value.shown()
        if isinstance(excinfo.value, UserError):
            return f"{self.path}: {excinfo.value}"
        return super().repr_failure(excinfo)

    def _failure(self, error: UserError, session: BoardSession) -> DeviceTestFailed:
        died = session.target.exit_reason()
        if died is not None:
            return DeviceTestFailed(f"the board died in {self.name}: {died}", getattr(error, "traceback", ""))
        if not isinstance(error, DeviceTimeout):
            return DeviceTestFailed(str(error), getattr(error, "traceback", ""))
        reason = f"{self.name} did not end in {error.seconds:g} s"
        try:
            # Stop it: the traceback of that says where it was.
            return DeviceTestFailed(reason, session.target.device.interrupt())
        except UserError:
            session.target.restart()
            return DeviceTestFailed(f"{reason} and did not react to Ctrl-C")


class DeviceTestFailed(Exception):
    """A test failed on the device: why, and the device's traceback."""

    def __init__(self, reason: str, traceback: str = ""):
        super().__init__(reason)
        self.traceback = traceback

    def shown(self) -> str:
        """The traceback without the lines of the machinery, in the form that editors make links of."""
        lines = []
        for line in self.traceback.splitlines():
            if "device_runner.py" in line or "<stdin>" in line:
                continue
            lines.append(line)
        return "\n".join([*lines, f"E   {self}"])


def _constant(tree: ast.Module, name: str, default: Any) -> Any:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in node.targets
        ):
            return ast.literal_eval(node.value)
    return default
