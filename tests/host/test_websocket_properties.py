"""The board's frame parser against an oracle on the host, written from RFC 6455: any bytes, cut anywhere."""

from __future__ import annotations

import codecs
from pathlib import Path

from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from mpos_host.testing.session import BoardSession

PARSING = Path(__file__).parents[1] / "device" / "websocket_parsing.py"
MAX_SIZE = 300
STEPS = (10000, 1, 2, 3, 7, 50)
TEXT, BINARY, CLOSE, PONG = 1, 2, 8, 10
CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}


class Refused(Exception):
    """With the close code."""


def expected(data: bytes) -> list[list[object]]:
    events: list[list[object]] = []
    try:
        read(data, events)
    except Refused as error:
        events.append([-1, error.args[0]])
    return events


def read(data: bytes, events: list[list[object]]) -> None:
    message, kind, decoder = b"", 0, None
    while len(data) >= 2:
        first, second = data[:2]
        opcode, fin, size = first & 15, first >= 128, second & 127
        data_frame = opcode < CLOSE
        if first & 0x70 or second & 128 or opcode in range(3, 8) or opcode > PONG:
            raise Refused(1002)
        if not data_frame and (not fin or size > 125) or data_frame and (opcode == 0) != (kind != 0):
            raise Refused(1002)
        extra = {126: 2, 127: 8}.get(size, 0)
        if len(data) < 2 + extra:
            return
        if extra:
            size = int.from_bytes(data[2 : 2 + extra], "big")
        payload, complete = data[2 + extra : 2 + extra + size], len(data) >= 2 + extra + size
        data = data[2 + extra + size :]
        if not data_frame:
            if not complete:
                return
            if opcode == CLOSE:
                events.append([CLOSE, close_of(payload)])
                return
            events.append([opcode, payload.hex()])
            continue
        if len(message) + size > MAX_SIZE:
            raise Refused(1009)
        if opcode:
            kind, message, decoder = opcode, b"", codecs.getincrementaldecoder("utf-8")()
        assert decoder is not None
        message += payload
        if kind == TEXT:
            try:
                decoder.decode(payload, final=fin and complete)
            except UnicodeDecodeError:
                raise Refused(1007) from None
        if not complete:
            return
        if fin:
            events.append([kind, message.decode() if kind == TEXT else message.hex()])
            kind = 0


def close_of(payload: bytes) -> list[object]:
    if not payload:
        return [1005, ""]
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or code not in CODES:
        raise Refused(1002)
    try:
        return [code, payload[2:].decode()]
    except UnicodeDecodeError:
        raise Refused(1007) from None


payloads = st.one_of(
    st.binary(max_size=30),
    st.text(max_size=20).map(str.encode),
    st.integers(0, 320).map(lambda size: b"x" * size),
    st.sampled_from([1000, 1005, 1015, 2999, 3000, 4999, 5000]).map(lambda code: code.to_bytes(2, "big")),
)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    payload = draw(payloads)
    opcode = draw(st.sampled_from([0, 0, TEXT, TEXT, BINARY, CLOSE, 9, PONG, 3, 11]))
    fin = draw(st.sampled_from([128, 128, 0]))
    size = len(payload)
    head = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
    if draw(st.integers(0, 15)) == 0:
        head = b"\x7f" + draw(st.sampled_from([size, 1 << 40, 1 << 63])).to_bytes(8, "big")
    return bytes([fin | opcode | draw(st.sampled_from([0] * 15 + [0x40]))]) + head + payload


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    data = bytearray(b"".join(draw(st.lists(frames(), max_size=6))))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(data)))
        data[at : at + 1] = draw(st.binary(max_size=2))
    return bytes(data[: draw(st.just(len(data)) | st.integers(0, len(data)))])


def test_the_parser_makes_of_any_bytes_what_the_standard_says(board_session: BoardSession) -> None:
    device = board_session.fresh().device
    board_session.send([PARSING])
    device.exec("import websocket_parsing")

    @examples(60)
    @given(st.lists(streams(), min_size=1, max_size=20))
    def agree(batch: list[bytes]) -> None:
        texts = [data.hex() for data in batch]
        found = device.eval(f"websocket_parsing.outcomes({texts!r}, {STEPS!r})", timeout=30)
        for data, outcome in zip(batch, found, strict=True):
            assert outcome == expected(data), data.hex()

    agree()
