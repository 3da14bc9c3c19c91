"""From host names to addresses without stopping the loop: an asynchronous DNS client over UDP.

    import mpos.net.resolver as resolver
    await resolver.resolve("example.org")       # ["192.0.2.7"]
    resolver.servers = ["192.168.1.1"]          # instead of those of the network

The platform's getaddrinfo(), which blocks, is asked only for what no name server can be asked for: names that
end in .local, and all names when no name server is known.
"""

import errno
import os
import socket
import struct
from asyncio import Event, TimeoutError, sleep_ms
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from ..loop.deadline import Deadline, forget, readable, writable
from . import dns
from .url import literal

servers = None  # addresses (str, or (str, port)) of the name servers to ask; None: those of the network
HOSTS_FILE = "/etc/hosts"
RESOLV_FILE = "/etc/resolv.conf"

_PORT = const(53)
_ROUNDS = const(3)  # times that each server is asked
_FIRST_WAIT_MS = const(1000)  # for an answer; twice as long in each further round
_MAX_MESSAGE = const(1232)  # bytes; what goes over UDP without being cut on the way
_MAX_TCP_MESSAGE = const(8192)
_MAX_CACHED = const(32)  # names
_LONGEST_TTL = const(3600)  # seconds
_LONGEST_NO = const(300)
_FAILED_TTL = const(1)  # for those who waited for the same name
_MAX_ALIASES = const(8)
_FIRST_PORT = const(49152)  # the dynamic ports of RFC 6335
_AF_INET6 = getattr(socket, "AF_INET6", None)

_cache = {}  # name: (until, addresses or None, text of the error)
_pending = {}  # name: the Event of the task that is asking for it


async def resolve(host, timeout_ms=10000):
    """The addresses of `host` as a list of str, IPv4 before IPv6; for an address itself.

    Raises OSError when there is no such name, or no server to ask; TimeoutError (asyncio's) when none
    answered within `timeout_ms`.
    """
    host = host.lower().rstrip(".")
    known = literal(host) or _from_hosts(host)
    if known:
        return known
    ends = ticks_add(ticks_ms(), timeout_ms) if timeout_ms is not None else None
    while True:
        entry = _cached(host)
        if entry is not None:
            if entry[1] is None:
                raise OSError(errno.EHOSTUNREACH, entry[2])
            return entry[1]
        event = _pending.get(host)
        if event is None:
            return await _ask(host, ends)
        await _wait_for(event, host, ends)


def clear_cache():
    """Forget all answers, as after a change of the network."""
    _cache.clear()


def name_servers():
    """The name servers to ask, as (address, port) each: `servers`, else what the network interfaces say, else
    what /etc/resolv.conf says."""
    found = servers
    if found is None:
        found = _from_interfaces() or _from_resolv_file()
    return [(one, _PORT) if isinstance(one, str) else one for one in found]


# -- What needs no asking


def _from_hosts(host):
    found = []
    for words in _lines(HOSTS_FILE):
        if len(words) > 1 and host in words[1:] and (":" not in words[0] or _AF_INET6 is not None):
            found.append(words[0])
    return sorted(found, key=lambda address: ":" in address)


def _from_resolv_file():
    return [words[1] for words in _lines(RESOLV_FILE) if len(words) > 1 and words[0] == "nameserver"]


def _from_interfaces():
    try:
        import network
    except ImportError:
        return []
    found = []
    for kind in ("STA_IF", "IF_STA"):
        try:
            address = network.WLAN(getattr(network, kind)).ifconfig()[3]
        except (AttributeError, OSError, ValueError, IndexError):
            continue
        if address not in found and address != "0.0.0.0":
            found.append(address)
    return found


def _lines(path):
    try:
        with open(path) as file:
            return [line.partition("#")[0].lower().split() for line in file]
    except OSError:
        return []


