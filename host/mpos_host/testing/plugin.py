"""pytest plugin: the fixture `board`, and device tests that run on it.

`pytest --board NAME [--binary PATH] [--heap SIZE]` or `--port DEV` chooses the board; the default is the
virtual board. Files test_*.py and smoke_*.py in a folder called device are MicroPython:
`mpos_host.testing.device_tests` collects them and runs each of their functions on the board.

With pytest-xdist (`-n`) each worker has a board of its own: a process, or the one at its --port of several.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mpos_host import project
from mpos_host.board.target import Target
from mpos_host.testing.device_tests import DeviceFile
from mpos_host.testing.session import BoardSession

pytest_plugins = ["mpos_host.testing.smoke.plugin", "mpos_host.testing.smoke.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mpos", "the board the tests run on")
    group.addoption("--board", default=None, metavar="NAME", help="a folder of boards/ (default: virtual)")
    group.addoption("--binary", default=None, metavar="PATH", help="lvgl_micropython's binary for unix_sdl")
    group.addoption(
        "--port",
        dest="ports",
        action="append",
        default=[],
        metavar="DEV",
        help="serial port of a real board; several of them with -n, one for each worker",
    )
    group.addoption(
        "--heap", default=None, metavar="SIZE", help="heap of a board that is a process, like 256k"
    )
    group.addoption(
        "--flash", default=None, metavar="SIZE", help="flash of a board that is a process, like 4M"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "requires(*abilities): only on a board that has all of these")
    config.option.port = _port(config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: list[object]) -> None:
    """Before pytest-xdist starts its workers: a worker could not say what is wrong and end them all."""
    ports = config.getoption("ports")
    if ports and len(ports) != len(specs):
        raise pytest.UsageError(f"-n {len(specs)} needs {len(specs)} boards, --port names {len(ports)}")
    if config.getoption("report"):
        raise pytest.UsageError("--report is about one board: leave -n out")
    try:
        _target(config)
    except project.UserError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.parent.name != "device":
        return None
    if file_path.match("test_*.py") or file_path.match("smoke_*.py"):
        return DeviceFile.from_parent(parent, path=file_path)
    return None


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Keep pytest's own collector off device tests: CPython cannot import them."""
    if module_path.parent.name == "device":
        return _NothingToCollect.from_parent(parent, path=module_path)
    return None


def pytest_report_header(config: pytest.Config) -> str:
    where = config.getoption("port") or config.getoption("binary") or "a process of this computer"
    return f"board: {board_name(config)} ({where})"


@pytest.fixture(scope="session")
def board_session(request: pytest.FixtureRequest) -> Iterator[BoardSession]:
    """The one board of this run: started when first needed, ended with the run."""
    try:
        session = BoardSession(
            _target(request.config), may_end_run=not hasattr(request.config, "workerinput")
        )
    except project.UserError as error:
        pytest.exit(str(error), returncode=4)
    with session:
        yield session


@pytest.fixture
def board(request: pytest.FixtureRequest, board_session: BoardSession) -> Target:
    """The board with mpos on its flash and a fresh heap; nothing runs on it.

    `board.device` is its console, `board.panel` its screen and touch (virtual board), `board.port` the port
    for other programs (after `board.disconnect()`).
    """
    marker = request.node.get_closest_marker("requires")
    if marker is not None:
        board_session.skip_unless(marker.args)
    return board_session.fresh()


def board_name(config: pytest.Config) -> str:
    """The board of the run."""
    return config.getoption("board") or ("unix_sdl" if config.getoption("binary") else "virtual")


def _target(config: pytest.Config) -> Target:
    """The board of this process, not started."""
    return Target(
        project.load_board(board_name(config)),
        port=config.getoption("port"),
        binary=config.getoption("binary"),
        heap=config.getoption("heap"),
        flash=config.getoption("flash"),
    )


def _port(config: pytest.Config) -> str | None:
    """The --port of this process: a worker of pytest-xdist (gw0, gw1, ...) takes that of its number."""
    ports = config.getoption("ports") or []
    worker: dict[str, str] | None = getattr(config, "workerinput", None)
    if worker is not None:
        return ports[int(worker["workerid"].removeprefix("gw"))] if ports else None
    if len(ports) > 1 and not config.getoption("numprocesses", default=None):
        raise pytest.UsageError(f"--port names {len(ports)} boards: say -n {len(ports)}, or one")
    return ports[0] if ports else None


class _NothingToCollect(pytest.Module):
    def collect(self) -> list[pytest.Item | pytest.Collector]:
        return []
