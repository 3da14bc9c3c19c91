"""Transfer: one download over as many connections as it takes.

After a connection broke, the next one asks for what is missing (RFC 9110, section 14: Range, If-Range, 206).
What arrived is used only if it is known to be of the same version: by the server's ETag or date, by a SHA-256
that the caller has given, or, within one call, by its size. Otherwise it begins anew.
"""

import hashlib
import os
from asyncio import TimeoutError, sleep_ms
from binascii import hexlify
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from .errors import is_network_error
from .http import HTTPError, request
from .sinks import File, Memory
from .url import parse, redact

_FIRST_DELAY_MS = const(200)
_LONGEST_DELAY_MS = const(10000)


class Transfer:
    """The arguments are those of DownloadManager.download_url(); `meter` is a Meter."""

    def __init__(self, url, outfile, total_size, chunk_callback, headers, redact_url, meter, options):
        address = parse(url)
        self._url = url
        self._headers = dict(headers or {})
        self._meter = meter
        self._options = options
        self._redacts = redact_url
        self._total_size = total_size
        self._chunk_callback = chunk_callback
        self._name = redact(url) if redact_url else str(address)
        self._range = _range_of(self._headers)  # of the caller: (first, last) as str
        self._expected = _digest(options.sha256)
        self._hash = None
        self._validator = None  # an ETag or a date
        self._total = None  # bytes that are to come in all
        self._whole = None  # bytes that the server has, of which a Range of the caller's wants a part
        self._position = 0  # bytes that have gone to the sink
        self._must_restart = False
        self._took_up = False  # what an earlier call has left
        self._found = b""  # the SHA-256 of what arrived
        self._ends = None
        self._file = self._sink = None
        if outfile is not None:
            source = hexlify(hashlib.sha256(("%s %s" % (url, self._range)).encode()).digest()).decode()
            self._source = source
            self._file = self._sink = File(outfile)

    async def run(self):
        """Download; returns what download_url() returns."""
        total_ms = self._options.total_timeout_ms
        self._ends = None if total_ms is None else ticks_add(ticks_ms(), total_ms)
        try:
            if self._file is not None:
                await self._take_up(self._file)
            await self._try_until_complete()
            if not self._is_right():
                if not self._must_restart:
                    raise self._wrong_hash()
                await self._try_until_complete()  # What was taken up was not what it seemed to be.
                if not self._is_right():
                    raise self._wrong_hash()
            result = True if self._sink is None else self._sink.finish()
            self._sink = None
            await self._meter.finish()
            return result
        finally:
            if self._sink is not None:
                self._sink.abort()

    async def _try_until_complete(self):
        failures = 0
        farthest = self._position
        while True:
            try:
                return await self._attempt()
            except (OSError, TimeoutError) as error:
                if self._position > farthest:
                    farthest = self._position
                    failures = 0
                if failures >= self._options.retries or not is_network_error(error) or not self._may_go_on():
                    raise
            delay_ms = min(_FIRST_DELAY_MS << failures, _LONGEST_DELAY_MS)
            # Jitter: a thousand boards must not come back at the same moment.
            delay_ms = delay_ms // 2 + delay_ms * os.urandom(1)[0] // 256
            failures += 1
            if self._ends is not None:
                left_ms = ticks_diff(self._ends, ticks_ms())
                if left_ms <= delay_ms:
                    raise TimeoutError(
                        "%s took longer than %d ms in all: try again later"
                        % (self._name, self._options.total_timeout_ms)
                    )
            await sleep_ms(delay_ms)

    async def _attempt(self):
        options = self._options
        resumes = self._position > 0 and not self._must_restart and self._is_known()
        if resumes and self._total is not None and self._position == self._total:
            return  # the rename is all that is missing
        if self._position > 0 and not resumes and self._chunk_callback is not None:
            raise HTTPError("%s: the server cannot go on with what was begun: begin anew" % self._name)
        total_ms = None if self._ends is None else max(1, ticks_diff(self._ends, ticks_ms()))
        response = await request(
            "GET",
            self._url,
            self._request_headers(resumes),
            None,
            options.timeout_ms,
            options.chunk_size,
            self._name if self._redacts else None,
            verify=options.verify,
            total_ms=total_ms,
            max_size=options.max_size,
        )
        try:
            if resumes and response.status == 416:
                # The part is longer than the whole: it is of another version.
                self._must_restart = True
                raise OSError(104, "%s: what was begun is of an older version: try again" % self._name)
            response.raise_for_status(not self._redacts)
            await self._begin(response, resumes)
            await self._receive(response)
        finally:
            response.close()

    def _request_headers(self, resumes):
        headers = dict(self._headers)
        if not resumes:
            return headers
        first, last = self._range or ("0", "")
        for name in list(headers):
            if name.lower() in ("range", "if-range"):
                del headers[name]
        headers["Range"] = "bytes=%d-%s" % (int(first) + self._position, last)
        if self._validator is not None:
            headers["If-Range"] = self._validator
        return headers

    async def _begin(self, response, resumes):
        """Set up the sink for what `response` brings."""
        first, total = _content_range(response)
        base = int(self._range[0]) if self._range else 0
        if self._range and response.status != 206:
            raise response._error("the server ignored the Range that was asked for")
        validator = _validator(response.headers)
        if resumes and response.status == 206:
            same = first == base + self._position and (self._whole is None or total == self._whole)
            if not same or self._validator is not None and validator not in (None, self._validator):
                self._must_restart = True
                raise OSError(104, "%s: the server sent another part than was asked for" % self._name)
            if self._file is not None:
                self._file.resume()
        else:
            if resumes and self._chunk_callback is not None:
                raise response._error("the server cannot go on with what was begun: begin anew")
            self._whole = total if self._range else response.length
            self._restart(response, validator)
        shown = self._total if self._total is not None else self._total_size
        if self._range and total is not None:
            await self._meter.start(base + self._position, total)  # as much of all as is known to be there
        else:
            await self._meter.start(self._position, shown)

    def _restart(self, response, validator):
        decoded = "content-encoding" in response.headers
        self._must_restart = False
        self._position = 0
        self._total = response.length
        self._validator = None if decoded else validator
        if self._expected is not None:
            self._hash = hashlib.sha256()
        if self._file is not None:
            # Without one of these nobody could tell later whether it is still the same.
            keep = not decoded and (validator is not None or self._expected is not None)
            self._file.begin(
                {
                    "source": self._source,
                    "validator": self._validator,
                    "total": self._total,
                    "whole": self._whole,
                    "keep": keep,
                }
            )
        elif self._chunk_callback is None:
            if self._sink is not None:
                self._sink.abort()
            self._sink = Memory(response.length, response.name)

    async def _receive(self, response):
        # Read once: each would be a lookup for every piece.
        view = response.view
        sink = self._sink
        digest = self._hash
        on_chunk = self._chunk_callback
        meter = self._meter
        while True:
            size = response.take()
            if size < 0:
                await response.more()
                continue
            if size == 0:
                return
            offset = response.offset
            if sink is not None:
                sink.write(view, offset, size)
            if digest is not None:
                digest.update(view[offset : offset + size])
            self._position += size
            if on_chunk is not None:
                result = on_chunk(bytes(view[offset : offset + size]))
                if hasattr(result, "send"):  # as finished(), without a coroutine for each piece
                    await result
            if meter.add(size):
                await meter.report()

    async def _take_up(self, sink):
        """Go on with what an earlier call has left in the file, if it can be known to be the same."""
        sink.find(self._source)
        note = sink.note
        if not sink.position or not (note.get("validator") or self._expected):
            sink.position = 0
            return
        self._position = sink.position
        self._validator = note.get("validator")
        self._total = note.get("total")
        self._whole = note.get("whole")
        self._took_up = True
        if self._expected is not None:
            self._hash = hashlib.sha256()
            buffer = bytearray(self._options.chunk_size)
            view = memoryview(buffer)
            for count in sink.pieces(buffer):
                self._hash.update(view[:count])
                await sleep_ms(0)

    def _is_known(self):
        """Whether a part that the server sends can be told from one of another version."""
        return self._validator is not None or self._total is not None or self._expected is not None

    def _may_go_on(self):
        return self._chunk_callback is None or self._position == 0 or self._is_known()

    def _is_right(self):
        if self._expected is None:
            return True
        self._found = self._hash.digest()
        if self._found == self._expected:
            return True
        self._must_restart = self._took_up
        self._took_up = False
        if self._file is not None:
            self._file.discard()
        return False

    def _wrong_hash(self):
        return ValueError(
            "%s: its SHA-256 is %s, not %s: it is not what it should be, and was thrown away"
            % (self._name, hexlify(self._found).decode(), hexlify(self._expected).decode())
        )


