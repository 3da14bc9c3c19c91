"""DownloadManager: where the body goes, what the callbacks are told, and what is left after a failure."""

import asyncio
import gc
import hashlib
import os
from asyncio import core
from binascii import hexlify

from cancelling import cancel_at_each_await, interrupt_at_each_await
from conditions import until
from http_connections import expect_all_closed

from mpos.net.download_manager import DownloadManager

FILE = "download_test.bin"
PART = FILE + ".mpos-part"
NOTE = FILE + ".mpos-note"
OLD = b"the file that was there before"

download = DownloadManager.download_url


def sha256_of_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            block = file.read(512)
            if not block:
                return hexlify(digest.digest()).decode()
            digest.update(block)


def remove(path):
    try:
        os.remove(path)
    except OSError:
        pass


def write_old_file():
    with open(FILE, "wb") as file:
        file.write(OLD)


def expect_old_file():
    with open(FILE, "rb") as file:
        assert file.read() == OLD, "the old file is gone"
    expect_no_part()


def expect_no_part():
    assert PART not in os.listdir() and NOTE not in os.listdir(), "a partial file was left"


async def expect(error_type, words, *args, **options):
    try:
        result = await download(*args, **options)
    except error_type as error:
        for word in words.split("|"):
            assert word in str(error), "%r lacks %r" % (str(error), word)
        return error
    raise AssertionError("no %s but %r" % (error_type.__name__, result))


async def expected_sha256(server, size):
    """What the server says of a body of that size."""
    digest = hashlib.sha256()
    assert await download(server + "/fixed?size=%d" % size, chunk_callback=digest.update) is True
    return hexlify(digest.digest()).decode()


async def test_without_a_place_the_bytes_are_returned(server):
    for path in ("/fixed", "/chunked", "/until_close"):
        data = await download(server + path + "?size=10000")
        assert isinstance(data, bytes) and len(data) == 10000
    assert await download(server + "/fixed?size=0") == b""
    assert await download(server + "/status/204") == b""


async def test_a_file_is_written_and_true_returned(server):
    remove(FILE)
    for path in ("/fixed", "/chunked", "/until_close"):
        assert await download(server + path + "?size=30000", FILE) is True
        assert os.stat(FILE)[6] == 30000
        assert sha256_of_file(FILE) == await expected_sha256(server, 30000)
        expect_no_part()
    remove(FILE)


async def test_a_new_file_replaces_an_old_one(server):
    write_old_file()
    assert await download(server + "/fixed?size=10", outfile=FILE) is True
    assert os.stat(FILE)[6] == 10
    expect_no_part()
    remove(FILE)


async def test_chunks_go_to_a_plain_or_an_async_callback(server):
    for size in (100, 1000, 4096):
        plain = []
        assert (
            await download(server + "/fixed?size=9999", chunk_callback=plain.append, chunk_size=size) is True
        )

        later = []

        async def callback(chunk):
            await asyncio.sleep_ms(0)
            later.append(chunk)

        assert (
            await download(server + "/fixed?size=9999", None, None, None, callback, chunk_size=size) is True
        )
        for chunks in (plain, later):
            assert isinstance(chunks[0], bytes) and len(b"".join(chunks)) == 9999
            assert max([len(chunk) for chunk in chunks]) <= size
        assert b"".join(plain) == b"".join(later)


async def test_a_file_and_chunks_do_not_go_together(server):
    await expect(ValueError, "Cannot use both", server + "/fixed", outfile=FILE, chunk_callback=len)


async def test_progress_goes_up_from_0_to_100_and_never_repeats(server):
    seen = []

    async def progress(percent):
        await asyncio.sleep_ms(0)
        seen.append(percent)

    for callback in (seen.append, progress):
        for path, total_size in (
            ("/fixed?size=100000", None),
            ("/fixed?size=100000", 5),  # the server knows better
            ("/until_close?size=100000", 100000),
            ("/chunked?size=100000&chunk=900", 100000),
        ):
            del seen[:]
            await download(server + path, None, total_size, callback, len)
            assert seen[0] == 0 and seen[-1] == 100 and len(seen) > 10, seen
            for index in range(1, len(seen)):
                assert isinstance(seen[index], int) and seen[index] > seen[index - 1], seen


async def test_a_wrong_total_size_does_not_reach_100_too_early(server):
    seen = []
    await download(server + "/until_close?size=50000", None, 1000, seen.append, len)
    assert seen[-2:] == [99, 100]
    del seen[:]
    await download(server + "/until_close?size=1000", None, 100000, seen.append)
    assert seen[0] == 0 and seen[-1] == 100 and max(seen[:-1]) <= 1


