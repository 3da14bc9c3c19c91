"""DownloadManager: what apps download with, into memory, into a file or piece by piece.

    data = await DownloadManager.download_url("http://192.168.1.2/data.json")

It knows nothing of the screen: callbacks tell the app what to show.
"""

import errno
from asyncio import TimeoutError
from time import ticks_diff, ticks_ms

from .http import HTTPError, request
from .sinks import File, Memory
from .url import parse

_SPEED_MS = 1000  # between two calls of speed_callback

# EPIPE, and ENETDOWN, ENETUNREACH, ETIMEDOUT, EHOSTUNREACH as Linux and ESP-IDF's newlib number them
_NETWORK_ERRORS = (
    errno.ECONNABORTED,
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.EHOSTUNREACH,
    errno.ENOTCONN,
    errno.ETIMEDOUT,
    32,
    100,
    101,
    114,
    115,
)


class DownloadManager:
    """All methods are called on the class; downloads may run side by side, each as its own task."""

    HTTPError = HTTPError

    @staticmethod
    async def download_url(
        url,
        outfile=None,
        total_size=None,
        progress_callback=None,
        chunk_callback=None,
        headers=None,
        speed_callback=None,
        redact_url=False,
        timeout_ms=10000,
        chunk_size=4096,
    ):
        """Download `url` and return its bytes, or True when it went to `outfile` or `chunk_callback`.

        outfile: path of the file. It is written as outfile + ".part" and renamed when complete, so a failed
            or cancelled download leaves no partial file and an old file as it was.
        total_size: bytes to expect; used for the progress when the server does not say.
        progress_callback(percent): int 0 to 100, called when it changes; 100 when all is in place. When the
            size is not known it is called with 0 and 100 only.
        chunk_callback(chunk): bytes, each piece as it arrives (at most `chunk_size`); after it was written
            if there is an outfile too.
        headers: dict of more request headers.
        speed_callback(bytes_per_second): int, about once a second, and at the end the average.
        redact_url: keep the path and query of the URL out of error messages.
        timeout_ms: for each wait (connecting, sending, the next bytes), not for all of the download: that is
            TaskManager.wait_for(). None waits for ever.
        chunk_size: bytes read at a time, and the size of the one buffer.

        Callbacks may be plain or async functions. One that raises ends the download with its exception.

        Raises HTTPError (`status`, `reason`) if the server answers with anything but success, OSError for
        the network and the file, TimeoutError (asyncio's) for a wait, MemoryError for a body that does not
        fit into the heap, ValueError or TypeError for a wrong argument. The connection is always closed.
        """
        if outfile is not None and (not isinstance(outfile, str) or not outfile):
            raise TypeError("outfile must be the path of a file")
        if outfile is not None and _asks_for_range(headers):
            raise ValueError(
                "a Range header with outfile: resuming a download is not supported yet, leave it out"
            )
        meter = _Meter(progress_callback, speed_callback)
        name = parse(url).redacted() if redact_url else None
        response = await request("GET", url, headers, None, timeout_ms, chunk_size, name)
        sink = None
        try:
            response.raise_for_status(not redact_url)
            if outfile is not None:
                sink = File(outfile)
            elif chunk_callback is None:
                sink = Memory(response.length, response.name)
            await meter.start(total_size if response.length is None else response.length)
            await _transfer(response, sink, chunk_callback, meter)
            result = True if sink is None else sink.finish()
            sink = None
            await meter.finish()
            return result
        finally:
            response.close()
            if sink is not None:
                sink.abort()

    @staticmethod
    async def post_url(url, data=None, headers=None, redact_url=False, timeout_ms=10000):
        """Send `data` (bytes or str) with POST; returns the body of the answer as bytes.

        Raises what download_url() raises.
        """
        name = parse(url).redacted() if redact_url else None
        body = b"" if data is None else data
        async with await request("POST", url, headers, body, timeout_ms, name=name) as response:
            response.raise_for_status(not redact_url)
            return await response.read()

    @staticmethod
    def is_network_error(error):
        """Whether trying again later may help: the network failed, or the server was too slow."""
        if isinstance(error, TimeoutError):
            return True
        code = error.errno if isinstance(error, OSError) else None
        return isinstance(code, int) and abs(code) in _NETWORK_ERRORS

    @staticmethod
    def get_resume_position(_outfile):
        """Where to go on with a download that failed: always 0, as nothing is kept of one."""
        return 0


class _Meter:
    """Counts what has arrived and calls the progress and speed callbacks when there is something new."""

    def __init__(self, progress_callback, speed_callback):
        self._on_progress = progress_callback
        self._on_speed = speed_callback
        self._received = 0
        self._percent = 0
        self._total = 0  # 0: not known
        self._next = 0  # the number of bytes at which the percentage changes
        self._began = self._last = 0  # ticks
        self._reported = 0  # bytes at the last call of the speed callback

    async def start(self, total):
        self._total = max(0, int(total or 0))
        self._began = self._last = ticks_ms()
        self._set_next()
        if self._on_progress:
            await _finished(self._on_progress(0))

    def add(self, count):
        """Count; whether report() has to be called. Allocates nothing."""
        self._received += count
        if self._on_progress and self._total and self._received >= self._next:
            return True
        return self._on_speed is not None and ticks_diff(ticks_ms(), self._last) >= _SPEED_MS

    async def report(self):
        if self._on_progress and self._total and self._received >= self._next:
            percent = min(99, self._received * 100 // self._total)  # 100 is for when all is in place
            if percent > self._percent:
                self._percent = percent
                self._set_next()
                await _finished(self._on_progress(percent))
        if self._on_speed:
            now = ticks_ms()
            elapsed = ticks_diff(now, self._last)
            if elapsed >= _SPEED_MS:
                speed = (self._received - self._reported) * 1000 // elapsed
                self._last = now
                self._reported = self._received
                await _finished(self._on_speed(speed))

    async def finish(self):
        if self._on_speed:
            elapsed = max(1, ticks_diff(ticks_ms(), self._began))
            await _finished(self._on_speed(self._received * 1000 // elapsed))
        if self._on_progress:
            await _finished(self._on_progress(100))

    def _set_next(self):
        self._next = ((self._percent + 1) * self._total + 99) // 100


async def _transfer(response, sink, chunk_callback, meter):
    view = response.view
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
        if chunk_callback is not None:
            result = chunk_callback(bytes(view[offset : offset + size]))
            if hasattr(result, "send"):  # as _finished(), without a coroutine for each piece
                await result
        if meter.add(size):
            await meter.report()


async def _finished(result):
    """Wait for a callback that turned out to be async."""
    if hasattr(result, "send"):
        await result


def _asks_for_range(headers):
    for name in headers or ():
        if isinstance(name, str) and name.lower() == "range":
            return True
    return False