def _cached(host):
    entry = _cache.get(host)
    if entry is not None and ticks_diff(entry[0], ticks_ms()) <= 0:
        del _cache[host]
        return None
    return entry


def _keep(host, seconds, addresses, text=""):
    if len(_cache) >= _MAX_CACHED:
        first = None
        for name in _cache:
            if first is None or ticks_diff(_cache[name][0], _cache[first][0]) < 0:
                first = name
        del _cache[first]
    _cache[host] = (ticks_add(ticks_ms(), seconds * 1000), addresses, text)


# -- Asking


async def _wait_for(event, host, ends):
    """Wait for the task that asks for `host` already."""
    deadline = Deadline(lambda: TimeoutError("no answer to the lookup of %s: try again later" % host))
    deadline.set(None if ends is None else max(0, ticks_diff(ends, ticks_ms())))
    try:
        await event.wait()
    finally:
        deadline.clear()


async def _ask(host, ends):
    event = _pending[host] = Event()
    try:
        known = name_servers()
        if not known or host.endswith(".local"):
            addresses = _from_platform(host)
            _keep(host, 60, addresses)
            return addresses
        addresses, ttl = await _lookup(host, known, ends)
        if not addresses:
            text = "the name %s was not found: is it right?" % host
            _keep(host, min(max(ttl or 30, 1), _LONGEST_NO), None, text)
            raise OSError(errno.EHOSTUNREACH, text)
        _keep(host, min(max(ttl, 1), _LONGEST_TTL), addresses)
        return addresses
    except (OSError, TimeoutError) as error:
        if host not in _cache:
            _keep(host, _FAILED_TTL, None, str(error))
        raise
    finally:
        del _pending[host]
        event.set()


def _from_platform(host):
    try:
        found = socket.getaddrinfo(host, 80, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        found = []
    if not found:
        raise OSError(
            errno.EHOSTUNREACH, "the name %s was not found: is it right, and the network connected?" % host
        )
    return [_readable_address(entry[4]) for entry in found[:4]]


def _readable_address(address):
    """The text of an address of getaddrinfo(): a tuple on most ports, a sockaddr on the unix port."""
    if isinstance(address, tuple):
        return address[0]
    return _text(bytes(address[4:8]))


async def _lookup(host, known, ends):
    """Addresses and their TTL, or no addresses and for how long that holds."""
    name = host
    for _ in range(_MAX_ALIASES):
        answer = await _query(name, dns.TYPE_A, known, ends)
        if not answer.addresses and answer.alias is None and answer.code == dns.NO_ERROR and _AF_INET6:
            ttl = answer.ttl
            answer = await _query(name, dns.TYPE_AAAA, known, ends)
            if not answer.addresses:
                return [], ttl
        if answer.addresses or answer.alias is None:
            return [_text(packed) for packed in answer.addresses], answer.ttl
        name = answer.alias
    raise OSError(errno.EHOSTUNREACH, "the name %s leads from alias to alias" % host)


def _text(packed):
    if len(packed) == 4:
        return "%d.%d.%d.%d" % tuple(packed)
    return ":".join(["%x" % part for part in struct.unpack(">8H", packed)])


async def _query(name, kind, known, ends):
    """Ask the servers in turn, until one of them says yes or no."""
    wait_ms = _FIRST_WAIT_MS
    reason = "no name server answered"
    try:
        dns.query(0, name, kind)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error))
    for _ in range(_ROUNDS):
        for server in known:
            left = wait_ms if ends is None else min(wait_ms, ticks_diff(ends, ticks_ms()))
            if left <= 0:
                raise TimeoutError("%s to the lookup of %s: is the network connected?" % (reason, name))
            try:
                answer = await _exchange(server, name, kind, left)
            except _NoAnswer as error:
                reason = str(error)
                continue
            if answer.code in (dns.NO_ERROR, dns.NO_SUCH_NAME):
                return answer
            reason = "the name server %s failed (code %d)" % (server[0], answer.code)
        wait_ms *= 2
    raise TimeoutError("%s to the lookup of %s: is the network connected?" % (reason, name))


