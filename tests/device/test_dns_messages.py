"""DNS answers that somebody makes up: read() raises ValueError, or gives an Answer, and always ends."""

import random
import struct

from mpos.net import dns

COUNT = 3000
TIMEOUT = 60

NAME = "host.example"


def good(kind):
    packed = dns._packed(NAME)
    message = struct.pack(">HHHHHH", 7, 0x8180, 1, 2, 1, 0) + packed + struct.pack(">HH", kind, 1)
    message += b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 60, 4) + b"\x01a\xc0\x11"
    size = 4 if kind == dns.TYPE_A else 16
    message += b"\x01a\xc0\x11" + struct.pack(">HHIH", kind, 1, 60, size) + bytes(range(size))
    soa = b"\x00\x00" + struct.pack(">IIIII", 1, 2, 3, 4, 5)
    return message + b"\x00" + struct.pack(">HHIH", 6, 1, 60, len(soa)) + soa


def test_a_good_answer_is_read():
    for kind, size in ((dns.TYPE_A, 4), (dns.TYPE_AAAA, 16)):
        answer = dns.read(good(kind), 7, NAME, kind)
        assert answer.addresses == [bytes(range(size))] and answer.ttl == 60 and answer.alias is None


def test_an_answer_to_something_else_is_refused():
    message = good(dns.TYPE_A)
    for identity, name, kind in ((8, NAME, 1), (7, "other.example", 1), (7, NAME, 28)):
        try:
            dns.read(message, identity, name, kind)
        except ValueError:
            continue
        raise AssertionError((identity, name, kind))


def test_an_answer_cut_anywhere_gives_no_address_that_is_not_whole():
    message = good(dns.TYPE_A)
    for end in range(len(message)):
        try:
            answer = dns.read(message[:end], 7, NAME, dns.TYPE_A)
        except ValueError:
            continue
        raise AssertionError((end, answer.addresses))


def test_names_that_cannot_be_are_refused():
    for name in ("", ".", "a..b", "x" * 64, ".".join(["x" * 60] * 5)):
        try:
            dns.query(1, name, dns.TYPE_A)
        except ValueError:
            continue
        raise AssertionError(name)


def test_whatever_comes_is_an_answer_or_a_value_error():
    random.seed(1)
    for number in range(COUNT):
        message = bytearray(good(dns.TYPE_A if number & 1 else dns.TYPE_AAAA))
        for _ in range(random.randint(1, 6)):
            message[random.randint(2 if number & 2 else 30, len(message) - 1)] = random.getrandbits(8)
        if number % 5 == 0:
            message = message[: random.randint(0, len(message))]
        try:
            dns.read(message, 7, NAME, dns.TYPE_A if number & 1 else dns.TYPE_AAAA)
        except ValueError:
            pass
