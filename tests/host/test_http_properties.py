"""The HTTP client on the board against an oracle on the host: whatever a server sends, cut anywhere.

Hypothesis makes the answers; a real server sends them. What the client must make of each is in `expected`,
written from RFC 9112 and from what docs/download-manager.md says is refused.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from examples import examples
from hypothesis import event, example, given
from hypothesis import strategies as st

from mpos_host.testing.session import BoardSession

ANSWERS = Path(__file__).parents[1] / "device" / "http_answers.py"
BUFFER_SIZES = (1, 2, 5, 4096)


class Malformed(Exception):
    """The client must say that this is no valid HTTP."""


class Early(Exception):
    """The client must say that the connection ended early."""


class Reader:
    """The answer, read from the start; a read past the end is Early."""

    def __init__(self, answer: bytes):
        self.rest = answer

    def line(self) -> bytes:
        line, ending, self.rest = self.rest.partition(b"\n")
        if not ending:
            raise Early
        return line.removesuffix(b"\r")

    def head_line(self) -> bytes:
        line = self.line()
        if b"\r" in line or b"\0" in line:
            raise Malformed
        return line

    def take(self, count: int) -> bytes:
        if count > len(self.rest):
            raise Early
        piece, self.rest = self.rest[:count], self.rest[count:]
        return piece


def expected(answer: bytes) -> tuple[int, bytes]:
    """Status and body of the final answer in `answer`. Raises Malformed or Early."""
    reader = Reader(answer)
    for _ in range(10):
        match = re.fullmatch(rb"HTTP/1\.[^ ]* ([1-9][0-9]{2})( .*)?", reader.head_line())
        if not match:
            raise Malformed
        status = int(match[1])
        headers = read_headers(reader)
        if status >= 200 or status == 101:
            return status, read_body(reader, status, headers)
    raise Malformed


def read_headers(reader: Reader) -> dict[bytes, list[bytes]]:
    headers: dict[bytes, list[bytes]] = {}
    last = b""
    while line := reader.head_line():
        if line[:1] in (b" ", b"\t") and last:
            headers[last][-1] += b" " + line.strip()
            continue
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip(b" \t"):
            raise Malformed
        last = name.lower()
        headers.setdefault(last, []).append(value.strip())
    return headers


def read_body(reader: Reader, status: int, headers: dict[bytes, list[bytes]]) -> bytes:
    if status in (101, 204, 304):
        return b""
    coding = b", ".join(headers.get(b"transfer-encoding", [b"identity"])).lower()
    if coding == b"chunked":
        return read_chunks(reader)
    if coding != b"identity":
        raise Malformed
    if b"content-length" not in headers:
        return reader.rest
    lengths = {value.strip() for value in b",".join(headers[b"content-length"]).split(b",")}
    if len(lengths) != 1 or not re.fullmatch(rb"[0-9]{1,15}", length := lengths.pop()):
        raise Malformed
    return reader.take(int(length))


def read_chunks(reader: Reader) -> bytes:
    body = b""
    while True:
        digits = reader.line().partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,12}", digits):
            raise Malformed
        size = int(digits, 16)
        if size == 0:
            break
        body += reader.take(size)
        if reader.line():
            raise Malformed
    for _ in range(101):
        if not reader.line():
            return body
    raise Malformed


# Answers: mostly right ones, of parts that each may be odd, then some bytes changed, then cut.

line_ends = st.sampled_from([b"\r\n"] * 6 + [b"\n", b"\r\r\n", b"\r"])
status_lines = st.sampled_from(
    [b"HTTP/1.1 200 OK"] * 8
    + [b"HTTP/1.0 200", b"HTTP/1.1 404 Not \xc3\xa9 Found", b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 "]
    + [b"HTTP/1.1 101 Switching", b"HTTP/1.1 999 x", b"HTTP/1.1  200 OK", b"HTTP/2 200 OK", b"HTTP/1.1 20"]
    + [b"HTTP/1.1 2000 OK", b"HTTP/1.1 -20 OK", b"HTTP/1.1 000 OK", b"http/1.1 200 OK", b""]
)
odd_headers = st.sampled_from(
    [b"X-One: 1", b"Content-Length: 5", b"content-length:5", b"Content-Length: 05", b"Content-Length: +5"]
    + [b"Content-Length: 5, 5", b"Content-Length: 5,6", b"Content-Length:", b"Content-Length: 5 5"]
    + [b"Content-Length : 5", b"Content-Length: -0", b"Content-Length: \xb2", b"Content-Length: 0x5"]
    + [b"Transfer-Encoding: chunked", b"transfer-encoding: Chunked", b"Transfer-Encoding: identity"]
    + [b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding:", b"Transfer-Encoding: chunked;q=1"]
    + [b" folded", b"\tfolded", b" ", b": no name", b"no colon", b"X-Latin: \xe9", b"X: \x00", b"X: a\rb"]
)
bodies = st.binary(max_size=40)
sizes = st.sampled_from(
    ["{:x}", "{:X}", "{:x}", "0{:x}", "{:x} ", "{:x};a=b", '{:x} ; a="b;c"'] * 3 + ["-{:x}", "0x{:x}"]
)
trailers = st.lists(st.sampled_from([b"X-Trailer: 1", b"no colon", b" folded"]), max_size=3)


@st.composite
def chunked_bodies(draw: st.DrawFn) -> bytes:
    end = draw(line_ends)
    out = b""
    for piece in draw(st.lists(st.binary(min_size=1, max_size=20), max_size=4)):
        out += draw(sizes).format(len(piece)).encode() + end + piece + end
    return out + b"".join(line + end for line in [b"0", *draw(trailers), b""])


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    body = draw(bodies)
    framing, body = draw(
        st.sampled_from(
            [
                (b"Content-Length: %d" % len(body), body),
                (b"X-Until: close", body),
                (b"Content-Length: %d" % (len(body) + 1), body),
            ]
        )
        | chunked_bodies().map(lambda chunks: (b"Transfer-Encoding: chunked", chunks))
    )
    headers = [framing, *draw(st.lists(odd_headers, max_size=2))]
    informational = draw(
        st.sampled_from([b""] * 4 + [b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" * n for n in (1, 9, 10)])
    )
    end = draw(line_ends)
    lines = [draw(status_lines), *draw(st.permutations(headers)), b""]
    answer = bytearray(informational + b"".join(line + end for line in lines) + body)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(answer)))
        some = st.sampled_from(list(b"\r\n :;,-09aFx\0\xff"))
        answer[at : at + draw(st.integers(0, 1))] = bytes(draw(st.lists(some, max_size=1)))
    return bytes(answer[: draw(st.just(len(answer)) | st.integers(0, len(answer)))])


def test_the_client_makes_of_any_answer_what_the_standard_says(
    board_session: BoardSession, server: str
) -> None:
    device = board_session.fresh().device
    board_session.send([ANSWERS])
    device.exec("import http_answers")

    @examples(150)
    @given(answers())
    @example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
    def agree(answer: bytes) -> None:
        try:
            status, body = expected(answer)
            right: tuple[object, ...] = ("body", status, body.hex())
        except Malformed:
            right = ("malformed",)
        except Early:
            right = ("early",)
        event(str(right[0]))
        url = f"{server}/raw?raw={quote(answer, safe='')}"
        found = device.eval(f"http_answers.outcomes({url!r}, {BUFFER_SIZES!r})", timeout=20)
        assert dict(zip(BUFFER_SIZES, found, strict=True)) == dict.fromkeys(BUFFER_SIZES, right), answer

    agree()
