"""pytest plugin of the smoke tests: their options, the comparison of pictures, and the report of a run.

--report DIR          DIR/index.html, DIR/junit.xml
--ask                 tests that need a person
--host-address ADDR   of this computer, as the board sees it
--update-images       what the tests see becomes the stored pictures
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mpos_host.testing.smoke.recorder import Recorder


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mpos")
    group.addoption("--report", metavar="DIR", type=Path, help="leave index.html and junit.xml there")
    group.addoption("--ask", action="store_true", help="also tests that need a person at the board")
    group.addoption(
        "--host-address", metavar="ADDR", help="of this computer in the board's network (default: found)"
    )
    group.addoption(
        "--update-images", action="store_true", help="store the pictures instead of comparing them"
    )


@pytest.hookimpl(tryfirst=True)  # before pytest decides whether to write JUnit XML
def pytest_configure(config: pytest.Config) -> None:
    folder: Path | None = config.getoption("report")
    if folder is None or config.getoption("collectonly"):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"no report can be left in {folder}: {error.strerror}") from None
    if not config.getoption("xmlpath"):
        config.option.xmlpath = str(folder / "junit.xml")
    config.pluginmanager.register(Recorder(config, folder), "mpos_recorder")