def _digest(sha256):
    """The 32 bytes of a SHA-256 that is given as those, or as 64 hexadecimal digits."""
    if sha256 is None:
        return None
    try:
        digest = bytes.fromhex(sha256) if isinstance(sha256, str) else bytes(sha256)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise ValueError("sha256 must be 64 hexadecimal digits, or 32 bytes")
    return digest


def _range_of(headers):
    """First and last of a caller's `Range: bytes=first-last` as str, or None if there is no such header."""
    for name in headers:
        if isinstance(name, str) and name.lower() == "range":
            unit, _, ends = str(headers[name]).partition("=")
            first, separator, last = ends.strip().partition("-")
            if unit.strip() != "bytes" or not separator or not first.isdigit() or last and not last.isdigit():
                raise ValueError("the header Range must be bytes=FIRST- or bytes=FIRST-LAST")
            return first, last
    return None


def _content_range(response):
    """First byte and size of the whole that a 206 tells (RFC 9110, section 14.4); None where it does not."""
    unit, _, rest = response.headers.get("content-range", "").partition(" ")
    ends, _, total = rest.partition("/")
    first = ends.partition("-")[0].strip()
    if unit != "bytes" or not first.isdigit():
        return None, None
    total = total.strip()
    return int(first), int(total) if total.isdigit() else None


def _validator(headers):
    etag = headers.get("etag")
    if etag is not None and not etag.startswith("W/"):  # a weak one is no promise that the bytes are the same
        return etag
    return headers.get("last-modified")
