"""The board with the console on its loop beside a task that counts, for the console's tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from mpos_host.testing.session import BoardSession
from peers.terminal import Terminal

MAIN = """
from mpos import TaskManager
from mpos.console import Console

ticks = 0

async def count():
    global ticks
    while True:
        ticks += 1
        if ticks == 2:
            print("counting beside the console")
        await TaskManager.sleep_ms(2)

TaskManager.create_task(count(), "count")
TaskManager.start(console=Console())
"""


class ConsoleBoard:
    """A board whose main.py serves the console. `port` is its serial port."""

    def __init__(self, session: BoardSession):
        self._session = session
        target = session.fresh()
        target.device.transport.fs_writefile("/main.py", MAIN.encode())
        self.port = target.port
        target.disconnect()

    def boot(self) -> None:
        """Start main.py, and wait until it serves the console."""
        virtual = self._session.target.virtual
        assert virtual is not None
        since = virtual.output_position
        virtual.reset()
        virtual.wait_output("counting beside the console", timeout=30, since=since)

    def close(self) -> None:
        """Leave a board without main.py behind."""
        self._session.target.restart()
        device = self._session.target.device
        device.enter(soft_reset=True)
        device.exec("import os; os.remove('/main.py')")
        self._session.spoil()

    def terminal(self) -> Terminal:
        """A terminal at its prompt."""
        terminal = Terminal(self.port)
        terminal.send(b"\x03'here'\r")
        terminal.until(b"\r\n'here'\r\n>>> ")  # Whatever came before is old.
        return terminal

    def mpremote(self, *arguments: str, resume: bool = True) -> str:
        """Run the stock mpremote; returns what it printed. Raises CalledProcessError."""
        command = [sys.executable, "-m", "mpremote", "connect", self.port]
        command += ["resume"] if resume else []
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture(scope="module")
def console_board(board_session: BoardSession) -> Iterator[ConsoleBoard]:
    """A board with the console's main.py, for all tests of a file."""
    board_session.skip_unless(("process",))
    board = ConsoleBoard(board_session)
    yield board
    board.close()


@pytest.fixture
def console(console_board: ConsoleBoard) -> ConsoleBoard:
    """The board with its console just started."""
    console_board.boot()
    return console_board