class _NoAnswer(Exception):
    """This server did not answer, or nothing that can be used."""


async def _exchange(server, name, kind, wait_ms):
    random = struct.unpack(">HHH", os.urandom(6))
    question = dns.query(random[0], name, kind)
    ends = ticks_add(ticks_ms(), wait_ms)
    deadline = Deadline(lambda: _NoAnswer("the name server %s did not answer" % server[0]))
    sock = None
    try:
        sock = _open(server, socket.SOCK_DGRAM)
        _bind(sock, server, random)
        sock.connect(_address(server))  # the system then drops what comes from elsewhere
        sock.send(question)
        buffer = bytearray(_MAX_MESSAGE)
        while True:
            count = sock.readinto(buffer)
            if count is None:
                await readable(sock, deadline, max(0, ticks_diff(ends, ticks_ms())))
                continue
            try:
                answer = dns.read(memoryview(buffer)[:count], random[0], name, kind)
            except ValueError:
                # Not from the server, or late: the right one may still come.
                if ticks_diff(ends, ticks_ms()) <= 0:
                    raise _NoAnswer("the name server %s sent nothing that can be read" % server[0])
                continue
            if answer.truncated:
                return await _exchange_by_tcp(server, question, name, kind, deadline, wait_ms)
            return answer
    except OSError as error:
        # No route, or nobody at that port. That is known at once: the next try must not come at once, too.
        await sleep_ms(min(wait_ms, 200))
        raise _NoAnswer("the name server %s cannot be reached (%s)" % (server[0], error))
    finally:
        if sock is not None:
            deadline.clear()
            forget(sock)
            sock.close()


async def _exchange_by_tcp(server, question, name, kind, deadline, wait_ms):
    """RFC 1035, section 4.2.2: each message has its length in two bytes before it."""
    sock = _open(server, socket.SOCK_STREAM)
    try:
        try:
            sock.connect(_address(server))
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        await writable(sock, deadline, wait_ms)
        message = struct.pack(">H", len(question)) + question
        while message:
            count = sock.write(message)
            if count is None:
                await writable(sock, deadline, wait_ms)
            else:
                message = message[count:]
        head = await _read_exactly(sock, 2, deadline, wait_ms)
        size = head[0] << 8 | head[1]
        if size > _MAX_TCP_MESSAGE:
            raise _NoAnswer("the name server %s sent %d bytes" % (server[0], size))
        answer = await _read_exactly(sock, size, deadline, wait_ms)
        try:
            return dns.read(answer, question[0] << 8 | question[1], name, kind)
        except ValueError as error:
            raise _NoAnswer("the name server %s sent %s" % (server[0], error))
    finally:
        forget(sock)
        sock.close()


async def _read_exactly(sock, size, deadline, wait_ms):
    buffer = bytearray(size)
    view = memoryview(buffer)
    done = 0
    while done < size:
        count = sock.readinto(view[done:])
        if count is None:
            await readable(sock, deadline, wait_ms)
        elif count == 0:
            raise _NoAnswer("the name server hung up")
        else:
            done += count
    return buffer


def _open(server, kind):
    family = _AF_INET6 if ":" in server[0] else socket.AF_INET
    sock = socket.socket(family, kind)
    sock.setblocking(False)
    return sock


def _bind(sock, server, random):
    """Ask from a port that nobody can guess."""
    if ":" in server[0]:
        return  # the system's choice
    for offset in range(8):
        port = _FIRST_PORT + (random[1] + offset * random[2]) % (65536 - _FIRST_PORT)
        try:
            sock.bind(socket.getaddrinfo("0.0.0.0", port)[0][-1])
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise


def _address(server):
    return socket.getaddrinfo(server[0], server[1])[0][-1]
