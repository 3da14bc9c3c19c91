"""What the HTTP client says when something is wrong, and that it then has nothing left open."""

import time
from asyncio import core

from http_connections import expect_all_closed

from mpos.net import http


async def expect(error_type, words, url, method="GET", **options):
    """The request or reading its body raises `error_type` with all `words`; returns the error."""
    try:
        async with await http.request(method, url, **options) as response:
            body = await response.read()
    except error_type as error:
        text = str(error)
        for word in words.split("|"):
            assert word in text, "%r lacks %r" % (text, word)
        return error
    raise AssertionError("no %s from %s but %r" % (error_type.__name__, url, body))


async def test_a_refused_connection_says_so_at_once():
    error = await expect(OSError, "127.0.0.1:1/x|refused|running", "http://127.0.0.1:1/x")
    assert error.errno == 111


async def test_a_server_that_does_not_answer_the_connection_is_given_up(server):
    async with await http.request("GET", server + "/full_listener") as response:
        url = (await response.read()).decode()
    began = time.ticks_ms()
    await expect(core.TimeoutError, url + "|did not accept the connection for 200 ms", url, timeout_ms=200)
    assert time.ticks_diff(time.ticks_ms(), began) >= 190
    await expect_all_closed(server)


async def test_silence_before_the_answer_ends_after_the_timeout(server):
    for path in ("/stall_before_head", "/stall_in_head"):
        began = time.ticks_ms()
        await expect(core.TimeoutError, path + "|sent nothing for 200 ms", server + path, timeout_ms=200)
        assert time.ticks_diff(time.ticks_ms(), began) >= 190
    await expect_all_closed(server)


async def test_silence_in_the_body_ends_after_the_timeout(server):
    await expect(core.TimeoutError, "/stall|sent nothing for 150 ms", server + "/stall", timeout_ms=150)
    await expect_all_closed(server)


async def test_the_timeout_is_for_each_wait_not_for_all(server):
    url = server + "/slow?size=100&pieces=6&delay=0.3"
    async with await http.request("GET", url, timeout_ms=1500) as response:
        assert len(await response.read()) == 100


async def test_no_timeout_waits(server):
    url = server + "/slow?size=10&pieces=1&delay=0.3"
    async with await http.request("GET", url, timeout_ms=None) as response:
        assert len(await response.read()) == 10


async def test_a_body_that_ends_early_is_an_error(server):
    error = await expect(
        OSError, "/early|ended early|100 of 1000|again", server + "/early?size=1000&sent=100"
    )
    assert error.errno == 104
    await expect(OSError, "ended early|after 50 bytes", server + "/early_chunked")
    await expect(OSError, "ended early|0 of 1000", server + "/early?sent=0")
    await expect_all_closed(server)


async def test_a_reset_in_the_body_is_an_error(server):
    await expect(OSError, "/reset|broke the connection", server + "/reset?sent=100")


