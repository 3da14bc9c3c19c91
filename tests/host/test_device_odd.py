"""Boards that do not behave: they never stop printing, print half a character, or vanish in mid-command."""

from __future__ import annotations

import os
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from mpos_host import project
from mpos_host.board.device import Device, DeviceGone, DeviceTimeout
from mpos_host.board.ports import Port
from mpos_host.cli import flash
from mpos_host.project import UserError
from mpos_host.virtual.board import VirtualBoard
from peers.terminal import Terminal

GREETING = b"raw REPL; CTRL-B to exit\r\n>"


class Board(Terminal):
    """The board's end of a port."""

    def __init__(self, fd: int):
        super().__init__(fd=fd, patience=30)
        self.is_over = threading.Event()

    def send(self, data: bytes | str) -> None:
        if self.is_over.is_set():
            raise OSError("the test is over")
        super().send(data)


@contextmanager
def port_of(play: Callable[[Board], None]) -> Iterator[str]:
    """The name of a port whose board is `play`, in a thread."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    board = Board(ours)

    def run() -> None:
        with suppress(OSError, TimeoutError):  # the test is over, or has failed
            play(board)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield os.ttyname(theirs)
    finally:
        board.is_over.set()
        with suppress(termios.error):  # it has hung up
            termios.tcflush(theirs, termios.TCIOFLUSH)  # it may wait for room
        thread.join(30)
        os.close(theirs)
        with suppress(OSError):
            board.close()
        assert not thread.is_alive()


def flood(board: Board) -> None:
    """A board that reboots for ever, and never waits for anybody."""
    while True:
        board.send(b"rst:0x3 (RTC_SW_SYS_RST)\r\nguru meditation \xff\xfe\x00\r\n")


def test_a_board_that_never_stops_printing_is_given_up_in_time():
    with port_of(flood) as port, Device(port) as device:
        began = time.monotonic()
        with pytest.raises(DeviceTimeout, match="the raw REPL"):
            device.enter(timeout=0.5)
        with pytest.raises(DeviceTimeout, match="the raw REPL after a soft reset"):
            device.enter(soft_reset=True, timeout=0.5)
        assert time.monotonic() - began < 30


def test_a_command_that_never_stops_printing_is_given_up_and_can_be_interrupted():
    with VirtualBoard(panel=False) as board, Device(board.port, lambda: board.exit_reason) as device:
        began = time.monotonic()
        with pytest.raises(DeviceTimeout, match=r"waited 0\.5 s for the end of"):
            device.exec("while True:\n    print('x' * 50)", timeout=0.5)
        assert time.monotonic() - began < 30
        assert "KeyboardInterrupt" in device.interrupt()
        assert device.eval("1") == 1


def test_a_board_that_boots_for_ever_ends_flash_sh(monkeypatch: pytest.MonkeyPatch):
    def play(board: Board) -> None:
        board.until(b"\x01")
        board.send(GREETING)
        board.until(b"machine.reset()\n\x04")
        flood(board)

    monkeypatch.setattr(flash, "_BOOT_S", 2)
    with port_of(play) as port:
        began = time.monotonic()
        with pytest.raises(UserError, match=r"mpos did not start. The board printed:\n(.*\n)*guru"):
            flash.boot(project.load_board("virtual"), Port.known_as(port, ""))
        assert time.monotonic() - began < 30


def test_a_board_that_boots_slowly_is_not_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def play(board: Board) -> None:
        board.until(b"\x01")
        board.send(GREETING)
        board.until(b"machine.reset()\n\x04")
        board.until(b"\r\r\r")  # a Ctrl-C in between would end its main.py
        board.send(b"mpos: virtual is up, MicroPython 1.29\r\n>>> ")

    monkeypatch.setattr(flash, "_QUIET_S", 0.1)
    with port_of(play) as port:
        flash.boot(project.load_board("virtual"), Port.known_as(port, ""))
    assert capsys.readouterr().out.startswith("mpos: virtual is up")


def test_a_main_that_ends_without_mpos_is_told_from_one_that_is_slow():
    with VirtualBoard(panel=False) as board:
        with Device(board.port) as device:
            device.write_file("/main.py", b"import time\ntime.sleep(4)\nraise ValueError('no good')")
        with pytest.raises(
            UserError, match=r"(?s)mpos did not start. The board printed:.*ValueError: no good"
        ):
            flash.boot(project.load_board("virtual"), Port.known_as(board.port, ""))


def test_a_port_that_vanishes_in_the_middle_of_a_command_is_an_error_of_one_line():
    def play(board: Board) -> None:
        board.until(b"\x01")
        board.send(GREETING)
        board.until(b"\x05A\x01")
        board.send(b"R\x01\x80\x00")
        board.until(b"print")
        board.close()

    with port_of(play) as port, pytest.raises(DeviceGone, match="the board is gone"), Device(port) as device:
        device.exec("print(1)\n" * 10_000)


def test_a_character_whose_bytes_come_one_by_one_is_shown_whole():
    seen = threading.Semaphore(0)

    def play(board: Board) -> None:
        board.until(b"\n")  # opening the port drops what is in it
        for byte in "a\u00e9\u20ac\U0001f600z".encode():
            board.send(bytes([byte]))
            assert seen.acquire(timeout=30)

    with port_of(play) as port, Device(port) as device:
        device.send_line("go")
        shown = ""
        until = time.monotonic() + 30
        while not shown.endswith("z") and time.monotonic() < until:
            shown += device.follow(0.02)
            seen.release()
        assert shown == "a\u00e9\u20ac\U0001f600z"


def test_what_is_no_port_is_said():
    with pytest.raises(UserError, match="/dev/null is no serial port"):
        Device("/dev/null")
    with pytest.raises(UserError, match=f"{__file__} is no serial port"):
        Device(__file__)