async def test_progress_is_not_guessed_when_the_size_is_unknown(server):
    seen = []
    await download(
        server + "/chunked?size=100000&chunk=1000", progress_callback=seen.append, chunk_callback=len
    )
    assert seen == [0, 100]
    del seen[:]
    await download(server + "/fixed?size=0", progress_callback=seen.append)
    assert seen == [0, 100]


async def test_100_percent_is_told_when_the_file_is_in_place(server):
    remove(FILE)

    def progress(percent):
        assert (FILE in os.listdir()) == (percent == 100)

    await download(server + "/fixed?size=10000", outfile=FILE, progress_callback=progress)
    remove(FILE)


async def test_speed_is_told_every_second_and_at_the_end(server):
    speeds = []
    url = server + "/rate?size=110000&rate=50000"
    await download(url, chunk_callback=len, speed_callback=speeds.append)
    assert 2 <= len(speeds) <= 3, speeds
    for speed in speeds:
        assert isinstance(speed, int) and 25000 < speed < 75000, speeds


async def test_headers_are_sent(server):
    answer = await download(server + "/echo", headers={"X-One": "1"})
    assert b'"X-One: 1"' in bytes(answer)


async def test_statuses_that_are_no_success_raise_and_touch_no_file(server):
    write_old_file()
    for path, status, words in (
        ("/status/404", 404, "404 Not Found|/status/404|address"),
        ("/status/500", 500, "500 Internal Server Error|later"),
        ("/status/304", 304, "304"),
        ("/hop?status=301&to=?status=301%26to=", 301, "301|further than redirects are followed"),
    ):
        error = await expect(DownloadManager.HTTPError, words, server + path, FILE)
        assert error.status == status
        assert not DownloadManager.is_network_error(error)
        expect_old_file()
    await expect_all_closed(server)
    remove(FILE)


async def test_a_failed_download_leaves_the_old_file(server):
    write_old_file()
    for error_type, path in (
        (OSError, "/early?size=10000&sent=5000"),
        (OSError, "/early_chunked"),
        (OSError, "/reset"),
        (core.TimeoutError, "/stall?sent=500"),
        (DownloadManager.HTTPError, "/chunked_raw?raw=1%0D%0Aa%0D%0Ax%0D%0A"),
    ):
        timeout_ms = 200 if "stall" in path else 10000
        error = await expect(error_type, path, server + path, FILE, timeout_ms=timeout_ms, retries=0)
        assert DownloadManager.is_network_error(error) == (error_type is not DownloadManager.HTTPError)
        expect_old_file()
    await expect_all_closed(server)
    remove(FILE)


async def test_a_refused_connection_is_a_network_error():
    error = await expect(OSError, "refused", "http://127.0.0.1:1/x", FILE, retries=1)
    assert DownloadManager.is_network_error(error)
    assert not DownloadManager.is_network_error(OSError(28)) and not DownloadManager.is_network_error(
        ValueError()
    )


async def test_a_callback_that_raises_ends_the_download(server):
    write_old_file()

    class Mine(Exception):
        pass

    def plain(_):
        raise Mine("from a callback")

    async def later(_):
        await asyncio.sleep_ms(0)
        raise Mine("from a callback")

    for callback in (plain, later):
        for name in ("progress_callback", "chunk_callback", "speed_callback"):
            options = {name: callback}
            place = None if name == "chunk_callback" else FILE
            await expect(Mine, "from a callback", server + "/rate?size=15000&rate=10000", place, **options)
            if name != "speed_callback":
                expect_old_file()
            write_old_file()
    await expect_all_closed(server)
    remove(FILE)


async def test_a_file_that_cannot_be_made_is_an_error(server):
    await expect(OSError, "no_such_folder/file|folder", server + "/fixed", "no_such_folder/file")
    await expect(TypeError, "outfile", server + "/fixed", "")
    await expect(TypeError, "outfile", server + "/fixed", 5)
    await expect_all_closed(server)


async def test_a_full_flash_is_an_error_and_is_freed_again(server):
    status = os.statvfs("/")
    free = status[0] * status[3]
    if free > 16000000:
        return  # a disk, not a flash
    write_old_file()
    # More than all of it: LittleFS counts blocks twice that several small files share.
    whole = status[0] * status[2]
    error = await expect(OSError, FILE + "|no space left", server + "/big?size=%d" % whole, FILE)
    assert error.errno == 28 and not DownloadManager.is_network_error(error)
    expect_old_file()
    await expect_all_closed(server)
    remove(FILE)
    status = os.statvfs("/")
    assert status[0] * status[3] > free - 50000


async def test_two_downloads_into_one_file_do_not_mix(server):
    url = server + "/slow?size=100&pieces=4&delay=0.05"
    first = asyncio.create_task(download(url, FILE))
    await until(lambda: PART in os.listdir())
    await expect(RuntimeError, "another download|" + FILE, server + "/fixed?size=10", FILE)
    assert await first is True
    assert os.stat(FILE)[6] == 100
    assert await download(server + "/fixed?size=10", FILE) is True  # and it is free again
    remove(FILE)


