"""TLS for connections: verified against a file of CA certificates, host name and dates included.

mbedTLS does the checking (chain, host name or IP address, dates, key strength); what is here chooses what it
trusts. The CA file has more certificates than a board's memory should hold, so they are loaded one by one: a
first handshake that ends at an unknown issuer tells which one is missing. If the file has it, it is loaded
and the connection made once more; later ones know it already.

    import mpos.net.tls as tls
    tls.add_ca(open("/company.der", "rb").read())
"""

import errno
import hashlib
import struct
import time
from binascii import a2b_base64

from micropython import const

CA_FILE = "/lib/ca_bundle.bin"  # made by the host's ca_bundle.py, which says what is in it

_MAX_LOADED = const(8)  # certificates of the file in memory at a time, some 2 KB each
_KEY_SIZE = const(8)
_ENTRY_SIZE = const(14)
_FIRST_YEAR = const(2025)  # a clock that shows less has not been set
_CONN_EOF = const(-0x7280)  # mbedTLS's codes
_CA_CHAIN_REQUIRED = const(-0x7680)  # it trusts nobody yet
_FATAL_ALERT = const(-0x7780)
_COMMON_NAME = b"\x06\x03\x55\x04\x03"

_own = {}  # certificates that were added, by the key of their subject
_context = None  # for verified connections
_loaded = set()  # the keys of what it has been given of the file
_unverified = None
_issuers = []  # of the chain that was verified last, from the server's own certificate on: (key, name)


class TLSError(OSError):
    """The connection cannot be trusted, or the two sides did not agree on how to encrypt it."""


def add_ca(certificate):
    """Trust `certificate` (bytes: DER, or PEM with one or more) as a CA, besides those of the file.

    Raises ValueError if it is none.
    """
    global _context
    blocks = [certificate]
    if b"-----BEGIN" in certificate:
        blocks = [
            a2b_base64(block.partition(b"-----END")[0])
            for block in certificate.split(b"-----BEGIN CERTIFICATE-----")[1:]
        ]
    for block in blocks:
        subject = _names(block)[1]
        _own[_key(subject)] = bytes(block)
    _context = None


def check_clock():
    """Raises TLSError when the clock has not been set: no certificate's dates can be checked then."""
    year = time.gmtime()[0]
    if year < _FIRST_YEAR:
        raise TLSError(
            errno.EINVAL,
            "the clock is not set (it says %d), so certificates cannot be checked: set it first, "
            "with ntptime.settime() or machine.RTC().datetime(...)" % year,
        )


def wrap(sock, host, verify):
    """A stream over `sock`, which is connected and does not block; the handshake comes with its first use.

    `host`: the name or address the certificate must be for. `verify` False: it is not checked at all.
    """
    try:
        context = _verifying() if verify else _not_verifying()
        return context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    except ImportError:
        raise TLSError(errno.EINVAL, "this firmware has no TLS: use an address without it")
    except MemoryError:
        raise MemoryError("too little memory for a TLS connection, which takes about 40 KB: close something")


def begin_step():
    """Called before each step of a handshake: from now on the chain is noted that it verifies."""
    _issuers.clear()


def has_verified():
    """Whether the certificate has been checked in this step, and accepted if the step raised nothing."""
    return len(_issuers) > 0


def load_issuer():
    """After a chain was refused: load the CA that it ends at from the file. False if it has none, or the CA
    was there already."""
    for key, _ in _issuers:
        if key in _own or key in _loaded:
            continue
        found = _find(key)
        if found:
            _forget_if_full()
            context = _verifying()
            for certificate in found:
                context.load_verify_locations(certificate)
            _loaded.add(key)
            return True
    return False


def failure(error, host):
    """What to raise in the place of `error`, an OSError or ValueError of the handshake with `host`."""
    if isinstance(error, ValueError):
        return TLSError(errno.EACCES, _refusal(str(error).strip().replace("\n", "; "), host))
    code = error.errno
    if code == _CA_CHAIN_REQUIRED:
        return TLSError(errno.EACCES, _refusal("it is not signed by a trusted CA", host))
    if code == errno.ENOMEM:
        return MemoryError("too little memory for a TLS connection, which takes about 40 KB: close something")
    if code == _CONN_EOF:
        return OSError(
            errno.ECONNRESET, "the server closed the connection in the TLS handshake: does it speak TLS 1.2?"
        )
    what = error.args[1] if len(error.args) > 1 else "mbedTLS error -0x%04x" % -code
    if code == _FATAL_ALERT:
        what += " (the server refused it)"
    return TLSError(errno.EINVAL, "the TLS connection failed: %s. Does the server speak TLS 1.2?" % what)


