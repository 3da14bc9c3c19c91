"""Downloads over connections that break: they go on where they were, and only with what is still the same."""

import asyncio
import hashlib
import os
from binascii import hexlify

from cancelling import cancel_at_each_await
from http_connections import expect_all_closed

from mpos.net.download_manager import DownloadManager

FILE = "resume_test.bin"
TIMEOUT = 60

download = DownloadManager.download_url


def remove_all():
    for name in os.listdir():
        if name.startswith(FILE):
            os.remove(name)


def files():
    return sorted([name for name in os.listdir() if name.startswith(FILE)])


def sha256_of_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            block = file.read(512)
            if not block:
                return hexlify(digest.digest()).decode()
            digest.update(block)


async def sha256(server, size):
    """What the server's body of that size has."""
    digest = hashlib.sha256()
    await download(server + "/fixed?size=%d" % size, chunk_callback=digest.update)
    return hexlify(digest.digest()).decode()


async def expect(error_type, words, *args, **options):
    try:
        result = await download(*args, **options)
    except error_type as error:
        for word in words.split("|"):
            assert word in str(error), "%r lacks %r" % (str(error), word)
        return error
    raise AssertionError("no %s but %r" % (error_type.__name__, result))


async def test_each_mode_goes_on_after_a_connection_broke(server):
    remove_all()
    size = 100000
    right = await sha256(server, size)
    for query in ("&etag=one", ""):  # without an ETag the size must do
        url = server + "/ranged?size=%d&drop=30000%s" % (size, query)
        percents = []
        assert await download(url, FILE, progress_callback=percents.append) is True
        assert sha256_of_file(FILE) == right and files() == [FILE]
        assert percents == sorted(set(percents)) and percents[-1] == 100, percents

        data = await download(url)
        assert hexlify(hashlib.sha256(data).digest()).decode() == right

        digest = hashlib.sha256()
        assert await download(url, chunk_callback=digest.update) is True
        assert hexlify(digest.digest()).decode() == right
        await expect_all_closed(server)
    remove_all()


async def test_a_server_without_ranges_is_begun_anew(server):
    remove_all()
    right = await sha256(server, 50000)
    url = server + "/ranged?no_range=1&size=50000&etag=one&drop=20000&times=2&cut="
    assert await download(url + "file", FILE) is True
    assert sha256_of_file(FILE) == right
    data = await download(url + "memory")
    assert hexlify(hashlib.sha256(data).digest()).decode() == right
    # What a callback has got cannot be taken back.
    await expect(DownloadManager.HTTPError, "begin anew", url + "chunks", chunk_callback=len)
    remove_all()


async def test_a_server_that_always_breaks_is_given_up(server):
    remove_all()
    url = server + "/ranged?no_range=1&size=50000&etag=one&drop=20000"
    await expect(OSError, "ended early", url, FILE, retries=1)
    await expect(OSError, "ended early", url, retries=1)
    await expect_all_closed(server)
    remove_all()


async def test_a_later_call_goes_on_with_what_is_there(server):
    remove_all()
    right = await sha256(server, 60000)
    url = server + "/ranged?size=60000&etag=one&cut=later&drop=25000"
    await expect(OSError, "ended early", url, FILE, retries=0)
    assert FILE not in files() and len(files()) == 2
    assert 0 < DownloadManager.get_resume_position(FILE) <= 25000
    arrived = []
    percents = []
    assert await download(url, FILE, progress_callback=percents.append, speed_callback=arrived.append) is True
    assert sha256_of_file(FILE) == right and files() == [FILE]
    assert percents[1] >= 25, percents  # it did not begin at 0
    remove_all()


async def test_another_version_is_never_mixed_in(server):
    remove_all()
    right = await sha256(server, 60000)
    url = server + "/ranged?size=60000&drop=25000&cut=%s&etag=%s"
    await expect(OSError, "ended early", url % ("versions", "one"), FILE, retries=0)
    # The same URL with another ETag: what the note says is changed, as the server cannot be.
    for name in os.listdir():
        if name.endswith(".mpos-note"):
            with open(name) as file:
                note = file.read()
            with open(name, "w") as file:
                file.write(note.replace("one", "old"))
    with open(FILE + ".mpos-part", "r+b") as file:
        file.write(b"old")
    assert await download(url % ("versions", "one"), FILE) is True
    assert sha256_of_file(FILE) == right
    remove_all()


