"""What `mpos run` shows while other tools use the console."""

import pytest

from mpos_host.cli.app_log import AppLog

PASTED = "R\x01\x80\x00\x01\x04the answer\r\nof a command\r\n\x04\x04>"
FRAMED = "OK\x02\x03between\r\n\x02[1,\r\n2]\x03\x04Traceback:\r\nZeroDivisionError\r\n\x04>"
ENTER = "raw REPL; CTRL-B to exit\r\n>"
LEAVE = '\r\nMicroPython v1.29; linux\r\nType "help()" for more information.\r\n>>> '


def lines_of(text: str) -> list[str]:
    return text.splitlines(keepends=True)


@pytest.mark.parametrize("pieces", [lines_of, lambda text: [text]])
def test_only_the_app_is_shown(pieces):
    sent = "first\r\n" + ENTER + PASTED + "second\r\n" + FRAMED + PASTED + LEAVE + "third\r\n"
    log = AppLog()
    shown = "".join(log.feed(piece) for piece in pieces(sent))
    assert shown == "first\nsecond\nbetween\nthird\n"


def test_a_session_that_was_cut_short_does_not_hide_what_follows():
    log = AppLog()
    assert log.feed("R\x01\x80\x00\x01\x04half an ans") == ""
    log.feed("wer\r\n\x04\x04>" + ENTER)
    assert log.feed("app\r\n") == "app\n"


def test_text_of_the_app_is_left_as_it_is():
    assert AppLog().feed("a > b\r\n\r\nOK: R 1\r\n") == "a > b\n\nOK: R 1\n"
