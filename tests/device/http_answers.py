"""What the HTTP client makes of an answer, for tests/host/test_http_properties.py."""

from binascii import hexlify

from mpos import TaskManager
from mpos.net import http


def outcomes(url, buffer_sizes):
    """For each size of the read buffer ("body", status, hex), ("malformed",) or ("early",).

    With a buffer of one byte, each byte of the answer is a read of its own.
    """
    return [TaskManager.run_until_complete(_outcome(url, size), 5000) for size in buffer_sizes]


async def _outcome(url, buffer_size):
    try:
        async with await http.request("GET", url, buffer_size=buffer_size) as response:
            return "body", response.status, hexlify(await response.read()).decode()
    except http.HTTPError:
        return ("malformed",)
    except OSError as error:
        assert "ended early" in str(error) or "before it had answered" in str(error), error
        return ("early",)
