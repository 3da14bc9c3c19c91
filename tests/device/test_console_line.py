"""The console's line editor, and how it runs a function under Ctrl-C."""

import io

import micropython

from mpos.console import UNFINISHED, run_interruptible
from mpos.console.line import Line

UP, DOWN, RIGHT, LEFT = b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D"
HOME, END, DELETE = b"\x1bOH", b"\x1b[F", b"\x1b[3~"
BACKSPACE = b"\x08"


class Screen(io.BytesIO):
    """A terminal's line: what is shown after the escape sequences that Line uses."""

    def shown(self):
        cells = []
        cursor = 0
        text = self.getvalue().decode()
        while text:
            if text.startswith("\x1b["):
                end = 2
                while text[end].isdigit():
                    end += 1
                count = int(text[2:end] or 1)
                if text[end] == "K":
                    del cells[cursor:]
                else:
                    cursor += count if text[end] == "C" else -count
                assert 0 <= cursor <= len(cells)
                text = text[end + 1 :]
                continue
            cells[cursor : cursor + 1] = [text[0]]
            cursor += 1
            text = text[1:]
        return "".join(cells), cursor


def type_keys(keys, history=()):
    screen = Screen()
    line = Line(screen.write)
    for old in history:
        line.text = bytearray(old)
        line.take()
    for byte in keys:
        assert not line.feed(byte)
    return line, screen


def check(keys, text, history=()):
    line, screen = type_keys(keys, history)
    shown, cursor = screen.shown()
    assert bytes(line.text).decode() == text, bytes(line.text)
    assert shown == text, shown
    assert cursor == len(bytes(line.text[: line._cursor]).decode())


def test_the_screen_shows_the_line():
    check(b"abc", "abc")
    check(b"abc" + LEFT + b"x", "abxc")
    check(b"abc" + LEFT * 5 + b"x" + RIGHT * 9 + b"y", "xabcy")
    check(b"abc" + BACKSPACE * 2 + b"d", "ad")
    check(BACKSPACE + DELETE + LEFT + RIGHT + b"a", "a")
    check(b"abc" + HOME + DELETE + END + b"d", "bcd")
    check(b"abc" + LEFT + b"\x0b", "ab")
    check(b"abc" + LEFT + b"\x15", "c")
    check(b"\tx", "    x")


def test_a_character_of_several_bytes_is_one():
    euro = "\u20ac".encode()
    check(b"a" + euro + b"b" + LEFT * 2 + b"c", "ac\u20acb")
    check(b"a" + euro + BACKSPACE + b"b", "ab")
    check(euro + euro + HOME + DELETE, "\u20ac")
    check(euro + LEFT + RIGHT + b"x", "\u20acx")


def test_history_is_walked_with_the_arrow_keys():
    old = (b"one", b"two", b"two", b"  ", b"three")
    check(UP, "three", old)
    check(UP * 2, "two", old)
    check(UP * 9, "one", old)
    check(UP * 2 + DOWN, "three", old)
    check(b"new" + UP + DOWN, "", old)
    check(UP + b"!" + UP + UP + DOWN + b"?", "two?", old)


def test_unknown_keys_leave_the_line_alone():
    check(b"a\x1b[15~b\x1b[1;5Cc\x1bxd\x1bOPe\x00\x1f", "abcde")


def test_line_ends_of_all_kinds_end_one_line():
    line, _ = type_keys(b"a")
    assert line.feed(13)
    assert line.take() == b"a"
    assert not line.feed(10)
    assert line.feed(10)
    assert line.feed(13)


def test_a_function_gives_its_value_or_its_error():
    def fail(error):
        raise error

    try:
        assert run_interruptible(len, "abc") == (3, None)
        for error in (ValueError("x"), KeyboardInterrupt(), SystemExit(1), StopIteration(2), GeneratorExit()):
            assert run_interruptible(fail, error) == (UNFINISHED, error)
    finally:
        micropython.kbd_intr(3)
