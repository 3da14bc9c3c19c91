"""Connections that are kept open for the next request to the same server, for a while and not many.

One that is kept costs its buffer, and with TLS some 40 KB; a new one with TLS costs a board a second and
more.
"""

from micropython import const

from ..loop.deadline import Timer

MAX_KEPT = const(2)
KEPT_MS = const(10000)

_kept = []  # _Kept each, the oldest first


class _Kept:
    def __init__(self, key, connection):
        self.key = key
        self.connection = connection
        self.timer = Timer(self.close)
        self.timer.start(KEPT_MS)

    def close(self):
        self.timer.stop()
        _kept.remove(self)
        self.connection.close()


def take(key):
    """A connection for that key that is still open, or None. It is the caller's now."""
    for one in list(_kept):
        if one.key == key:
            one.timer.stop()
            _kept.remove(one)
            if one.connection.is_idle():
                return one.connection
            one.connection.close()
    return None


def give(key, connection):
    """Keep a connection on which nothing is under way; the oldest one is closed when there are too many."""
    while len(_kept) >= MAX_KEPT:
        _kept[0].close()
    _kept.append(_Kept(key, connection))


def close_all():
    """Close all that are kept, as before the network is switched off."""
    while _kept:
        _kept[0].close()
