"""The parser and writer of frames by themselves, and the two forms of what is done to each byte."""

import random

from websocket_parsing import fuzz

import mpos.net.websocket.portable as portable
from mpos import TaskManager
from mpos.net.websocket.frames import FrameWriter, mask, utf8

try:
    import mpos.net.websocket.native as native
except (ValueError, SyntaxError, ImportError):
    native = portable  # a target without machine code: the two are compared where there is some

TIMEOUT = 60

GOOD = (
    "",
    "abc",
    "\x7f",
    "\u0080",
    "\u07ff",
    "\u0800",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\U00010000",
    "\U0010ffff",
)
BAD = (
    b"\x80",
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xff",
    b"a\xc3b",
    b"\xe2\x82a",
)


def test_masking_is_the_same_in_machine_code_in_python_and_byte_by_byte():
    for start in (0, 4, 16):
        for count in (0, 1, 2, 3, 4, 5, 7, 8, 63, 64, 100):
            data = bytes([random.getrandbits(8) for _ in range(start + count + 5)])
            key = bytes([random.getrandbits(8) for _ in range(4)])
            right = bytearray(data)
            for at in range(count):
                right[start + at] ^= key[at & 3]
            for one in (native.mask, portable.mask, mask):
                masked = bytearray(data)
                one(masked, start, count, key)
                assert masked == right, (start, count)


def test_utf8_is_told_from_what_is_none_wherever_it_is_cut():
    for one in (native.utf8, portable.utf8, utf8):
        for text in GOOD:
            data = text.encode() + b"x"
            for cut in range(len(data) + 1):
                state = one(data, 0, cut, 0)
                assert state >= 0 and one(data, cut, len(data), state) == 0, (text, cut)
        for data in BAD:
            for cut in range(len(data) + 1):
                state = one(data, 0, cut, 0)
                assert state < 0 or one(data, cut, len(data), state) < 0, (data, cut)
        assert one(b"\xe2\x82", 0, 2, 0) > 0


def test_both_checks_of_utf8_agree_on_any_bytes():
    for _ in range(2000):
        data = bytes([random.choice((0x41, 0x80, 0xBF, 0xC3, 0xE2, 0xED, 0xF0, 0xF4)) for _ in range(6)])
        assert native.utf8(data, 0, 6, 0) == portable.utf8(data, 0, 6, 0), data


def test_a_frame_is_written_with_its_length_in_the_shortest_form_and_masked():
    out = bytearray()

    async def write(data):
        out.extend(data)

    writer = FrameWriter(write)
    for size, head in ((0, 2), (125, 2), (126, 4), (65535, 4), (65536, 10)):
        payload = bytes([at & 255 for at in range(size)])
        out[:] = b""
        TaskManager.run_until_complete(writer.send(2, payload))
        assert out[0] == 0x82 and out[1] & 128 and len(out) == head + 4 + size
        key = bytes(out[head : head + 4])
        body = bytearray(out[head + 4 :])
        portable.mask(body, 0, size, key)
        assert body == payload
    out[:] = b""
    TaskManager.run_until_complete(writer.send(1, b"x", False))
    assert out[0] == 0x01


def test_random_bytes_raise_only_what_is_documented_wherever_they_are_cut():
    assert 100 < fuzz(1, 2000) < 2000
