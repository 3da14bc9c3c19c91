"""Which errors of the network code may go away by themselves."""

import errno
from asyncio import TimeoutError

# EPIPE, and what Linux, ESP-IDF's newlib and lwIP's name lookup (202) call ENETDOWN, ENETUNREACH, ETIMEDOUT,
# EHOSTUNREACH.
_NETWORK_ERRORS = (
    errno.ECONNABORTED,
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.EHOSTUNREACH,
    errno.ENOTCONN,
    errno.ETIMEDOUT,
) + (32, 100, 101, 104, 110, 113, 114, 115, 116, 118, 202)

# What other network code says in errors of any type.
_PHRASES = (
    "econnaborted",
    "econnreset",
    "etimedout",
    "ehostunreach",
    "connection reset",
    "connection aborted",
    "broken pipe",
    "network unreachable",
    "host unreachable",
    "failed to download chunk",
)


def is_network_error(error):
    """Whether trying again later may help: the network failed, or the server was too slow."""
    if isinstance(error, TimeoutError):
        return True
    if isinstance(error, OSError):
        code = error.errno
        if isinstance(code, int) and abs(code) in _NETWORK_ERRORS:
            return True
    elif getattr(error, "status", None) is not None:  # HTTPError: the network did its part
        return False
    text = str(error).lower()
    for phrase in _PHRASES:
        if phrase in text:
            return True
    return False
