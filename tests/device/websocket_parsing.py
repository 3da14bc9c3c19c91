"""What FrameParser makes of bytes, for tests/host/test_websocket_properties.py."""

import random
from binascii import unhexlify

from mpos.net.websocket import WebSocketException, WebSocketProtocolException
from mpos.net.websocket.frames import CLOSE, CONT, NOTHING, FrameParser, parse_close

MAX_SIZE = 300


def outcomes(streams, steps):
    """For each of the hex `streams`: the events, as [opcode, text or hex] each, up to [-1, code] for what is
    refused. AssertionError when it makes a difference how it is cut, into pieces of `steps` bytes."""
    found = []
    for stream in streams:
        data = unhexlify(stream)
        results = [outcome(data, step) for step in steps]
        for step, result in zip(steps, results):
            assert result == results[0], (stream, step, result, results[0])
        found.append(results[0])
    return found


def outcome(data, step, fragments=False):
    """The events in `data`, fed in pieces of `step` bytes (0: of any size)."""
    parser = FrameParser(MAX_SIZE, fragments=fragments)
    view = memoryview(data)
    events = []
    end = 0
    try:
        while end < len(data):
            start = end
            end = min(len(data), end + (step or random.getrandbits(4) + 1))
            while start < end:
                start = parser.feed(view, start, end)
                if parser.event == NOTHING:
                    continue
                if parser.event == CLOSE:
                    return events + [[CLOSE, list(parse_close(parser.data))]]
                events.append([parser.event, _shown(parser.data)])
                if parser.event == CONT:
                    events[-1].append(parser.fin)
    except WebSocketProtocolException as error:
        events.append([-1, error.code])
    return events


def _shown(data):
    return data if isinstance(data, str) else bytes(data).hex()


def fuzz(seed, count):
    """Feed `count` random streams, whole and in pieces; only what is documented may be raised, and how it is
    cut must make no difference. Returns how many were refused."""
    random.seed(seed)
    refused = 0
    for _ in range(count):
        data = _stream()
        for fragments in (False, True):
            try:
                whole = outcome(data, len(data) or 1, fragments)
                cut = outcome(data, 0, fragments)
            except WebSocketException as error:
                raise AssertionError("%s: %r" % (data.hex(), error))
            assert fragments or whole == cut, data.hex()
        refused += bool(whole) and whole[-1][0] == -1
    return refused


def _stream():
    """Frames that are mostly right, with some bytes changed, or just bytes."""
    out = bytearray()
    for _ in range(random.getrandbits(3)):
        opcode = random.choice((0, 0, 1, 1, 2, 8, 9, 10, random.getrandbits(4)))
        fin = 128 if random.getrandbits(2) or opcode > 7 else 0
        size = random.choice((0, 1, 2, 5, 20, 125, 126, 200))
        if opcode > 7:
            size = min(size, 125)
        payload = bytes([random.getrandbits(7) for _ in range(size)])
        out.append(fin | opcode)
        out += bytes([size]) if size < 126 else bytes([126, 0, size])
        out += payload
    for _ in range(random.choice((0, 0, 1, 2, 8))):
        if out:
            out[random.randrange(len(out))] = random.getrandbits(8)
    return bytes(out)