async def test_a_part_of_another_url_or_without_a_note_is_not_used(server):
    remove_all()
    right = await sha256(server, 60000)
    for note in ("", "no json", "[1]", '{"source": "another", "validator": "\\"one\\""}'):
        with open(FILE + ".mpos-part", "wb") as file:
            file.write(b"x" * 30000)
        with open(FILE + ".mpos-note", "w") as file:
            file.write(note)
        assert await download(server + "/ranged?size=60000&etag=one", FILE) is True
        assert sha256_of_file(FILE) == right and files() == [FILE]
    remove_all()


async def test_a_wrong_part_is_not_taken(server):
    remove_all()
    right = await sha256(server, 60000)
    for broken in ("offset", "total", "none"):
        url = server + "/ranged?size=60000&etag=one&drop=25000&broken=%s&cut=%s" % (broken, broken)
        assert await download(url, FILE) is True  # begun anew
        assert sha256_of_file(FILE) == right, broken
    await expect_all_closed(server)
    remove_all()


async def test_nothing_is_kept_that_nobody_can_tell_the_version_of(server):
    remove_all()
    await expect(OSError, "ended early", server + "/early?size=1000&sent=500", FILE, retries=0)
    assert not files()


async def test_a_hash_is_checked(server):
    remove_all()
    right = await sha256(server, 60000)
    url = server + "/ranged?size=60000&drop=25000"
    for hash in (right, right.upper(), bytes.fromhex(right)):
        assert await download(url, FILE, sha256=hash) is True
    assert len(await download(url, sha256=right)) == 60000
    assert await download(url, chunk_callback=len, sha256=right) is True
    remove_all()
    wrong = "00" * 32
    error = await expect(ValueError, right + "|" + wrong, url, FILE, sha256=wrong)
    assert not DownloadManager.is_network_error(error) and not files()
    await expect(ValueError, right, url, sha256=wrong)
    for hash in ("00", "xx" * 32, b"short"):
        await expect(ValueError, "64 hexadecimal", url, sha256=hash)


async def test_a_part_that_was_damaged_on_the_flash_is_begun_anew(server):
    remove_all()
    right = await sha256(server, 60000)
    url = server + "/ranged?size=60000&etag=one&cut=damaged&drop=25000"
    await expect(OSError, "ended early", url, FILE, retries=0, sha256=right)
    with open(FILE + ".mpos-part", "r+b") as file:
        file.write(b"damaged")
    assert await download(url, FILE, sha256=right) is True
    assert sha256_of_file(FILE) == right
    remove_all()


async def test_a_deadline_for_all_ends_it(server):
    remove_all()
    url = server + "/rate?size=100000&rate=1000"
    await expect(asyncio.TimeoutError, "in all", url, FILE, total_timeout_ms=300)
    await expect(asyncio.TimeoutError, "in all", server + "/stall", total_timeout_ms=200)
    await expect_all_closed(server)
    assert not files()


async def test_a_range_of_the_callers_own_demands_that_part(server):
    remove_all()
    url = server + "/ranged?size=60000&drop=9000&etag=one"
    whole = await download(url)
    assert await download(url, headers={"Range": "bytes=30000-"}) == whole[30000:]
    assert await download(url, headers={"range": "bytes=10-30009"}) == whole[10:30010]
    assert await download(url, FILE, headers={"Range": "bytes=59990-"}) is True
    with open(FILE, "rb") as file:
        assert file.read() == whole[59990:]
    percents = []
    await download(url, None, None, percents.append, headers={"Range": "bytes=30000-"})
    assert percents[1] >= 50, percents
    error = await expect(
        DownloadManager.HTTPError, "HTTP 200|Range", server + "/fixed?size=10", headers={"Range": "bytes=5-"}
    )
    assert error.status == 200
    for value in ("bytes=-5", "bytes=1-2,4-5", "lines=1-", "x"):
        await expect(ValueError, "Range", url, headers={"Range": value})
    await expect_all_closed(server)
    remove_all()


async def test_a_part_that_nobody_asked_for_is_refused(server):
    raw = "HTTP/1.1%20206%20Partial%0D%0AContent-Range:%20bytes%200-3/8%0D%0A%0D%0Aabcd"
    await expect(DownloadManager.HTTPError, "HTTP 206|nobody asked", server + "/raw?raw=" + raw)


