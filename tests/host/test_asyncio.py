"""MicroPython's own tests of asyncio on TaskManager: `--asyncio-tests CHECKOUT` (of micropython/micropython).

Each prints what it prints on asyncio, but for those where ours is better.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mpos_host import project

SECONDS = 60
REPLACED = Path(__file__).parents[1] / "standins" / "asyncio_replaced.py"

# The tests whose output differs, and why; docs/how-the-loop-works.md says more.
DIFFERENT = {
    "asyncio_gather_notimpl": "gather takes a task that is awaited elsewhere",
    "asyncio_micropython": "a sleep beyond the range of the clock lasts that long, here for days",
    "asyncio_wait_for": "a cancelled wait_for ends after what it waited for",
    "asyncio_wait_for_fwd": "a cancelled wait_for ends after what it waited for",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "asyncio_test" not in metafunc.fixturenames:
        return
    checkout = metafunc.config.getoption("--asyncio-tests")
    if not checkout:
        reason = "needs --asyncio-tests CHECKOUT (of micropython/micropython)"
        metafunc.parametrize("asyncio_test", [pytest.param(None, marks=pytest.mark.skip(reason=reason))])
        return
    folder = Path(checkout).resolve() / "tests" / "extmod"
    paths = sorted(folder.glob("asyncio_*.py"))
    assert paths, f"no asyncio_*.py in {folder}"
    metafunc.parametrize("asyncio_test", paths, ids=[path.stem for path in paths])


def test_it_prints_what_it_prints_on_asyncio(asyncio_test: Path, request: pytest.FixtureRequest) -> None:
    if asyncio_test.stem in DIFFERENT:
        pytest.skip(DIFFERENT[asyncio_test.stem])
    vm = request.config.getoption("--binary") or str(Path(sys.executable).parent / "micropython")
    expected = asyncio_test.with_name(asyncio_test.name + ".exp")
    wanted = expected.read_text() if expected.exists() else run(vm, str(asyncio_test))
    assert run(vm, str(REPLACED), str(asyncio_test)) == wanted


def run(*command: str) -> str:
    """What the program prints."""
    environment = os.environ | {"MICROPYPATH": f"{project.root()}:.frozen"}
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, env=environment, check=False
    )
    return result.stdout
