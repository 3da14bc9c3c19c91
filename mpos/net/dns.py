"""The DNS messages of RFC 1035 that a resolver needs: builds a query, reads its answer.

No input and output here, and nothing of what a server sends is trusted: whatever is wrong with it is a
ValueError.
"""

import struct

TYPE_A = 1
TYPE_AAAA = 28
_TYPE_CNAME = 5
_TYPE_SOA = 6
_CLASS_IN = 1

NO_ERROR = 0
NO_SUCH_NAME = 3  # NXDOMAIN

_MAX_NAME = 255  # bytes
_MAX_LABEL = 63
_MAX_ALIASES = 8
_MAX_RECORDS = 64  # read of one answer
_MAX_TTL = 0x7FFFFFFF  # RFC 2181, section 8: more than that is 0


class Answer:
    """What a server said: `code` (RCODE), `truncated`, `addresses` (packed bytes each), `ttl` in seconds,
    and `alias`, a name to ask for instead when the answer has no address for it."""

    def __init__(self, code, truncated):
        self.code = code
        self.truncated = truncated
        self.addresses = []
        self.ttl = None
        self.alias = None


def query(identity, name, kind):
    """The query for `name` (str) as bytes. `identity` is 16 random bits, `kind` TYPE_A or TYPE_AAAA.

    Raises ValueError for a name that DNS cannot hold.
    """
    # One question, recursion desired.
    return struct.pack(">HHHHHH", identity, 0x0100, 1, 0, 0, 0) + _packed(name) + struct.pack(">HH", kind, 1)


def read(message, identity, name, kind):
    """The Answer in `message`, which must be one to the query of those arguments.

    Raises ValueError when it is malformed, or an answer to something else.
    """
    if len(message) < 12:
        raise ValueError("an answer of %d bytes" % len(message))
    got, flags, questions, answers, authorities, _ = struct.unpack_from(">HHHHHH", message)
    if got != identity or flags & 0xF800 != 0x8000:  # a response, to a standard query
        raise ValueError("an answer to another query")
    asked, position = _name(message, 12)
    if questions != 1 or asked != name.lower() or message[position : position + 4] != _question(kind):
        raise ValueError("an answer to another question")
    answer = Answer(flags & 15, bool(flags & 0x0200))
    if not answer.truncated:
        _read_records(message, position + 4, answers, authorities, name.lower(), kind, answer)
    return answer


def _question(kind):
    return struct.pack(">HH", kind, _CLASS_IN)


def _read_records(message, position, answers, authorities, wanted, kind, answer):
    aliases = {}
    found = []  # (name, packed address, ttl)
    size = 4 if kind == TYPE_A else 16
    for number in range(min(answers + authorities, _MAX_RECORDS)):
        owner, position = _name(message, position)
        if position + 10 > len(message):
            raise ValueError("a record that is cut")
        record, group, ttl, length = struct.unpack_from(">HHIH", message, position)
        position += 10
        end = position + length
        if end > len(message):
            raise ValueError("a record that is cut")
        if ttl > _MAX_TTL:
            ttl = 0
        if group == _CLASS_IN and number < answers:
            if record == kind:
                if length != size:
                    raise ValueError("an address of %d bytes" % length)
                found.append((owner, bytes(message[position:end]), ttl))
            elif record == _TYPE_CNAME:
                aliases[owner] = (_name(message, position)[0], ttl)
        elif group == _CLASS_IN and record == _TYPE_SOA:
            _, place = _name(message, position)
            _, place = _name(message, place)
            if place + 20 > len(message):
                raise ValueError("a record that is cut")
            # How long "no" holds (RFC 2308, section 5).
            answer.ttl = min(ttl, struct.unpack_from(">I", message, place + 16)[0])
        position = end
    _follow(aliases, found, wanted, answer)


def _follow(aliases, found, wanted, answer):
    lowest = None
    for _ in range(_MAX_ALIASES):
        if wanted not in aliases:
            break
        wanted, ttl = aliases[wanted]
        lowest = ttl if lowest is None else min(lowest, ttl)
    else:
        return  # they lead in a circle: to no address
    for owner, address, ttl in found:
        if owner == wanted:
            answer.addresses.append(address)
            lowest = ttl if lowest is None else min(lowest, ttl)
    if answer.addresses:
        answer.ttl = lowest
    elif aliases:
        answer.alias = wanted


def _packed(name):
    parts = []
    size = 1
    for label in name.encode().rstrip(b".").split(b"."):
        if not 0 < len(label) <= _MAX_LABEL:
            raise ValueError("%r is no host name: its parts must have 1 to 63 characters" % name)
        parts.append(bytes((len(label),)) + label)
        size += len(label) + 1
    if size > _MAX_NAME:
        raise ValueError("%r is no host name: it is longer than %d characters" % (name, _MAX_NAME - 2))
    return b"".join(parts) + b"\0"


def _name(message, position):
    """The name at `position` in lower case, and where it ends. Pointers (section 4.1.4) only lead back."""
    labels = []
    size = 0
    after = None
    lowest = position
    while True:
        if position >= len(message):
            raise ValueError("a name that is cut")
        length = message[position]
        if length & 0xC0 == 0xC0:
            if position + 2 > len(message):
                raise ValueError("a name that is cut")
            if after is None:
                after = position + 2
            position = (length & 0x3F) << 8 | message[position + 1]
            if position >= lowest:
                raise ValueError("a name that leads in a circle")
            lowest = position
            continue
        if length > _MAX_LABEL:
            raise ValueError("a label of an unknown kind")
        position += 1
        if length == 0:
            break
        size += length + 1
        if size > _MAX_NAME or position + length > len(message):
            raise ValueError("a name that is too long or cut")
        labels.append(_text(message[position : position + length]))
        position += length
    return ".".join(labels), position if after is None else after


def _text(label):
    # A dot inside a label must not make it look like two.
    return "".join(["\\." if code == 46 else chr(code) for code in label]).lower()