async def test_an_answer_that_is_no_http_is_an_error(server):
    for raw, words in (
        ("SSH-2.0-OpenSSH_9.9%0D%0A", "begins with b'SSH-2.0-OpenSSH_9.9'"),
        ("HTTP/2%20200%20OK%0D%0A%0D%0A", "begins with"),
        ("HTTP/1.1%20abc%20OK%0D%0A%0D%0A", "begins with"),
        ("HTTP/1.1%2020%20OK%0D%0A%0D%0A", "begins with"),
        ("HTTP/1.1%0D%0A%0D%0A", "begins with"),
        ("%80%FF%FE%0A", "begins with"),
        ("%00%FF%FE%0A", "NUL in the line"),
        ("HTTP/1.1%20099%20Low%0D%0A%0D%0A", "begins with"),
        ("HTTP/1.1%20200%20O%00K%0D%0A%0D%0A", "NUL in the line b'HTTP/1.1"),
        ("HTTP/1.1%20200%20OK%0D%0AX:%20a%0DY:%20b%0D%0A%0D%0A", "CR or NUL in the line b'X: a"),
        ("HTTP/1.1%20200%20OK%0D%0AX:%20a%00b%0D%0A%0D%0A", "CR or NUL in the line b'X: a"),
        ("HTTP/1.1%20200%20OK%0D%0AX:%20a%0D%0A%20b%0Dc%0D%0A%0D%0A", "CR or NUL in the line b' b"),
        ("HTTP/1.1%20200%20OK%0D%0Ano%20colon%0D%0A%0D%0A", "header line b'no colon'"),
        ("HTTP/1.1%20200%20OK%0D%0A:%20no%20name%0D%0A%0D%0A", "header line"),
        ("HTTP/1.1%20200%20OK%0D%0Aspace%20:%20x%0D%0A%0D%0A", "header line"),
        ("HTTP/1.1%20200%20OK%0D%0A%20folded%20first%0D%0A%0D%0A", "header line"),
        ("HTTP/1.1%20200%20OK%0D%0ATransfer-Encoding:%20gzip,%20chunked%0D%0A%0D%0A", "'gzip, chunked'"),
    ):
        error = await expect(http.HTTPError, "/raw|no valid HTTP|" + words, server + "/raw?raw=" + raw)
        assert error.status in (0, 200)
    await expect_all_closed(server)


async def test_no_answer_at_all_is_an_error(server):
    await expect(OSError, "/raw|closed the connection before it had answered", server + "/raw?raw=")
    await expect(OSError, "before it had answered", server + "/raw?raw=HTTP/1.1%20200%20OK%0D%0AX:%201")


async def test_a_wrong_length_is_an_error(server):
    for value in ("x", "-5", "5.0", "", "0x5", "1_0", "5%205", "9999999999999999"):
        error = await expect(http.HTTPError, "/length|Content-Length", server + "/length?value=" + value)
        assert error.status == 200
    await expect(http.HTTPError, "Content-Length '5, 6'", server + "/length?value=5&value=6")
    await expect(http.HTTPError, "Content-Length '5,6'", server + "/length?value=5,6")
    await expect_all_closed(server)


async def test_wrong_chunks_are_an_error(server):
    for raw in (
        "x%0D%0A",
        "%0D%0A",
        "-1%0D%0Aa%0D%0A",
        "+1%0D%0A",
        "1_0%0D%0A",
        "0x1%0D%0A",
        "1234567890123%0D%0A",
        "%20;%0D%0A",
    ):
        await expect(http.HTTPError, "no valid HTTP|chunk size", server + "/chunked_raw?raw=" + raw)
    await expect(
        http.HTTPError, "longer than it says", server + "/chunked_raw?raw=2%0D%0Aabc%0D%0A0%0D%0A%0D%0A"
    )
    await expect(http.HTTPError, "trailer", server + "/chunked_raw?raw=0%0D%0A" + "A:%20b%0D%0A" * 101)
    await expect(OSError, "ended early", server + "/chunked_raw?raw=0%0D%0A")
    await expect_all_closed(server)


async def test_an_answer_cut_anywhere_is_never_taken_for_a_whole_one(server):
    head = b"HTTP/1.1 200 OK\r\nX-One: 1\r\n"
    for answer in (
        head + b"Content-Length: 5\r\n\r\n12345",
        head + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\n123\r\n2\r\n45\r\n0\r\nX-Two: 2\r\n\r\n",
    ):
        encoded = ["%%%02X" % code for code in answer]
        url = server + "/raw?raw="
        async with await http.request("GET", url + "".join(encoded)) as response:
            assert await response.read() == b"12345"
        for length in range(len(encoded)):
            await expect(OSError, "try again", url + "".join(encoded[:length]))
    await expect_all_closed(server)


async def test_a_buffer_that_does_not_fit_into_the_heap_leaves_no_socket(server):
    await expect(MemoryError, "", server + "/fixed", buffer_size=1 << 40)
    await expect_all_closed(server)


