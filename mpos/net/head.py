"""The heads of messages (RFC 9112, sections 3 to 5): builds a request's, reads a response's.

Both sides are bounded and checked: nothing that a caller passes can add a line to a request, and nothing
that a server sends can fill the heap. What is wrong is a ValueError.
"""

import errno

from .body import CHUNKED, UNTIL_CLOSE

_MAX_HEADERS = 100  # lines
_MAX_HEAD = 16384  # bytes of all of them together, as they stay in the heap
_MAX_INFORMATIONAL = 10  # 1xx answers before the real one
_MAX_DIGITS = 15  # of a Content-Length: far more than any device can hold
_TOKEN_MARKS = b"!#$%&'*+-.^_`|~"  # what names may hold besides letters and digits (RFC 9110, section 5.6.2)


def build_request(method, url, headers, body_length, codings="identity"):
    """The head of a request as bytes. `body_length` is None for a request that has no body, CHUNKED for one
    whose size is not known. `codings`: what the body of the answer may be compressed with.

    Raises ValueError or TypeError for what cannot be sent, and for a header that the client sets itself.
    """
    _check_token(method, "method")
    lines = ["%s %s HTTP/1.1" % (method, url.target)]
    names = set()
    if headers is not None and not isinstance(headers, dict):
        raise TypeError("headers must be a dict, not %s" % type(headers).__name__)
    for name, value in (headers or {}).items():
        _check_token(name, "header name")
        names.add(name.lower())
        lines.append("%s: %s" % (name, _checked_value(name, value)))
    for name in ("content-length", "transfer-encoding"):
        if name in names:
            raise ValueError("the header %s follows from the body: leave it out" % name)
    if body_length == CHUNKED:
        lines.append("Transfer-Encoding: chunked")
    elif body_length is not None:
        lines.append("Content-Length: %d" % body_length)
    for name, value in (
        ("Host", url.netloc),
        ("User-Agent", "mpos"),
        ("Accept-Encoding", codings),
    ):
        if name.lower() not in names:
            lines.append("%s: %s" % (name, value))
    lines.append("\r\n")
    return "\r\n".join(lines).encode()


async def read_response(connection):
    """Read up to the end of the head; returns (status, reason, headers by lower-case name, whether the server
    keeps the connection open)."""
    for _ in range(_MAX_INFORMATIONAL):
        line = await _line(connection)
        status, reason = _parse_status(line)
        headers = await _read_headers(connection)
        if status >= 200 or status == 101:  # 101 changes the protocol: no other answer follows it
            options = headers.get("connection", "").lower()
            keeps = "keep-alive" in options if line.startswith(b"HTTP/1.0") else "close" not in options
            return status, reason, headers, keeps
    raise ValueError("more than %d informational answers" % _MAX_INFORMATIONAL)


def body_length(method, status, headers):
    """How the body is framed (RFC 9112, section 6.3): bytes, CHUNKED or UNTIL_CLOSE."""
    if method == "HEAD" or status < 200 or status in (204, 304):
        return 0
    coding = headers.get("transfer-encoding", "identity").lower()
    if coding == "chunked":
        return CHUNKED
    if coding != "identity":
        raise ValueError("the transfer encoding %r is not supported" % coding)
    length = headers.get("content-length")
    if length is None:
        return UNTIL_CLOSE
    values = [value.strip() for value in length.split(",")]  # several if there were several lines
    for value in values:
        # The same length twice is allowed, two lengths are not.
        if value != values[0] or not value.isdigit() or len(value) > _MAX_DIGITS:
            raise ValueError("Content-Length %r" % length[:40])
    return int(values[0])


def _check_token(text, what):
    if not isinstance(text, str):
        raise TypeError("a %s must be a str, not %s" % (what, type(text).__name__))
    for code in text.encode():  # bytes, as each character of a str would be a new object
        if not (48 <= code <= 57 or 65 <= code <= 90 or 97 <= code <= 122 or code in _TOKEN_MARKS):
            raise ValueError("the %s %r holds what no %s may" % (what, text, what))
    if not text:
        raise ValueError("the %s is empty" % what)


def _checked_value(name, value):
    if not isinstance(value, (str, int, float)):
        raise TypeError("the header %s must be a str, not %s" % (name, type(value).__name__))
    text = str(value)
    for code in text.encode():
        if code == 127 or code < 32 and code != 9:
            raise ValueError("the header %s holds %r: a value is one line of text" % (name, chr(code)))
    return text


async def _line(connection):
    while True:
        line = connection.line()
        if line is not None:
            if b"\r" in line or b"\0" in line:  # what others take for the end of it (RFC 9110, section 5.5)
                raise ValueError("CR or NUL in the line %r" % line[:40])
            return line
        if connection.eof:
            raise OSError(
                errno.ECONNRESET,
                "%s: the server closed the connection before it had answered: try again" % connection.name,
            )
        await connection.more()


def _parse_status(line):
    parts = line.split(b" ", 2)
    code = parts[1] if len(parts) > 1 else b""
    if not line.startswith(b"HTTP/1.") or len(code) != 3 or not code.isdigit() or code < b"100":
        raise ValueError("it begins with %r" % line[:40])
    return int(code), _text(parts[2]) if len(parts) > 2 else ""


async def _read_headers(connection):
    headers = {}
    size = 0
    last = None
    for _ in range(_MAX_HEADERS + 1):
        line = await _line(connection)
        if not line:
            return headers
        size += len(line)
        if size > _MAX_HEAD:
            raise ValueError("a head of more than %d bytes" % _MAX_HEAD)
        if line[0] in b" \t" and last:  # an old way to continue the line before
            headers[last] += " " + _text(line.strip())
            continue
        name, separator, value = line.partition(b":")
        if not separator or not name or name[-1] in b" \t" or name[0] in b" \t":
            raise ValueError("header line %r" % line[:40])
        last = _text(name).lower()
        value = _text(value.strip())
        headers[last] = headers[last] + ", " + value if last in headers else value
    raise ValueError("more than %d header lines" % _MAX_HEADERS)


def _text(data):
    try:
        return data.decode()
    except UnicodeError:
        return "".join([chr(code) for code in data])  # Latin-1, as old servers send it
