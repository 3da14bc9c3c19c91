"""The pytest plugin: device tests as items, and what a test that goes wrong looks like."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from peers.processes import handles_of_children, read_until, wait_gone

pytestmark = pytest.mark.timeout(180)  # each starts a pytest with a board of its own


@pytest.fixture
def board_options(request: pytest.FixtureRequest) -> list[str]:
    """The options of a pytest with a board like the one of this run."""
    if request.config.getoption("port"):
        pytest.skip("needs a board of its own: the one at --port is in use by the tests")
    return [f"--{name}={value}" for name in ("board", "binary") if (value := request.config.getoption(name))]


@pytest.fixture
def device_tests(board_options: list[str], pytester: pytest.Pytester):
    """Run a device test file, and further files by name, in a pytest of its own; returns its result."""

    def run(source: str, *arguments: str, **files: str) -> pytest.RunResult:
        folder = pytester.mkdir("device")
        (folder / "test_it.py").write_text(source)
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        return pytester.runpytest_subprocess(*board_options, "--strict-markers", *arguments, timeout=120)

    return run


def test_each_function_is_reported_by_name(device_tests):
    result = device_tests(
        "def test_plain():\n    pass\n"
        "async def test_coroutine():\n    from mpos import TaskManager\n    await TaskManager.sleep_ms(1)\n"
        "def helper():\n    pass\n",
        "-v",
    )
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*device/test_it.py::test_plain PASSED*", "*::test_coroutine PASSED*"])


def test_a_failure_shows_file_line_source_and_what_was_printed(device_tests):
    result = device_tests("def test_sum():\n    print('adding')\n    assert 1 + 1 == 3, 'no sum'\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            '*File "device/test_it.py", line 3, in test_sum*',
            "*assert 1 + 1 == 3*",
            "*AssertionError: no sum*",
            "*Captured device output*",
            "adding",
        ]
    )


def test_fixtures_of_the_host_arrive_as_values(device_tests, pytester: pytest.Pytester):
    pytester.makeconftest(
        "import pytest\n@pytest.fixture\ndef address():\n    return 'http://host'\n"
        "@pytest.fixture\ndef pair():\n    return (1, b'two')\n"
    )
    result = device_tests(
        "def test_it(address, pair):\n    assert (address, pair) == ('http://host', (1, b'two'))\n"
    )
    result.assert_outcomes(passed=1)


def test_an_unknown_fixture_is_an_error_before_the_board_is_asked(device_tests):
    result = device_tests("def test_it(nonsense):\n    pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'nonsense' not found*"])


def test_modules_beside_the_file_can_be_imported(device_tests):
    result = device_tests(
        "from helper import answer\ndef test_it():\n    assert answer() == 42\n",
        helper="from deeper import ANSWER\ndef answer():\n    return ANSWER\n",
        deeper="ANSWER = 42\n",
    )
    result.assert_outcomes(passed=1)


def test_a_blocking_test_is_stopped_and_named_and_the_next_one_runs(device_tests):
    result = device_tests(
        "TIMEOUT = 3\ndef test_hangs():\n    print('going in')\n    while True:\n        pass\n"
        "def test_next():\n    pass\n"
    )
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*line 5, in test_hangs*", "E *test_hangs did not end in*", "going in"])


def test_a_test_that_waits_for_ever_is_stopped_by_the_loop(device_tests):
    result = device_tests(
        "TIMEOUT = 3\nimport asyncio\nasync def test_waits():\n    await asyncio.Event().wait()\n"
        "def test_next():\n    pass\n"
    )
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["E *TimeoutError*"])


def test_a_test_that_kills_the_vm_is_named_and_the_next_one_runs(device_tests):
    result = device_tests(
        "import uctypes\ndef test_dies():\n    uctypes.bytearray_at(8, 8)[0] = 1\n"
        "def test_next():\n    pass\n"
    )
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["E *the board died in test_dies*SIGSEGV*"])


def test_what_one_test_leaves_running_is_gone_in_the_next(device_tests):
    result = device_tests(
        "from mpos import TaskManager\n"
        "def test_leaves():\n    TaskManager.create_task(TaskManager.sleep(60), 'left over')\n"
        "def test_next():\n    assert 'left over' not in [task.name for task in TaskManager.list_tasks()]\n"
    )
    result.assert_outcomes(passed=2)


def test_a_file_for_other_boards_is_skipped_with_the_reason(device_tests):
    result = device_tests('REQUIRES = ("hardware",)\ndef test_it():\n    pass\n', "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*needs hardware*"])


def test_an_error_of_syntax_is_reported_with_its_line(device_tests):
    result = device_tests("def test_it(:\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*test_it.py:1: *"])


def test_smoke_tests_run_with_all_others(device_tests):
    smoke = "def test_smoke():\n    pass\n"
    device_tests("def test_it():\n    pass\n", smoke_it=smoke).assert_outcomes(passed=2)


def test_the_display_and_a_screen_are_there_for_who_asks(device_tests):
    result = device_tests(
        "import lvgl as lv\n"
        "async def test_it(lvgl_loop, screen):\n"
        "    from mpos import TaskManager\n"
        "    assert lv.screen_active() is screen or lv.screen_active() == screen\n"
        "    frames = lvgl_loop.stats()['frames']\n"
        "    lv.label(screen).set_text('hello')\n"
        "    while lvgl_loop.stats()['frames'] == frames:\n"
        "        await TaskManager.sleep_ms(5)\n"
    )
    result.assert_outcomes(passed=1)


def test_ctrl_c_ends_the_run_and_leaves_nothing_running(pytester: pytest.Pytester, board_options: list[str]):
    pytester.makeconftest(
        "import pytest\n"
        "@pytest.fixture\n"
        "def ready(board):\n"
        "    print('the board is up', flush=True)\n"
        "    return 1\n"
    )
    folder = pytester.mkdir("device")
    (folder / "test_it.py").write_text("def test_it(ready):\n    while True:\n        pass\n")
    command = [sys.executable, "-m", "pytest", "-s", *board_options]
    run = subprocess.Popen(command, cwd=pytester.path, stdout=subprocess.PIPE, text=True)
    try:
        read_until(run.stdout, "the board is up")
        children = handles_of_children(run.pid)
        assert children
        run.send_signal(signal.SIGINT)
        output, _ = run.communicate(timeout=60)
    finally:
        run.kill()
        run.communicate()
    assert "KeyboardInterrupt" in output
    wait_gone(children)


def test_each_worker_of_xdist_has_a_board_of_its_own(device_tests, pytester: pytest.Pytester):
    source = (
        "import os\ndef test_it():\n    assert 'left' not in os.listdir()\n    open('left', 'w').close()\n"
    )
    folder = pytester.mkdir("more")
    (folder / "device").mkdir()
    (folder / "device" / "test_other.py").write_text(source)
    device_tests(source, "-n2", "--dist=loadfile").assert_outcomes(passed=2)


def test_boards_at_ports_are_as_many_as_workers(pytester: pytest.Pytester):
    for arguments, said in (
        (("--port=/dev/a", "--port=/dev/b"), "say -n 2"),
        (("--port=/dev/a", "--port=/dev/b", "-n3"), "-n 3 needs 3 boards, --port names 2"),
        (("--board=virtuel", "-n2"), "did you mean virtual?"),
    ):
        result = pytester.runpytest_subprocess(*arguments)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"*{said}*"])