async def test_one_file_by_several_names_is_one_file(server):
    first = asyncio.create_task(download(server + "/slow?size=100&pieces=4&delay=0.05", FILE))
    await until(lambda: PART in os.listdir("/"))
    for name in ("/" + FILE, "//" + FILE, "./" + FILE, "/./" + FILE, "/no_such_folder/../" + FILE):
        await expect(RuntimeError, "another download|" + FILE, server + "/fixed?size=10", name)
    assert await first is True
    assert os.stat(FILE)[6] == 100
    remove(FILE)


async def test_a_download_ends_up_where_it_was_to_go_when_it_began(server):
    os.mkdir("/elsewhere")
    try:
        task = asyncio.create_task(download(server + "/slow?size=100&pieces=4&delay=0.05", FILE))
        await until(lambda: PART in os.listdir("/"))
        os.chdir("/elsewhere")
        assert await task is True
        assert FILE in os.listdir("/") and not os.listdir("/elsewhere")
    finally:
        os.chdir("/")
        os.rmdir("/elsewhere")
        remove(FILE)


async def test_a_body_larger_than_the_heap_is_a_clear_error(server):
    for path in ("/early?size=4000000000&sent=10", "/early?size=999999999999999&sent=10"):
        await expect(MemoryError, "/early|do not fit|outfile", server + path)
    await expect_all_closed(server)


async def test_a_download_can_be_cancelled_at_each_await(server):
    write_old_file()

    async def check():
        await expect_all_closed(server)
        expect_no_part()
        if os.stat(FILE)[6] == 20000:
            write_old_file()  # it was complete
        expect_old_file()

    async def progress(_):
        await asyncio.sleep_ms(0)

    url = server + "/fixed?size=20000"
    for each in (cancel_at_each_await, interrupt_at_each_await):
        steps = await each(download, (url, FILE, None, progress), check)
        assert steps > 10, steps
        await each(download, (server + "/stall?sent=500", FILE, None, progress), check)
    remove(FILE)


async def test_a_secret_in_the_url_can_be_kept_out_of_messages(server):
    for path in (
        "/status/404?key=secret",
        "/early?key=secret",
        "/early?key=secret#secret",
        "/hop?status=301&to=ftp://host/%3Fkey%3Dsecret",
        "/hop?status=302&to=/status/404%3Fkey=secret",
    ):
        error = await expect(Exception, server, server + path, redact_url=True, retries=0)
        assert "secret" not in str(error), error
    answer = await DownloadManager.download_all([server + "/status/404?key=secret"], redact_url=True)
    assert "secret" not in str(answer[0]) and str(answer[0]).startswith("HTTP 404")


async def test_data_can_be_posted(server):
    answer = await DownloadManager.post_url(server + "/echo", b"12345", {"Content-Type": "text/plain"})
    assert b'"method": "POST"' in answer and b'"body_size": 5' in answer
    answer = await DownloadManager.post_url(server + "/echo")
    assert b'"body_size": 0' in answer
    try:
        await DownloadManager.post_url(server + "/status/500", b"x")
    except DownloadManager.HTTPError as error:
        assert error.status == 500
    else:
        raise AssertionError("not raised")


async def test_a_download_leaves_nothing_on_the_heap(server):
    async def some():
        await download(server + "/fixed?size=200000", FILE)
        await download(server + "/chunked?size=100000&chunk=777", chunk_callback=len)

    await some()
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(3):
        await some()
    gc.collect()
    assert gc.mem_alloc() - before < 1000, gc.mem_alloc() - before
    remove(FILE)


async def test_the_heap_stays_flat_during_a_download(server):
    used = []

    def progress(percent):
        if percent % 10 == 5:
            gc.collect()
            used.append(gc.mem_alloc())

    await download(server + "/big?size=1000000", chunk_callback=len, progress_callback=progress)
    assert len(used) >= 5
    assert max(used) - min(used) < 1000, used


async def test_other_tasks_run_after_each_piece(server):
    turns = 0
    pieces = []  # the turns that the other task had had at each piece

    async def other():
        nonlocal turns
        while True:
            await asyncio.sleep_ms(0)
            turns += 1

    other_task = asyncio.create_task(other())
    try:
        # The server sends as fast as it can; the second one many pieces in each packet.
        for path in ("/big?size=400000", "/chunked?size=500&chunk=1"):
            del pieces[:]
            await download(server + path, chunk_callback=lambda _: pieces.append(turns))
            assert len(pieces) >= 50
            for index in range(1, len(pieces)):
                assert pieces[index] > pieces[index - 1], "no turn between two pieces"
    finally:
        other_task.cancel()
