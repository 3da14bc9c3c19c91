"""The file of CA certificates that a board gets (/lib/ca_bundle.bin): Mozilla's, as certifi has them.

The format, little-endian, is read by mpos/net/tls.py: "MCA1", the number of certificates (16 bits); for each
the first 8 bytes of the SHA-256 of its subject, its offset in the file (32 bits) and its size (16 bits); then
the certificates in DER. So a board finds the one it needs by the issuer that a chain ends at, and loads no
other.
"""

from __future__ import annotations

import functools
import hashlib
import re
import struct
from base64 import b64decode

import certifi

PATH = "/lib/ca_bundle.bin"

_HEAD = struct.Struct("<4sH")
_ENTRY = struct.Struct("<8sIH")


@functools.lru_cache
def ca_bundle() -> bytes:
    """The file's content."""
    pem = certifi.contents()
    return bundle_of(
        [b64decode(block) for block in re.findall(r"-----BEGIN CERTIFICATE-----(.+?)-----END", pem, re.S)]
    )


def bundle_of(certificates: list[bytes]) -> bytes:
    """A file with those certificates (DER)."""
    offset = _HEAD.size + _ENTRY.size * len(certificates)
    table = b""
    for certificate in certificates:
        key = hashlib.sha256(subject(certificate)).digest()[:8]
        table += _ENTRY.pack(key, offset, len(certificate))
        offset += len(certificate)
    return _HEAD.pack(b"MCA1", len(certificates)) + table + b"".join(certificates)


def subject(certificate: bytes) -> bytes:
    """The subject of a certificate (RFC 5280, section 4.1) as the bytes of its Name."""
    _, start, _ = _element(certificate, 0)
    _, start, _ = _element(certificate, start)
    tag, _, end = _element(certificate, start)
    if tag == 0xA0:  # the version
        _, _, end = _element(certificate, end)
    for _ in range(3):  # the signature's algorithm, the issuer, the dates
        _, _, end = _element(certificate, end)
    return certificate[end : _element(certificate, end)[2]]


def _element(data: bytes, at: int) -> tuple[int, int, int]:
    """The DER element at `at`: its tag, where its content begins and where it ends."""
    size = data[at + 1]
    start = at + 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    return data[at], start, start + size
