"""Takes an address apart for the clients, and refuses what could not be sent or reached.

What is refused is a ValueError that says what to write instead: a wrong address must not turn into a wrong
request (a line end in it would be a second request), nor into a name lookup that cannot succeed. Messages
quote no path or query, which may hold a secret.
"""

_HOST_CHARACTERS = b"abcdefghijklmnopqrstuvwxyz0123456789-._"
_HTTP = ("http", "https")


class Url:
    """The parts of an address (RFC 3986): scheme, host (an IPv6 address without its brackets), port, target.

    `secure` says whether TLS is wanted, `netloc` is for the Host header.
    """

    def __init__(self, scheme, host, port, default_port, target):
        self.scheme = scheme
        self.host = host
        self.port = port
        self.target = target
        self.secure = scheme in ("https", "wss")
        shown = "[%s]" % host if ":" in host else host
        self.netloc = shown if port == default_port else "%s:%d" % (shown, port)

    def __str__(self):
        return "%s://%s%s" % (self.scheme, self.netloc, self.target)

    def redacted(self):
        """The address without its path and query, which may hold a secret."""
        return redact(str(self))

    def join(self, reference):
        """The Url that `reference`, a Location, means here (RFC 3986, section 5). Raises ValueError."""
        reference = _encoded(reference.partition("#")[0])
        if reference.startswith("//"):
            return parse(self.scheme + ":" + reference, (self.scheme,))
        colon = reference.find(":")
        if colon > 0 and "/" not in reference[:colon] and "?" not in reference[:colon]:
            return parse(reference)
        base = self.target.partition("?")[0]
        if reference.startswith("?"):
            target = base + reference
        elif not reference:
            target = self.target
        elif reference.startswith("/"):
            target = reference
        else:
            target = base[: base.rfind("/") + 1] + reference
        return parse("%s://%s%s" % (self.scheme, self.netloc, _without_dots(target)), (self.scheme,))


def redact(url):
    """`url` without what may be a secret in it, for messages: only scheme, host and port are kept."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "...REDACTED..."
    host, separator, _ = rest.replace("?", "/").replace("#", "/").partition("/")
    host = host.split("@")[-1]
    return scheme + "://" + host + ("/...REDACTED..." if separator else "")


def parse(url, schemes=_HTTP):
    """Parse an absolute address; the fragment (#...) is dropped, as it is never sent.

    `schemes`: those that are allowed, of http, https, ws, wss. Raises TypeError for anything but a str,
    ValueError for an address that a client cannot use.
    """
    if not isinstance(url, str):
        raise TypeError("the URL must be a str, not %s" % type(url).__name__)
    _check_characters(url)
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in schemes:
        raise ValueError(
            "a URL must begin with %s://, this one does with %r" % ("://, ".join(schemes), url[:10])
        )
    rest = rest.partition("#")[0]
    authority, separator, query = rest.partition("?")
    authority, _, path = authority.partition("/")
    target = "/" + path + separator + query
    default_port = 443 if scheme in ("https", "wss") else 80
    host, port = _host_and_port(authority, default_port, scheme)
    return Url(scheme, host, port, default_port, target)


def literal(host):
    """[address] for a host that is an address itself or localhost; None for a name to be looked up."""
    if host == "localhost":
        return ["127.0.0.1"]
    if ":" in host:
        return [host]
    parts = host.split(".")
    if len(parts) == 4:
        for part in parts:
            if not part.isdigit() or len(part) > 3 or int(part) > 255:
                return None
        return [host]
    return None


def _check_characters(url):
    position = 0
    for code in url.encode():  # bytes, as each character of a str would be a new object
        if code <= 32 or code >= 127 or code == 92:
            raise ValueError(
                "byte %d of the URL is 0x%02x: percent-encode it (a space is %%20)" % (position, code)
            )
        position += 1


def _encoded(reference):
    """Percent-encode what servers forget to encode in a Location: spaces and what is not ASCII."""
    parts = []
    for code in reference.strip().encode():
        parts.append("%%%02X" % code if code == 32 or code >= 127 else chr(code))
    return "".join(parts)


def _without_dots(target):
    path, separator, query = target.partition("?")
    parts = path.split("/")
    kept = []
    for part in parts[1:]:
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
    if parts[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept) + separator + query


def _host_and_port(authority, default_port, scheme):
    if "@" in authority:
        # Not quoted: it holds a password.
        raise ValueError("a name or password in the URL is not supported: use headers={'Authorization': ...}")
    if authority.startswith("["):
        host, separator, port = authority[1:].partition("]")
        if not separator or port and not port.startswith(":"):
            raise ValueError("%s: an IPv6 address is written [ADDRESS] or [ADDRESS]:PORT" % authority)
        port = port[1:]
        _check_host(host, b"0123456789abcdefABCDEF:.")
        host = host.lower()
    elif authority.count(":") > 1:
        raise ValueError("%s: an IPv6 address is written in brackets, like [::1]" % authority)
    else:
        host, _, port = authority.partition(":")
        host = host.lower()
        _check_host(host, _HOST_CHARACTERS)
    if not host:
        raise ValueError("the URL names no host: write %s://HOST/PATH" % scheme)
    if not port:  # "host:" is allowed by the RFC and means the default
        return host, default_port
    if not port.isdigit() or len(port) > 5 or not 1 <= int(port) <= 65535:
        raise ValueError("port %r of %s is not a number from 1 to 65535" % (port, host))
    return host, int(port)


def _check_host(host, characters):
    for code in host.encode():
        if code not in characters:
            raise ValueError("%r cannot be part of a host name (in %r)" % (chr(code), host))
