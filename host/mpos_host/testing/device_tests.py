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
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mpos_host.board.device import BOOTED, DeviceTimeout
from mpos_host.project import UserError
from mpos_host.testing.session import BoardSession
from mpos_host.testing.smoke.dialogue import Dialogue, new_dialogue

# Parameters that boards/shared/device_runner.py provides on the device.
PROVIDED_ON_DEVICE = ("hardware", "lvgl_loop", "screen")

TIMEOUT = 30  # seconds for a test of a file that says nothing else

# Seconds after a test's own timeout, in which the device reports by itself which coroutine was late.
_GRACE = 3

# What in a device's traceback is the same for every test.
_MACHINERY = ("device_runner.py", "<stdin>", "asyncio/core.py", "mpos/loop/runner.py")


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

    def modules(self) -> list[Path]:
        """The file and the modules beside it that it imports, directly or not."""
        found = [self.path]
        for path in found:
            for name in _imports(path):
                module = self.path.parent / f"{name}.py"
                if module.is_file() and module not in found:
                    found.append(module)
        return found


class DeviceItem(pytest.Function):
    """One function of a device test file."""

    line = 0
    provided: tuple[str, ...] = ()
    dialogue: Dialogue | None = None  # of the run, once there was one

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
        session.send(file.modules())
        dialogue = self.dialogue = new_dialogue(self.config, board)

        def output(text: str) -> None:
            dialogue.feed(text)
            if BOOTED.search(dialogue.tail):
                raise _BoardReset

        try:
            board.device.exec(
                f"import device_runner\ndevice_runner.run({file.path.stem!r}, {self.name!r}, "
                f"{self.provided!r}, {arguments!r}, {int(file.timeout * 1000)})\n{dialogue.END}",
                timeout=file.timeout + _GRACE,
                output=output,
                what=f"the end of {self.name}",
            )
            if not dialogue.ended:
                raise _BoardReset
        except _BoardReset:
            session.spoil()
            raise DeviceTestFailed(f"the board reset itself in {self.name}") from None
        except UserError as error:
            session.spoil()
            _skip_if_asked(error)
            raise self._failure(error, session) from None
        except BaseException:
            session.spoil()
            raise
        finally:
            if dialogue.output:
                self.add_report_section("call", "device output", dialogue.output)
        for picture in dialogue.wrong_pictures:
            raise DeviceTestFailed(f"the picture {picture.name} is not as it should be: {picture.verdict}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, DeviceTestFailed):
            return excinfo.value.shown()
        if isinstance(excinfo.value, UserError):
            return f"{self.path}: {excinfo.value}"
        return super().repr_failure(excinfo)

    def _failure(self, error: UserError, session: BoardSession) -> DeviceTestFailed:
        assert isinstance(self.parent, DeviceFile)
        died = session.target.exit_reason()
        if died is not None:
            return DeviceTestFailed(f"the board died in {self.name}: {died}", getattr(error, "traceback", ""))
        if not isinstance(error, DeviceTimeout):
            return DeviceTestFailed(str(error), getattr(error, "traceback", ""))
        reason = f"{self.name} did not end in {self.parent.timeout:g} s"
        try:
            # Stop it: the traceback of that says where it was.
            return DeviceTestFailed(reason, session.target.device.interrupt())
        except UserError:
            session.spoil(hangs=True)
            return DeviceTestFailed(f"{reason} and did not react to Ctrl-C")


class _BoardReset(Exception):
    """The board has booted while a test ran."""


class DeviceTestFailed(Exception):
    """A test failed on the device: why, and the device's traceback."""

    def __init__(self, reason: str, traceback: str = ""):
        super().__init__(reason)
        self.traceback = traceback

    def shown(self) -> str:
        """The traceback without the lines of the machinery, with the host's file names and their lines."""
        shown = []
        for line in self.traceback.splitlines():
            if any(machinery in line for machinery in _MACHINERY):
                continue
            line = line.replace('"/lib/mpos/', '"mpos/').replace('"/apps/', '"apps/')
            shown.append(line)
            place = re.match(r'  File "(.+)", line (\d+)', line)
            if place:
                shown += [f"    {source}" for source in _source(place[1], int(place[2]))]
        return "\n".join([*shown, f"E   {self}"])


def _skip_if_asked(error: UserError) -> None:
    """Skip the test if it ended by `reporting.skip(reason)`."""
    lines = getattr(error, "traceback", "").splitlines()
    if lines and lines[-1].startswith("Skip: "):
        pytest.skip(lines[-1].removeprefix("Skip: "))


def _source(name: str, number: int) -> list[str]:
    try:
        lines = Path(name).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []  # a file that is on the device only
    return [line.strip() for line in lines[number - 1 : number]]


def _constant(tree: ast.Module, name: str, default: Any) -> Any:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in node.targets
        ):
            return ast.literal_eval(node.value)
    return default


def _imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            names.add(node.module)
    return names
