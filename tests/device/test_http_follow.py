"""Redirects, compressed bodies and kept connections, against real servers."""

import hashlib
import json
from binascii import hexlify

from http_connections import expect_all_closed

from mpos.net import http, pool


async def body_from(url, **options):
    async with await http.get(url, **options) as response:
        return response, await response.read()


async def expect(words, url, **options):
    try:
        async with await http.get(url, **options) as response:
            await response.read()
    except http.HTTPError as error:
        for word in words.split("|"):
            assert word in str(error), "%r lacks %r" % (str(error), word)
        return
    raise AssertionError("not raised")


async def echo(url, method="GET", **options):
    async with await http.request(method, url, **options) as response:
        return json.loads(await response.read())


async def test_redirects_are_followed(server):
    for status in (301, 302, 303, 307, 308):
        for target in ("/echo", server + "/echo", "echo", "./x/../echo", server.partition(":")[2] + "/echo"):
            answer = await echo(server + "/hop?status=%d&to=%s" % (status, target))
            assert answer["method"] == "GET" and answer["target"] == "/echo", answer
    await expect_all_closed(server)


async def test_what_is_posted_is_sent_again_only_where_it_must_be(server):
    for status, method, size in (
        (301, "GET", 0),
        (302, "GET", 0),
        (303, "GET", 0),
        (307, "POST", 3),
        (308, "POST", 3),
    ):
        answer = await echo(server + "/hop?status=%d&to=/echo" % status, "POST", body=b"abc")
        assert (answer["method"], answer["body_size"]) == (method, size), (status, answer)


async def test_another_host_gets_no_secrets(server):
    secrets = {"Authorization": "s", "Cookie": "s", "X-Api-Key": "s", "X-Auth-Token": "s"}
    headers = dict(secrets)
    headers["X-Other"] = "kept"
    for target, kept in (("/echo", True), (server.replace("127.0.0.1", "localhost") + "/echo", False)):
        answer = await echo(server + "/hop?status=302&to=" + target, headers=headers)
        lines = "\n".join(answer["headers"])
        assert "X-Other: kept" in lines
        for name in secrets:
            assert ((name + ": s") in lines) == kept, (name, lines)


async def test_redirects_in_a_circle_end(server):
    url = server + "/hop?status=302&to=?status=302%26to="
    response, _ = await body_from(url)
    assert response.status == 302
    await expect("cannot be used", server + "/hop?status=302&to=ftp://host/")
    await expect_all_closed(server)


async def test_compressed_bodies_are_decoded_whether_asked_for_or_not(server):
    for coding in ("gzip", "x-gzip", "deflate", "raw"):
        for size in (0, 1, 1000, 60000):
            for buffer_size in (64, 4096):
                url = server + "/encoded?coding=%s&size=%d" % (coding, size)
                response, body = await body_from(url, buffer_size=buffer_size)
                found = hexlify(hashlib.sha256(body).digest()).decode()
                assert found == response.headers["x-sha256"], (coding, size, buffer_size, len(body))
    await expect_all_closed(server)


async def test_damaged_and_unknown_codings_are_refused(server):
    url = server + "/encoded?size=20000&coding="
    await expect("br|not asked for", url + "br")
    await expect("damaged", url + "gzip&damage")
    await expect("damaged", url + "gzip&cut=100")
    await expect("after", url + "gzip&more=3")
    await expect("damaged", url + "gzip&cut=9")
    await expect_all_closed(server)


async def test_the_size_of_a_body_can_be_limited(server):
    await expect("larger than the 1000", server + "/fixed?size=1001", max_size=1000)
    await expect("larger than the 1000", server + "/chunked?size=5000&chunk=500", max_size=1000)
    await expect("larger than the 1000", server + "/encoded?coding=gzip&size=50000", max_size=1000)
    _, body = await body_from(server + "/fixed?size=1000", max_size=1000)
    assert len(body) == 1000


async def test_connections_are_kept_and_bounded(tls_servers):
    pool.close_all()
    kept = None
    for _ in range(3):
        url = "https://127.0.0.1:%d/" % tls_servers["ports"]["address"]
        response, body = await body_from(url, verify=False)
        assert body == b"address"
        (one,) = pool._kept
        assert kept is None or one.connection is kept, "a new connection was made"
        kept = one.connection
    for case in ("intermediate", "elliptic", "name"):
        await body_from("https://127.0.0.1:%d/" % tls_servers["ports"][case], verify=False)
        assert len(pool._kept) <= 2
    pool.close_all()
    assert not pool._kept and not kept.is_open()
