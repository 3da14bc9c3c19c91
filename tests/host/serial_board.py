"""A virtual board without panel, and the stock mpremote at its port, for the tests of the virtual board."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mpremote.transport_serial import SerialTransport

from mpos_host.virtual import VirtualBoard


@pytest.fixture
def bare_board(request: pytest.FixtureRequest) -> Iterator[VirtualBoard]:
    """A board with a serial port only, as fresh as from the factory; the desktop binary with --binary."""
    with VirtualBoard(panel=False, binary=request.config.getoption("--binary", default=None)) as board:
        yield board


def mpremote(board: VirtualBoard, *arguments: str, fails: bool = False, cwd: Path | None = None) -> str:
    """Run `mpremote connect PORT ARGUMENTS...`; returns its output. It must succeed, or fail if `fails`."""
    command = [sys.executable, "-m", "mpremote", "connect", board.port, *arguments]
    done = subprocess.run(command, capture_output=True, timeout=60, cwd=cwd)
    output = (done.stdout + done.stderr).decode()
    assert bool(done.returncode) == fails, f"{arguments}: exit code {done.returncode}: {output}"
    return output


@contextmanager
def raw_repl(board: VirtualBoard, soft_reset: bool = False) -> Iterator[SerialTransport]:
    """mpremote's own transport, in the raw REPL. Its reads have a time limit, unlike the command's."""
    transport = SerialTransport(board.port, timeout=10)
    try:
        transport.enter_raw_repl(soft_reset=soft_reset)
        yield transport
    finally:
        transport.close()
