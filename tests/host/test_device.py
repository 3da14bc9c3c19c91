"""The console of a board: what it gives back, and that no wait is without end."""

from __future__ import annotations

import os
import pty
import signal
from collections.abc import Iterator

import pytest

from mpos_host.board.device import Device, DeviceError, DeviceGone, DeviceTimeout
from mpos_host.virtual.board import VirtualBoard


@pytest.fixture(scope="module")
def bare() -> Iterator[VirtualBoard]:
    """A board without mpos and without a panel: the built-in REPL."""
    with VirtualBoard(panel=False) as board:
        yield board


@pytest.fixture
def device(bare: VirtualBoard) -> Iterator[Device]:
    with Device(bare.port, lambda: bare.exit_reason) as device:
        device.enter(soft_reset=True)
        yield device


def test_what_is_printed_comes_back_and_as_it_comes(device: Device):
    pieces: list[str] = []
    assert device.exec("print('one')\nprint('two')", output=pieces.append) == "one\ntwo\n"
    assert "".join(pieces) == "one\r\ntwo\r\n"


def test_a_command_longer_than_any_window_arrives_whole(device: Device):
    text = "x" * 20_000
    assert device.exec(f"print(len({text!r}))") == "20000\n"


def test_an_error_has_the_traceback_and_what_was_printed_before(device: Device):
    with pytest.raises(DeviceError, match="ZeroDivisionError") as caught:
        device.exec("print('before')\n1 / 0")
    assert 'File "<stdin>", line 2' in caught.value.traceback
    assert caught.value.output == "before\r\n"
    assert device.eval("6 * 7") == 42


def test_an_error_of_syntax_is_one_too(device: Device):
    for ask in (lambda: device.exec("x ="), lambda: device.call("x =")):
        with pytest.raises(DeviceError, match="SyntaxError"):
            ask()
        assert device.eval("1") == 1


def test_a_command_that_ctrl_c_cut_short_does_not_answer_for_the_next(bare: VirtualBoard):
    log: list[str] = []

    def ctrl_c(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, ctrl_c)
    try:
        with Device(bare.port, log=log.append) as device:
            device.enter(soft_reset=True)
            device.exec("import time")
            for ask in (device.exec, device.printed_by):
                signal.setitimer(signal.ITIMER_REAL, 0.3)
                with pytest.raises(KeyboardInterrupt):
                    ask("print('left over')\ntime.sleep(0.6)\nprint('too late')")
                assert device.call("6 * 7") == 42
    finally:
        signal.signal(signal.SIGALRM, before)
    assert "".join(log) == ""


def test_values_and_output_are_told_from_what_others_print(bare: VirtualBoard):
    log: list[str] = []
    with Device(bare.port, log=log.append) as device:
        device.enter(soft_reset=True)
        device.exec("def noisy(value):\n    print('OK> noise')\n    return value")
        assert device.call("noisy([1, 'two'])") == [1, "two"]
        assert device.printed_by("print('mine')") == "mine\n"
        assert device.exec("print(3)") == "3\n"
    assert "".join(log) == "OK> noise\r\n"


def test_any_bytes_can_be_written_to_a_file(device: Device):
    content = bytes(range(256)) * 20
    device.write_file("/some.bin", content)
    assert device.eval("open('/some.bin', 'rb').read()") == content
    with pytest.raises(DeviceError, match="ENOENT"):
        device.write_file("/no/folder", b"")


def test_code_that_does_not_end_is_named_and_can_be_interrupted(device: Device):
    with pytest.raises(DeviceTimeout, match=r"waited 2 s for the end of the endless loop") as caught:
        device.exec("print('in')\nwhile True:\n    pass", timeout=2, what="the end of the endless loop")
    assert caught.value.output == "in\r\n"
    assert "KeyboardInterrupt" in device.interrupt()
    assert device.eval("1") == 1


def test_a_port_where_nobody_answers_is_given_up_in_time():
    ours, theirs = pty.openpty()
    try:
        with Device(os.ttyname(theirs)) as device, pytest.raises(DeviceTimeout, match="the raw REPL"):
            device.enter(timeout=0.5)
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_board_that_dies_is_noticed_with_its_reason():
    with (
        VirtualBoard(panel=False) as board,
        Device(board.port, lambda: board.exit_reason) as device,
        pytest.raises(DeviceGone, match="SIGSEGV"),
    ):
        device.exec("import uctypes\nuctypes.bytearray_at(8, 8)[0] = 1", timeout=20)
