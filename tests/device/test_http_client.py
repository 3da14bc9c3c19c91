"""The HTTP client against a real server: what arrives, in which framing, and what is sent."""

import asyncio
import gc
import hashlib
import json
from binascii import hexlify

from mpos.net import http


async def get(url, **options):
    async with await http.request("GET", url, **options) as response:
        return response, await response.read()


def sha256(data):
    return hexlify(hashlib.sha256(data).digest()).decode()


async def expect_whole(url, **options):
    response, body = await get(url, **options)
    assert response.status == 200
    assert sha256(body) == response.headers["x-sha256"], len(body)
    return response, body


async def test_a_body_with_a_length_arrives_whole(server):
    response, body = await expect_whole(server + "/fixed?size=10000")
    assert response.length == len(body) == 10000
    assert response.reason == "OK"


async def test_an_empty_body_is_empty(server):
    _, body = await get(server + "/fixed?size=0")
    assert body == b""


async def test_a_body_without_length_ends_with_the_connection(server):
    response, body = await expect_whole(server + "/until_close?size=12345")
    assert response.length is None and len(body) == 12345


async def test_chunks_are_joined(server):
    response, body = await expect_whole(server + "/chunked?size=10000&chunk=1000")
    assert response.length is None and len(body) == 10000


async def test_chunks_of_any_size_with_extensions_and_trailers_are_joined(server):
    for chunk in (1, 3, 100, 3000, 9000):
        await expect_whole(server + "/chunked?odd&size=8000&chunk=%d" % chunk)


async def test_any_buffer_size_gives_the_same_body(server):
    for size in (1, 2, 3, 7, 64, 1000, 16384):
        for path in ("/fixed?size=5000", "/chunked?odd&size=5000&chunk=37", "/until_close?size=5000"):
            response, body = await get(server + path, buffer_size=size)
            assert sha256(body) == response.headers["x-sha256"], (path, size)


async def test_a_body_can_be_read_in_parts(server):
    async with await http.request("GET", server + "/chunked?size=5000&chunk=700") as response:
        digest = hashlib.sha256(await response.read(10))
        buffer = bytearray(64)
        digest.update(buffer[: await response.readinto(buffer)])
        assert await response.read(0) == b""
        async for piece in response:
            digest.update(piece)
        assert await response.read(10) == b"" and await response.read() == b""
    assert hexlify(digest.digest()).decode() == response.headers["x-sha256"]


async def test_read_after_a_part_gives_the_rest(server):
    async with await http.request("GET", server + "/fixed?size=5000") as response:
        start = await response.read(100)
        assert 0 < len(start) <= 100
        rest = await response.read()
    assert sha256(start + rest) == response.headers["x-sha256"]


async def test_a_slow_body_arrives_whole(server):
    await expect_whole(server + "/slow?size=1000&pieces=5&delay=0.05")


async def test_statuses_without_a_body_do_not_wait_for_one(server):
    for status in (204, 304):
        response, body = await get(server + "/status/%d" % status)
        assert response.status == status and body == b""


async def test_a_head_request_does_not_wait_for_a_body(server):
    async with await http.request("HEAD", server + "/stall?size=1000&sent=0") as response:
        assert response.headers["content-length"] == "1000"
        assert await response.read() == b""


async def test_the_status_of_a_failure_comes_with_its_body(server):
    response, body = await get(server + "/status/500")
    assert (response.status, response.reason) == (500, "Internal Server Error")
    assert body == b"an explanation\n"


async def test_informational_answers_are_passed_over(server):
    response, body = await get(server + "/informational?count=3")
    assert response.status == 200 and body == b"real"


async def test_old_forms_of_a_head_are_understood(server):
    raw = "HTTP/1.0%20200%0AX-Folded:%20one%0D%0A%20two%0AX-Empty:%0A"
    raw += "Set-Cookie:%20a%0ASet-Cookie:%20b%0AX-Latin:%20%E9%0A%0Abody"
    response, body = await get(server + "/raw?raw=" + raw)
    assert response.status == 200 and response.reason == "" and body == b"body"
    assert response.headers["x-folded"] == "one two"
    assert response.headers["x-empty"] == ""
    assert response.headers["set-cookie"] == "a, b"
    assert response.headers["x-latin"] == "\xe9"


async def test_the_same_length_twice_is_one_length(server):
    response, body = await get(server + "/length?value=5&value=5")
    assert response.length == 5 and body == b"12345"


async def test_a_long_header_line_is_kept(server):
    response, _ = await get(server + "/huge_header?size=8000", buffer_size=1000)
    assert len(response.headers["x-huge"]) == 8000


async def echo(server, method="GET", path="/echo", **options):
    async with await http.request(method, server + path, **options) as response:
        answer = json.loads(await response.read())
    headers = {}
    for line in answer["headers"]:
        name, _, value = line.partition(": ")
        assert name.lower() not in headers, "sent twice: " + name
        headers[name.lower()] = value
    return answer, headers


async def test_the_request_is_complete(server):
    answer, headers = await echo(server, path="/echo?a=1&b=%20#fragment")
    assert answer["method"] == "GET" and answer["target"] == "/echo?a=1&b=%20"
    assert headers["host"] == server.split("//")[1]
    assert headers["accept-encoding"] == "identity"
    assert "content-length" not in headers


async def test_headers_are_sent_and_replace_the_clients_own(server):
    _, headers = await echo(
        server, headers={"X-One": "1", "x-number": 2, "USER-AGENT": "me", "Host": "other"}
    )
    assert headers["x-one"] == "1" and headers["x-number"] == "2"
    assert headers["user-agent"] == "me" and headers["host"] == "other"


async def test_a_body_is_sent_whole(server):
    for body in (b"", "text \u00e9", b"x", bytearray(100), memoryview(bytes(range(256)) * 40)):
        answer, headers = await echo(server, "POST", body=body)
        sent = body.encode() if isinstance(body, str) else bytes(body)
        assert headers["content-length"] == str(len(sent))
        assert answer["body_size"] == len(sent) and answer["body_sha256"] == sha256(sent)


async def test_localhost_and_a_query_without_a_path_work(server):
    url = server.replace("127.0.0.1", "LocalHost")
    await expect_whole(url + "/fixed?size=10")
    async with await http.request("GET", url + "?x=1") as response:
        assert response.status == 404


async def test_many_requests_side_by_side_do_not_mix(server):
    urls = [server + "/chunked?odd&chunk=50&size=%d" % (1000 + 100 * number) for number in range(8)]
    results = await asyncio.gather(*[expect_whole(url, buffer_size=512) for url in urls])
    for index, (_, body) in enumerate(results):
        assert len(body) == 1000 + 100 * index


async def test_a_request_leaves_nothing_on_the_heap(server):
    async def some():
        for _ in range(20):
            await expect_whole(server + "/chunked?odd&size=3000&chunk=100")

    await some()
    gc.collect()
    before = gc.mem_alloc()
    await some()
    gc.collect()
    assert gc.mem_alloc() - before < 1000, gc.mem_alloc() - before
