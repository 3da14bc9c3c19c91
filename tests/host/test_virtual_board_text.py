"""What the supervisor does to the VM's output, piece by piece as it may come."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from mpos_host.virtual.awake_clock import AwakeClock
from mpos_host.virtual.board_text import RAW_MARK, BoardText
from mpos_host.virtual.output_log import OutputLog
from mpos_host.virtual.repl_output import RAW_GREETING, BootOutput, ReplMode
from mpos_host.virtual.serial_port import SerialPort


def in_pieces(data: bytes, chance: random.Random, feed: Callable[[bytes], bytes]) -> bytes:
    """Feed `data` cut at random places; returns all that came out."""
    out = b""
    while data:
        size = chance.randint(1, 9)
        out += feed(data[:size])
        data = data[size:]
    return out


def raw(data: bytes) -> bytes:
    return RAW_MARK + len(data).to_bytes(4, "little") + data


@pytest.mark.parametrize("seed", range(200))
def test_text_and_bytes_come_out_the_same_however_they_are_cut(seed: int) -> None:
    chance = random.Random(seed)
    written, expected = b"", b""
    for _ in range(10):
        if chance.random() < 0.4:
            data = bytes(chance.choice(b"\n\r\xff\xfe\x1bRAWx\0") for _ in range(chance.randint(0, 30)))
            written += raw(data)
            expected += data
        else:
            text = b"".join(
                chance.choice([b"a", b"\n", b"\r\n", b"\xff", b"\xff\xfe", b"~"]) for _ in range(9)
            )
            text += b"."  # so that no CR at an end meets the next LF
            written += text
            expected += text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    board_text = BoardText()
    assert in_pieces(written, chance, board_text.feed) + board_text.flush() == expected


def test_what_only_looks_like_a_mark_is_held_until_it_is_flushed() -> None:
    board_text = BoardText()
    assert board_text.feed(b"a\xff\xfe") == b"a"
    assert board_text.is_holding
    assert board_text.flush() == b"\xff\xfe"
    assert not board_text.is_holding


@pytest.mark.parametrize("seed", range(50))
def test_booting_into_the_raw_repl_drops_banner_and_prompt(seed: int) -> None:
    entered: list[int] = []
    output = BootOutput(b"<mark>", True, lambda: entered.append(1))
    data = b"<mar boot says <hello\r\n<mark>MicroPython\r\n>>> \r\n" + RAW_GREETING + b">OK"
    assert (
        in_pieces(data, random.Random(seed), output.feed)
        == b"<mar boot says <hello\r\n" + RAW_GREETING + b">OK"
    )
    assert output.is_over and entered == [1]


def test_booting_into_the_friendly_repl_drops_only_the_mark() -> None:
    output = BootOutput(b"<mark>", False, lambda: pytest.fail("not asked for"))
    assert output.feed(b"boot\r\n<mark>MicroPython\r\n>>> ") == b"boot\r\nMicroPython\r\n>>> "
    assert output.is_over


def test_the_mode_of_the_repl_follows_its_greeting_not_the_hosts_wish() -> None:
    mode = ReplMode()
    mode.from_host(b"\r\x03\r\x01")
    mode.from_board(b"program output >>> ")
    assert not mode.is_raw
    mode.from_board(b"raw REPL; CTRL-B")
    mode.from_board(b" to exit\r\n>")
    assert mode.is_raw
    mode.from_host(b"bytes of a file \x02 with a Ctrl-B")
    mode.from_board(b">>> in a text\r\n>>> ")
    assert mode.is_raw
    mode.from_host(b"\r\x02")
    mode.from_board(b'\r\nType "help()" for more information.\r\n>>> ')
    assert not mode.is_raw


def test_output_is_thrown_away_when_nobody_reads_but_not_when_nobody_could() -> None:
    clock = AwakeClock()
    port = SerialPort(clock)
    try:
        port.send(bytes(256 * 1024))
        assert port.is_full
        time.sleep(SerialPort.PATIENCE_S + 0.1)  # nobody looks at the clock: the host stands still
        clock.look()
        port.flush()
        assert port.is_full
        deadline = time.monotonic() + 30
        while port.is_full and time.monotonic() < deadline:
            time.sleep(AwakeClock.STEP_S / 2)
            clock.look()
            port.flush()
        assert not port.has_output
    finally:
        port.close()


def test_the_log_keeps_the_end_and_its_positions() -> None:
    log = OutputLog(1000)
    for number in range(1000):
        log.append(b"line %d\n" % number)
    assert log.text().endswith("line 999\n")
    assert len(log.text()) <= 2000
    since = log.end
    log.append(b"more\n")
    assert log.wait("more", 1, since) == "more"
    assert log.text(since) == "more\n"
    with pytest.raises(TimeoutError, match="'absent'"):
        log.wait("absent", 0.01, 0)
    log.set_down("it died")
    with pytest.raises(TimeoutError, match="it died"):
        log.wait("absent", 30, 0)
