"""DownloadManager: what apps download with, into memory, into a file or piece by piece.

    data = await DownloadManager.download_url("https://example.com/data.json")

It knows nothing of the screen: callbacks tell the app what to show. All of it is also there as functions of
this module.
"""

from asyncio import current_task

from .errors import is_network_error as _is_network_error
from .http import HTTPError, request
from .meter import Meter
from .sinks import resume_position
from .transfer import Transfer
from .url import redact


class DownloadManager:
    """All methods are called on the class; downloads may run side by side, each as its own task.

    download_url(), post_url() and download_all() are awaited. Called from code that runs on no loop, they run
    the loop until they are done, and return or raise what awaiting them would.
    """

    HTTPError = HTTPError

    @classmethod
    def download_url(
        cls,
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
        total_timeout_ms=None,
        retries=3,
        sha256=None,
        verify=True,
        max_size=None,
    ):
        """Download `url` and return its bytes, or True when it went to `outfile` or `chunk_callback`.

        outfile: path of the file, which appears under that name only when it is complete. What a failed
        download
            leaves is kept beside it, if the server tells by an ETag or a date, or `sha256` can tell, whether
            it is still of the same version; the next download of the same URL to the same file goes on there.
        total_size: bytes to expect; used for the progress when the server does not say.
        progress_callback(percent): int 0 to 100, called when it changes; 100 when all is in place. When the
            size is not known it is called with 0 and 100 only. It never goes back.
        chunk_callback(chunk): bytes, each piece as it arrives (at most `chunk_size`). Not with an outfile.
        headers: dict of more request headers. With a Range of their own, only that part is downloaded, and a
            server that sends anything else is an error.
        speed_callback(bytes_per_second): int, about once a second, and at the end the average.
        redact_url: keep the path and query of the URL out of error messages.
        timeout_ms: for each wait (connecting, sending, the next bytes); total_timeout_ms: for all of it. None
            waits for ever.
        chunk_size: bytes read at a time, and the size of the one buffer.
        retries: how often it is tried again, without a byte more than before, when the network fails; each
            time it waits longer. As long as there is progress it goes on.
        sha256: what the body's SHA-256 must be: 64 hexadecimal digits, or 32 bytes.
        verify: False does not check who the server is (https).
        max_size: of the body, in bytes.

        Callbacks may be plain or async functions. One that raises ends the download with its exception.

        Raises HTTPError (`status`, `reason`) if the server answers with anything but success, OSError for
        the network and the file (tls.TLSError for a server that cannot be trusted), TimeoutError (asyncio's),
        MemoryError for a body that does not fit into the heap, ValueError or TypeError for a wrong argument,
        ValueError for a wrong hash. The connection is always closed.
        """
        if outfile is not None and (not isinstance(outfile, str) or not outfile):
            raise TypeError("outfile must be the path of a file")
        if outfile is not None and chunk_callback is not None:
            raise ValueError("Cannot use both outfile and chunk_callback: choose where it goes")
        options = _Options(timeout_ms, chunk_size, total_timeout_ms, retries, sha256, verify, max_size)
        places = (url, outfile, total_size, chunk_callback, headers, redact_url)
        return _now_or_awaited(_download(places, Meter(progress_callback, speed_callback), options))

    @classmethod
    def post_url(
        cls,
        url,
        data=None,
        headers=None,
        redact_url=False,
        timeout_ms=10000,
        total_timeout_ms=None,
        verify=True,
        max_size=None,
    ):
        """Send `data` (bytes or str) with POST; returns the body of the answer as bytes.

        The other parameters are those of download_url(), and it raises what that raises.
        """
        return _now_or_awaited(
            _post(url, data, headers, redact_url, timeout_ms, total_timeout_ms, verify, max_size)
        )

    @classmethod
    def download_all(cls, urls, limit=5, **options):
        """Download all `urls`, at most `limit` at the same time; returns a list of their bytes, in their
        order.

        For one that failed its exception stands there. `options` are those of download_url(), for each.
        """
        if limit < 1:
            raise ValueError("limit must be 1 or more")
        return _now_or_awaited(_download_all(cls, list(urls), limit, options))

    @staticmethod
    def is_network_error(exception):
        """Whether trying again later may help: the network failed, or the server was too slow."""
        return _is_network_error(exception)

    @staticmethod
    def get_resume_position(outfile):
        """How many bytes of `outfile` there are: of an unfinished download, else of the file itself."""
        return resume_position(outfile)

    _safe_url = staticmethod(redact)


class _Options:
    def __init__(self, timeout_ms, chunk_size, total_timeout_ms, retries, sha256, verify, max_size):
        self.timeout_ms = timeout_ms
        self.chunk_size = chunk_size
        self.total_timeout_ms = total_timeout_ms
        self.retries = retries
        self.sha256 = sha256
        self.verify = verify
        self.max_size = max_size


async def _download(places, meter, options):
    url, outfile, total_size, chunk_callback, headers, redact_url = places
    transfer = Transfer(url, outfile, total_size, chunk_callback, headers, redact_url, meter, options)
    return await transfer.run()


async def _post(url, data, headers, redact_url, timeout_ms, total_ms, verify, max_size):
    name = redact(url) if redact_url else None
    body = b"" if data is None else data
    response = await request(
        "POST", url, headers, body, timeout_ms, name=name, verify=verify, total_ms=total_ms, max_size=max_size
    )
    async with response:
        response.raise_for_status(not redact_url)
        return await response.read()


async def _download_all(manager, urls, limit, options):
    from ..task_manager import TaskManager

    results = {}
    numbers = iter(range(len(urls)))  # shared: each worker takes the next one that is left

    async def work():
        for number in numbers:
            try:
                results[number] = await manager.download_url(urls[number], **options)
            except Exception as error:
                results[number] = error

    await TaskManager.gather(*[work() for _ in range(min(limit, len(urls)))])
    return [results[number] for number in range(len(urls))]


def _now_or_awaited(coroutine):
    try:
        current_task()
        return coroutine
    except RuntimeError:
        from ..task_manager import TaskManager

        return TaskManager.run_until_complete(coroutine)


download_url = DownloadManager.download_url
post_url = DownloadManager.post_url
download_all = DownloadManager.download_all
is_network_error = DownloadManager.is_network_error
get_resume_position = DownloadManager.get_resume_position
