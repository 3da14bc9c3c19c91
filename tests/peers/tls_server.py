"""HTTPS servers in a process of their own, one for each case of a certificate, all of one CA.

    python tests/peers/tls_server.py       prints a JSON object (CASES of ports, the CA in PEM), runs until
    killed

Each answers any request with the case's name; /drop closes without TLS's own goodbye.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import select
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

START_SECONDS = 30.0
NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def _context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


def _issued(ca: trustme.CA, *names: str, **options: Any) -> ssl.SSLContext:
    context = _context()
    ca.issue_cert(*names, **options).configure_cert(context)
    return context


def _dates(ca: trustme.CA, begin: datetime.datetime, end: datetime.datetime) -> ssl.SSLContext:
    return _signed(ca, rsa.generate_private_key(65537, 2048), begin, end)


def _signed(
    ca: trustme.CA | None, key: rsa.RSAPrivateKey, begin: datetime.datetime, end: datetime.datetime
) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 of that CA, or one that signs itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    if ca is None:
        issuer, signer = name, key
    else:
        issuer = x509.load_pem_x509_certificate(ca.cert_pem.bytes()).subject
        signer = ca._private_key  # trustme itself sets no date in the past or to come
    import ipaddress

    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(signer, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    context = _context()
    context.set_ciphers("DEFAULT@SECLEVEL=0")  # or OpenSSL would not serve a weak key
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _missing_intermediate(ca: trustme.CA) -> ssl.SSLContext:
    context = _context()
    issued = ca.create_child_ca().issue_cert("127.0.0.1")
    with issued.private_key_pem.tempfile() as key, issued.cert_chain_pems[0].tempfile() as certificate:
        context.load_cert_chain(certificate, key)
    return context


def _old_protocol(ca: trustme.CA) -> ssl.SSLContext:
    context = _issued(ca, "127.0.0.1")
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.minimum_version = ssl.TLSVersion.TLSv1
    return context


CASES: dict[str, Callable[[trustme.CA], ssl.SSLContext]] = {
    "address": lambda ca: _issued(ca, "127.0.0.1"),
    "name": lambda ca: _issued(ca, "localhost"),
    "wildcard": lambda ca: _issued(ca, "*.test.example"),
    "intermediate": lambda ca: _issued(ca.create_child_ca(), "127.0.0.1"),
    "elliptic": lambda ca: _issued(ca, "127.0.0.1", key_type=trustme.KeyType.ECDSA),
    "expired": lambda ca: _dates(ca, NOW - 30 * DAY, NOW - DAY),
    "not_yet": lambda ca: _dates(ca, NOW + DAY, NOW + 30 * DAY),
    "wrong_host": lambda ca: _issued(ca, "other.example"),
    "wrong_address": lambda ca: _issued(ca, "127.0.0.2"),
    "self_signed": lambda ca: _signed(None, rsa.generate_private_key(65537, 2048), NOW - DAY, NOW + DAY),
    "unknown_ca": lambda ca: _issued(trustme.CA(organization_name="Nobody"), "127.0.0.1"),
    "missing_intermediate": _missing_intermediate,
    "weak_key": lambda ca: _signed(ca, rsa.generate_private_key(65537, 1024), NOW - DAY, NOW + DAY),
    "old_protocol": _old_protocol,
}


def _serve(listener: socket.socket, context: ssl.SSLContext, case: str) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer, args=(connection, context, case), daemon=True).start()


def _answer(connection: socket.socket, context: ssl.SSLContext, case: str) -> None:
    connection.settimeout(20)
    try:
        with context.wrap_socket(connection, server_side=True) as stream:
            while True:
                request = b""
                while b"\r\n\r\n" not in request:
                    received = stream.recv(4096)
                    if not received:
                        return
                    request += received
                path = request.split(b" ")[1].decode()
                body = case.encode()
                if path.startswith("/size/"):
                    body = b"x" * int(path[6:])
                if path == "/until_drop":  # without a length, and without a goodbye: it may be cut
                    stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + body)
                    return
                close = b"Connection: close\r\n" if path == "/drop" else b""
                stream.sendall(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (close, len(body)) + body)
                if path == "/drop":
                    return
    except OSError:
        pass  # the client refused us, which is what most cases are for


@contextlib.contextmanager
def running_servers() -> Iterator[dict[str, Any]]:
    """Start all of them; yields {"ca": PEM, "ports": {case: port}}."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        if not ready:
            raise TimeoutError(f"the TLS servers for the tests did not start within {START_SECONDS:.0f} s")
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="session")
def tls_servers() -> Iterator[dict[str, Any]]:
    """The servers above."""
    with running_servers() as servers:
        yield servers


def main() -> None:
    ca = trustme.CA()
    ports = {}
    for case, make in CASES.items():
        listener = socket.create_server(("127.0.0.1", 0))
        ports[case] = listener.getsockname()[1]
        threading.Thread(target=_serve, args=(listener, make(ca), case), daemon=True).start()
    print(json.dumps({"ca": ca.cert_pem.bytes().decode(), "ports": ports}), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
