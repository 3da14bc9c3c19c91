"""Takes an http:// address apart for the client, and refuses what it could not send or reach.

What is refused is a ValueError that says what to write instead: a wrong address must not turn into a wrong
request (a line end in it would be a second request), nor into a name lookup that cannot succeed. Messages
quote no path or query, which may hold a secret.
"""

_HOST_CHARACTERS = b"abcdefghijklmnopqrstuvwxyz0123456789-._"


class Url:
    """The parts of an address (RFC 3986): scheme, host, port, target; `netloc` is for the Host header."""

    def __init__(self, scheme, host, port, default_port, target):
        self.scheme = scheme
        self.host = host
        self.port = port
        self.target = target
        self.netloc = host if port == default_port else "%s:%d" % (host, port)

    def __str__(self):
        return "%s://%s%s" % (self.scheme, self.netloc, self.target)

    def redacted(self):
        """The address without its path and query, which may hold a secret."""
        return "%s://%s/..." % (self.scheme, self.netloc)


def parse(url):
    """Parse an absolute http:// address; the fragment (#...) is dropped, as it is never sent.

    Raises TypeError for anything but a str, ValueError for an address the client cannot use.
    """
    if not isinstance(url, str):
        raise TypeError("the URL must be a str, not %s" % type(url).__name__)
    _check_characters(url)
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in ("http", "https"):
        raise ValueError("a URL must begin with http://, this one does with %r" % url[:10])
    if scheme == "https":
        raise ValueError("https:// is not supported yet (TLS is not built in): use an http:// address")
    rest = rest.partition("#")[0]
    authority, separator, query = rest.partition("?")
    authority, _, path = authority.partition("/")
    target = "/" + path + separator + query
    host, port = _host_and_port(authority, 80)
    return Url(scheme, host, port, 80, target)


def _check_characters(url):
    position = 0
    for code in url.encode():  # bytes, as each character of a str would be a new object
        if code <= 32 or code >= 127 or code == 92:
            raise ValueError(
                "byte %d of the URL is 0x%02x: percent-encode it (a space is %%20)" % (position, code)
            )
        position += 1


def _host_and_port(authority, default_port):
    if "@" in authority:
        # Not quoted: it holds a password.
        raise ValueError("a name or password in the URL is not supported: use headers={'Authorization': ...}")
    if "[" in authority or authority.count(":") > 1:
        raise ValueError("%s: IPv6 addresses are not supported, use an IPv4 address or a name" % authority)
    host, separator, port = authority.partition(":")
    host = host.lower()
    if not host:
        raise ValueError("the URL names no host: write http://HOST/PATH")
    for code in host.encode():
        if code not in _HOST_CHARACTERS:
            raise ValueError("%r cannot be part of a host name (in %r)" % (chr(code), host))
    if not port:  # "host:" is allowed by the RFC and means the default
        return host, default_port
    if not port.isdigit() or len(port) > 5 or not 1 <= int(port) <= 65535:
        raise ValueError("port %r of %s is not a number from 1 to 65535" % (port, host))
    return host, int(port)