async def test_a_head_that_would_fill_the_heap_is_refused(server):
    await expect(http.HTTPError, "more than 8192 bytes", server + "/huge_header?size=100000")
    await expect(http.HTTPError, "more than 100 header lines", server + "/many_headers?count=1000")
    await expect(http.HTTPError, "more than 16384 bytes", server + "/many_headers?count=4&size=8000")
    await expect(http.HTTPError, "informational", server + "/informational?count=1000")
    await expect_all_closed(server)


async def test_wrong_addresses_are_refused_before_anything_is_sent():
    for url, words in (
        ("", "http://"),
        ("/path", "http://"),
        ("example.org/?key=secret", "http://"),
        ("127.0.0.1/path", "http://"),
        ("ftp://host/", "http://"),
        ("http://", "no host"),
        ("http:///path", "no host"),
        ("http://:80/", "no host"),
        ("http://ho st/", "0x20|%20"),
        ("http://host/secret b", "byte 18|0x20|%20"),
        ("http://host/a\r\nX: y", "percent-encode"),
        ("http://host/a\x00", "percent-encode"),
        ("http://host/\u00e9", "percent-encode"),
        ("http://host\\evil/", "percent-encode"),
        ("http://host:0/", "'0'|1 to 65535"),
        ("http://host:65536/", "65535"),
        ("http://host:99999999999/", "65535"),
        ("http://host:x/", "'x'"),
        ("http://host:-1/", "'-1'"),
        ("http://[::1/", "IPv6"),
        ("http://[host]/", "'h'"),
        ("http://[]/", "no host"),
        ("http://::1/", "IPv6|brackets"),
        ("http://ho$t/", "'$'"),
    ):
        error = await expect(ValueError, words, url)
        assert "secret" not in str(error)
    error = await expect(ValueError, "Authorization", "http://name:secret@host/")
    assert "secret" not in str(error)
    await expect(TypeError, "str", b"http://host/")


async def test_nothing_can_be_smuggled_into_a_request():
    url = "http://127.0.0.1:1/"
    await expect(ValueError, "X-One", url, headers={"X-One": "a\r\nX-Two: b"})
    await expect(ValueError, "X-One", url, headers={"X-One": "a\nb"})
    await expect(ValueError, "X-One", url, headers={"X-One": "a\x00b"})
    for name in ("X One", "X:One", "X\r\nY", "", "\u00e9"):
        await expect(ValueError, "header name", url, headers={name: "a"})
    await expect(TypeError, "header name", url, headers={1: "a"})
    for value in (b"a", None, ["a"]):
        await expect(TypeError, "header X-One must be a str", url, headers={"X-One": value})
    await expect(TypeError, "dict", url, headers=[("X-One", "a")])
    await expect(ValueError, "content-length", url, headers={"Content-Length": "5"})
    await expect(ValueError, "transfer-encoding", url, headers={"Transfer-encoding": "chunked"})
    await expect(ValueError, "method", url, method="GET / HTTP/1.1\r\nX: ")
    await expect(ValueError, "timeout_ms", url, timeout_ms=0)
    await expect(ValueError, "buffer_size", url, buffer_size=0)


async def test_an_error_status_can_be_raised(server):
    for status, word in ((404, "address"), (500, "later"), (401, "credentials")):
        async with await http.request("GET", server + "/status/%d" % status) as response:
            try:
                response.raise_for_status()
            except http.HTTPError as error:
                assert error.status == status and error.reason == response.reason
                assert str(status) in str(error) and word in str(error) and server in str(error), error
            else:
                raise AssertionError("not raised")
    async with await http.request("GET", server + "/redirect/302", redirects=0) as response:
        try:
            response.raise_for_status()
        except http.HTTPError as error:
            assert error.location == "http://127.0.0.1/elsewhere"
            assert "302" in str(error) and error.location in str(error)
        else:
            raise AssertionError("not raised")
    await expect_all_closed(server)
