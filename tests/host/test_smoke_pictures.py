"""Pictures of smoke tests: reading PNGs, comparing, storing; and the messages in what a board prints."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpos_host.board.png import rgb_to_png
from mpos_host.testing.smoke.messages import MessageReader
from mpos_host.testing.smoke.pictures import PictureStore
from mpos_host.testing.smoke.pixels import Picture, compare, read_png, write_png


def png(
    width: int, height: int, color: int, rows: list[bytes], palette: bytes = b"", depth: int = 8
) -> bytes:
    """A PNG of rows that are filtered already, as another program would write it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    compressed = zlib.compress(b"".join(rows))
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)),
            chunk(b"tEXt", b"Software\0another"),
            chunk(b"PLTE", palette) if palette else b"",
            chunk(b"IDAT", compressed[:5]),
            chunk(b"IDAT", compressed[5:]),
            chunk(b"IEND", b""),
        ]
    )


def filtered(kind: int, row: bytes, above: bytes, step: int) -> bytes:
    """A row as filter `kind` of the PNG specification (section 9) encodes it, written down independently."""
    left = bytes(step) + row[:-step]
    corner = bytes(step) + above[:-step]

    def paeth(a: int, b: int, c: int) -> int:
        p = a + b - c
        pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
        if pa <= pb and pa <= pc:
            return a
        return b if pb <= pc else c

    predict = [
        lambda a, b, c: 0,
        lambda a, b, c: a,
        lambda a, b, c: b,
        lambda a, b, c: (a + b) >> 1,
        paeth,
    ][kind]
    around = zip(row, left, above, corner, strict=True)
    return bytes([kind, *((x - predict(a, b, c)) & 255 for x, a, b, c in around)])


@settings(max_examples=60)
@given(
    st.data(),
    st.integers(1, 7),
    st.lists(st.integers(0, 4), min_size=1, max_size=6),
    st.sampled_from([(2, 3), (6, 4)]),
)
def test_every_filter_of_png_is_read(data, width, filters, kind):
    color, step = kind
    rows = [data.draw(st.binary(min_size=width * step, max_size=width * step), label="row") for _ in filters]
    above = [bytes(width * step), *rows]
    encoded = [filtered(one, row, up, step) for one, row, up in zip(filters, rows, above, strict=False)]
    picture = read_png(png(width, len(rows), color, encoded))
    assert (picture.width, picture.height) == (width, len(rows))
    pixels = b"".join(rows)
    expected = b"".join(pixels[at : at + 3] for at in range(0, len(pixels), step))
    assert picture.rgb == expected


def test_a_picture_with_a_palette_is_read():
    picture = read_png(png(2, 1, 3, [b"\0\1\0"], palette=b"\x01\x02\x03\x0a\x0b\x0c"))
    assert picture == Picture(2, 1, b"\x0a\x0b\x0c\x01\x02\x03")


@given(st.integers(1, 9), st.integers(1, 9), st.data())
def test_what_is_written_is_read_back(width, height, data):
    picture = Picture(
        width, height, data.draw(st.binary(min_size=width * height * 3, max_size=width * height * 3))
    )
    assert read_png(write_png(picture)) == picture


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        rgb_to_png(2, 2, bytes(12))[:40],
        png(2, 2, 2, [b"\0" + bytes(6)]),
        png(1, 1, 2, [b"\7" + bytes(3)]),
        png(1, 1, 0, [b"\0\0"]),
        png(1, 1, 2, [b"\0" + bytes(6)], depth=16),
        png(1, 1, 3, [b"\0\5"], palette=b"\1\2\3"),
    ],
)
def test_a_file_that_is_no_such_png_is_a_clear_error(broken):
    with pytest.raises(ValueError, match="PNG"):
        read_png(broken)


def test_only_what_differs_by_more_than_the_tolerance_counts_and_is_marked():
    stored = Picture(3, 1, bytes([10, 10, 10, 20, 20, 20, 30, 30, 30]))
    taken = Picture(3, 1, bytes([10, 19, 10, 20, 20, 30, 30, 30, 30]))
    found = compare(taken, stored, 9)
    assert (found.pixels, found.largest) == (1, 10)
    marks = [found.marked.rgb[at : at + 3] for at in (0, 3, 6)]
    assert marks[1] == b"\xd0\x00\x20" and b"\xd0\x00\x20" not in (marks[0], marks[2])


def solid(width: int, height: int, dots: int = 0) -> bytes:
    """A gray picture with some white pixels."""
    return rgb_to_png(width, height, b"\xff" * (3 * dots) + b"\x40" * (3 * (width * height - dots)))


def test_pictures_are_stored_when_asked_and_compared_otherwise(tmp_path: Path):
    first = PictureStore(tmp_path, "some_board", update=True).check("one", solid(320, 240))
    assert first.good and (tmp_path / "320x240" / "one.png").is_file()
    store = PictureStore(tmp_path, "some_board")
    assert store.check("one", solid(320, 240)).verdict == "the same as the stored one"
    few = store.check("one", solid(320, 240, dots=7))
    assert few.good and "within the tolerance" in few.verdict
    many = store.check("one", solid(320, 240, dots=8))
    assert not many.good and many.stored is not None and many.difference is not None
    assert "8 pixels (0.010%)" in many.verdict


def test_a_picture_that_is_not_stored_yet_fails_where_others_are(tmp_path: Path):
    store = PictureStore(tmp_path, "some_board")
    assert store.check("one", solid(4, 4)).good  # nobody has looked at this size yet
    PictureStore(tmp_path, "some_board", update=True).check("one", solid(4, 4))
    missing = store.check("two", solid(4, 4))
    assert not missing.good and "--update-images" in missing.verdict


def test_a_board_with_a_folder_of_its_own_is_compared_with_that(tmp_path: Path):
    PictureStore(tmp_path, "other", update=True).check("one", solid(4, 4))
    (tmp_path / "own").mkdir()
    PictureStore(tmp_path, "own", update=True).check("one", solid(4, 4, dots=5))
    assert (tmp_path / "own" / "one.png").is_file()
    assert PictureStore(tmp_path, "own").check("one", solid(4, 4, dots=5)).good
    assert PictureStore(tmp_path, "other").check("one", solid(4, 4)).good
    other_size = PictureStore(tmp_path, "own").check("one", solid(5, 4))
    assert not other_size.good and "5x4" in other_size.verdict


@pytest.mark.parametrize("name", ["", "../up", "Capital", "with space", "a/b", ".hidden"])
def test_a_name_that_is_no_files_is_refused(tmp_path: Path, name: str):
    with pytest.raises(ValueError, match="cannot be a picture's name"):
        PictureStore(tmp_path, "board").check(name, solid(1, 1))


@given(st.lists(st.integers(0, 200), max_size=6))
def test_messages_are_found_wherever_the_output_is_cut(cuts):
    output = (
        'one\r\n\x1e{"figure": 1}\n\x1ftwo\n\x1e{"picture": "p"}\n2 1\nAAAA\n\x1f'
        '\x1enot ours\x1fthree\x1e{"open'
    )
    messages: list[tuple[dict, str]] = []
    reader = MessageReader(lambda message, body: messages.append((message, body)))
    places = [0, *sorted(min(cut, len(output)) for cut in cuts), len(output)]
    for start, end in zip(places, places[1:], strict=False):
        reader.feed(output[start:end])
    assert messages == [({"figure": 1}, ""), ({"picture": "p"}, "2 1\nAAAA\n")]
    assert reader.output == 'one\ntwo\nnot oursthree{"open'