async def test_x_and_the_names_of_its_parts_do_not_collide(server):
    remove_all()
    for end in (".mpos-part", ".mpos-note"):
        await expect(ValueError, "take another", server + "/fixed", FILE + end)
    first = asyncio.create_task(download(server + "/slow?size=100&pieces=4&delay=0.05", FILE))
    second = asyncio.create_task(download(server + "/slow?size=200&pieces=4&delay=0.05", FILE + ".part"))
    assert await first is True and await second is True
    assert os.stat(FILE)[6] == 100 and os.stat(FILE + ".part")[6] == 200
    remove_all()


async def test_a_resumed_download_can_be_cancelled_at_each_await(server):
    remove_all()
    right = await sha256(server, 20000)
    url = server + "/ranged?size=20000&drop=7000&etag=one"

    async def check():
        await expect_all_closed(server)

    steps = await cancel_at_each_await(download, (url, FILE), check)
    assert steps > 5, steps
    assert await download(url, FILE) is True  # what was left is of use
    assert sha256_of_file(FILE) == right and files() == [FILE]
    remove_all()


async def test_a_hundred_faults_leave_it_whole_or_are_told(server):
    remove_all()
    right = await sha256(server, 20000)
    for number in range(34):
        for mode in ("file", "memory", "chunks"):
            digest = hashlib.sha256()
            url = server + "/ranged?size=20000&etag=one&drop=%d&cut=%s%d" % (601 * number + 1, mode, number)
            try:
                if mode == "file":
                    await download(url, FILE, retries=0)
                elif mode == "memory":
                    digest.update(await download(url, retries=0))
                else:
                    await download(url, chunk_callback=digest.update, retries=0)
            except OSError as error:
                assert "ended early" in str(error), error
                if mode == "file":
                    # The part is of use: with a server that holds, it is completed.
                    assert FILE not in files() and await download(url, FILE) is True
                else:
                    continue
            found = sha256_of_file(FILE) if mode == "file" else hexlify(digest.digest()).decode()
            assert found == right, (number, mode)
        remove_all()
    await expect_all_closed(server)


async def test_many_are_downloaded_with_a_limit(server):
    urls = [server + "/fixed?size=%d" % size for size in range(100, 112)]
    urls[3] = server + "/status/404"
    results = await DownloadManager.download_all(urls, limit=3)
    for index, result in enumerate(results):
        if index == 3:
            assert isinstance(result, DownloadManager.HTTPError) and result.status == 404
        else:
            assert len(result) == 100 + index
    assert await DownloadManager.download_all([]) == []
    try:
        await DownloadManager.download_all(urls, limit=0)
    except ValueError as error:
        assert "limit" in str(error)
    else:
        raise AssertionError("not refused")


async def test_network_errors_are_told_by_type_number_and_words():
    is_network_error = DownloadManager.is_network_error
    errors = [OSError(-code, "x") for code in (110, 113, 104, 118, 202)]
    errors += [OSError(code) for code in (32, 103, 104, 110, 111, 113)]
    errors += [asyncio.TimeoutError(), OSError(-1, "Failed to download chunk after retries")]
    for text in ("Connection reset by peer", "CONNECTION ABORTED", "Broken pipe", "Network unreachable"):
        errors.append(Exception(text))
    for error in errors:
        assert is_network_error(error), error
    for error in (
        ValueError("x"),
        RuntimeError("HTTP 404"),
        OSError(-2, "x"),
        OSError(-13, "x"),
        OSError(28),
    ):
        assert not is_network_error(error), error


def test_plain_code_runs_the_loop_until_done(server):
    from mpos.net import download_manager

    assert len(DownloadManager.download_url(server + "/fixed?size=1000")) == 1000
    assert b'"body_size": 3' in download_manager.post_url(server + "/echo", b"abc")
    assert [len(one) for one in download_manager.download_all([server + "/fixed?size=5"])] == [5]
    try:
        download_manager.download_url(server + "/status/404")
    except RuntimeError as error:
        assert str(error).startswith("HTTP 404"), error
    else:
        raise AssertionError("not raised")
    assert download_manager.get_resume_position("/no_such_file") == 0
    assert download_manager.is_network_error(OSError(104))