def _refusal(reason, host):
    lower = reason.lower()
    if "trusted ca" in lower:
        name = _issuers[-1][1] if _issuers else "?"
        remedy = "no CA here vouches for its issuer %s; if it is yours, add_ca() its certificate" % name
        if not _file_is_there():
            remedy = "there is no CA file %s: deploy mpos again" % CA_FILE
    elif "expected cn" in lower:
        remedy = "it is not for %s: is the address right?" % host
    elif "future" in lower or "expired" in lower:
        remedy = "is this board's clock right? It says %04d-%02d-%02d %02d:%02d" % time.gmtime()[:5]
    else:
        remedy = "the server must be put right"
    return "the server's certificate is refused (%s): %s" % (reason.rstrip("."), remedy)


def _verifying():
    global _context
    if _context is None:
        from tls import CERT_REQUIRED

        context = _new_context(CERT_REQUIRED, _on_certificate)
        _loaded.clear()
        for key in _own:
            context.load_verify_locations(_own[key])
        _context = context
    return _context


def _not_verifying():
    global _unverified
    if _unverified is None:
        from tls import CERT_NONE

        _unverified = _new_context(CERT_NONE, None)
    return _unverified


def _new_context(mode, callback):
    from tls import PROTOCOL_TLS_CLIENT, SSLContext

    context = SSLContext(PROTOCOL_TLS_CLIENT)
    setattr(context, "verify_mode", mode)  # noqa: B010 - the stubs lack these two
    setattr(context, "verify_callback", callback)  # noqa: B010
    return context


def _forget_if_full():
    global _context
    if len(_loaded) >= _MAX_LOADED:
        _context = None  # connections that are open keep the old one


def _on_certificate(certificate, _depth):
    """mbedTLS calls this for each certificate of a chain, the server's own last, whatever it thinks of it."""
    try:
        issuer = _names(certificate)[0]
        _issuers.insert(0, (_key(issuer), _common_name(issuer)))
    except Exception:
        # It would jump through mbedTLS. An issuer that is not noted is at worst not found.
        _issuers.insert(0, (b"", "?"))
    return 0  # nothing to object


def _find(key):
    """The certificates in the file whose subject has that key; there may be several of one name."""
    found = []
    try:
        with open(CA_FILE, "rb") as file:
            count = struct.unpack("<4sH", file.read(6))[1]
            table = file.read(count * _ENTRY_SIZE)
            for at in range(0, len(table), _ENTRY_SIZE):
                if table[at : at + _KEY_SIZE] == key:
                    offset, size = struct.unpack_from("<IH", table, at + _KEY_SIZE)
                    file.seek(offset)
                    found.append(file.read(size))
    except OSError:
        pass  # it is not there: the failure says so
    return found


def _file_is_there():
    try:
        open(CA_FILE, "rb").close()
        return True
    except OSError:
        return False


def _key(name):
    return hashlib.sha256(name).digest()[:_KEY_SIZE]


def _common_name(name):
    """The CN in a Name, for messages."""
    at = bytes(name).rfind(_COMMON_NAME)
    if at < 0:
        return "(without a name)"
    size = name[at + 6]
    return repr(str(bytes(name[at + 7 : at + 7 + size]), "utf-8"))


def _names(certificate):
    """Issuer and subject of a certificate (RFC 5280, section 4.1), each as the bytes of its Name."""
    try:
        _, start, _ = _element(certificate, 0)
        _, start, _ = _element(certificate, start)
        tag, _, end = _element(certificate, start)
        if tag == 0xA0:  # the version
            _, _, end = _element(certificate, end)
        _, _, end = _element(certificate, end)  # the signature's algorithm, after the serial number
        issuer, start = end, _element(certificate, end)[2]
        subject = _element(certificate, start)[2]
        return (
            bytes(certificate[issuer:start]),
            bytes(certificate[subject : _element(certificate, subject)[2]]),
        )
    except IndexError:
        raise ValueError("this is no certificate (DER or PEM)")


def _element(data, at):
    """The DER element at `at`: its tag, where its content begins and where it ends."""
    size = data[at + 1]
    start = at + 2
    if size & 0x80:
        length = size & 0x7F
        size = 0
        for _ in range(length):
            size = size << 8 | data[start]
            start += 1
    if start + size > len(data):
        raise IndexError
    return data[at], start, start + size
