"""A DNS server for the tests in a process of its own, over UDP and TCP, that also misbehaves as a name says.

    python tests/peers/dns_server.py       prints its port, runs until killed

`count.NAME` is answered with 10.0.0.N, where N is how often it was asked for NAME.
"""

from __future__ import annotations

import contextlib
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence

import pytest
from dnslib import AAAA, CNAME, QTYPE, RCODE, RR, SOA, A, DNSQuestion, DNSRecord

START_SECONDS = 20.0

_asked: dict[str, int] = {}


def answer(request: DNSRecord, over_tcp: bool) -> Sequence[bytes | bytearray]:
    """What is sent back, datagram by datagram."""
    question = request.q
    name = str(question.qname).rstrip(".").lower()
    kind = QTYPE[question.qtype]
    first = name.split(".")[0]
    if first == "count":
        reply = request.reply()
        address = f"10.0.0.{_asked.get(name.partition('.')[2], 0)}"
        reply.add_answer(RR(question.qname, QTYPE.A, ttl=0, rdata=A(address)))
        return [reply.pack()]
    _asked[name] = _asked.get(name, 0) + 1
    reply = request.reply()
    good = RR(question.qname, QTYPE.A, ttl=60, rdata=A("127.0.0.1"))
    if first == "alias" and kind == "A":
        reply.add_answer(RR(question.qname, QTYPE.CNAME, ttl=60, rdata=CNAME("plain.test")))
        reply.add_answer(RR("plain.test", QTYPE.A, ttl=60, rdata=A("127.0.0.1")))
    elif first == "short-alias" and kind == "A":
        reply.add_answer(RR(question.qname, QTYPE.CNAME, ttl=60, rdata=CNAME("plain.test")))
    elif first == "circle":
        reply.add_answer(RR(question.qname, QTYPE.CNAME, ttl=60, rdata=CNAME(question.qname)))
    elif first == "six":
        if kind == "AAAA":
            reply.add_answer(RR(question.qname, QTYPE.AAAA, ttl=60, rdata=AAAA("::1")))
    elif first == "nobody":
        reply.header.rcode = RCODE.NXDOMAIN
        reply.add_auth(RR("test", QTYPE.SOA, ttl=60, rdata=SOA("a.test", "b.test", (1, 2, 3, 4, 60))))
    elif first == "failing":
        reply.header.rcode = RCODE.SERVFAIL
    elif first == "silent" or first == "once" and _asked[name] == 1:
        return []
    elif first == "long" and not over_tcp:
        reply.header.tc = 1
    elif first == "slow":
        time.sleep(0.3)
        reply.add_answer(good)
    elif first == "forged":  # wrong answers first: another id, another question, garbage
        reply.add_answer(RR(question.qname, QTYPE.A, ttl=60, rdata=A("6.6.6.6")))
        packed = bytearray(reply.pack())
        packed[0] ^= 1
        other = DNSRecord(reply.header, q=DNSQuestion("other.test"))
        other.add_answer(RR("other.test", QTYPE.A, ttl=60, rdata=A("6.6.6.6")))
        right = request.reply()
        right.add_answer(good)
        return [bytes(packed), other.pack(), b"garbage", b"", right.pack()]
    elif kind == "A":
        ttl = 0 if first == "brief" else 60
        reply.add_answer(RR(question.qname, QTYPE.A, ttl=ttl, rdata=A("127.0.0.1")))
    return [reply.pack()]


def _serve_udp(sock: socket.socket) -> None:
    while True:
        data, address = sock.recvfrom(4096)
        threading.Thread(target=_answer_udp, args=(sock, data, address), daemon=True).start()


def _answer_udp(sock: socket.socket, data: bytes, address: tuple[str, int]) -> None:
    for packed in answer(DNSRecord.parse(data), False):
        sock.sendto(packed, address)


def _serve_tcp(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as stream:
            size = int.from_bytes(stream.read(2), "big")
            for packed in answer(DNSRecord.parse(stream.read(size)), True):
                connection.sendall(len(packed).to_bytes(2, "big") + packed)


@contextlib.contextmanager
def running_dns_server() -> Iterator[int]:
    """Start it; yields its port."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        if not ready:
            raise TimeoutError(f"the DNS server for the tests did not start within {START_SECONDS:.0f} s")
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="session")
def dns_port() -> Iterator[int]:
    """The port of the server above, on 127.0.0.1."""
    with running_dns_server() as port:
        yield port


def main() -> None:
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        try:
            tcp = socket.create_server(("127.0.0.1", udp.getsockname()[1]))
            break
        except OSError:
            udp.close()
    threading.Thread(target=_serve_udp, args=(udp,), daemon=True).start()
    print(udp.getsockname()[1], flush=True)
    _serve_tcp(tcp)


if __name__ == "__main__":
    main()
