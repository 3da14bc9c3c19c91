"""Sending to a server that takes its time, or hangs up."""

import asyncio
import hashlib
import time
from binascii import hexlify

from mpos.net import http
from mpos.net.connection import connect


def sha256(data):
    return hexlify(hashlib.sha256(data).digest()).decode()


async def open_with_small_buffer(server, timeout_ms):
    """A connection whose socket keeps little of what is sent (Linux: SOL_SOCKET 1, SO_SNDBUF 7)."""
    port = int(server.rsplit(":", 1)[1])
    connection = await connect("127.0.0.1", port, server, timeout_ms, 4096)
    connection._socket.setsockopt(1, 7, 1024)
    return connection


async def test_a_body_that_the_server_takes_slowly_is_sent_whole(server):
    # The smallest send buffer of the system, so that it takes a part at a time.
    connection = await open_with_small_buffer(server, 2000)
    body = bytes(range(256)) * 60
    head = "POST /echo HTTP/1.1\r\nX-Read-Delay: 0.2\r\nContent-Length: %d\r\n\r\n" % len(body)
    try:
        await connection.write(head.encode())
        await connection.write(body)
        while not connection.eof:
            await connection.more()
            if b'"body_sha256": "%s"' % sha256(body).encode() in bytes(connection.view[: connection.end]):
                return
            connection.start = connection.end
        raise AssertionError("the server got something else")
    finally:
        connection.close()


async def test_a_server_that_takes_nothing_is_given_up(server):
    connection = await open_with_small_buffer(server, 150)
    try:
        await connection.write(b"POST /echo HTTP/1.1\r\nX-Read-Delay: 3\r\nContent-Length: 9999999\r\n\r\n")
        block = bytes(8192)
        for _ in range(1000):  # until all buffers on the way are full
            await connection.write(block)
    except asyncio.TimeoutError as error:
        assert "took no data for 150 ms" in str(error)
    else:
        raise AssertionError("8 MB were taken by a server that does not read")
    finally:
        connection.close()


async def test_a_server_that_hangs_up_while_it_is_sent_to_is_an_error(server):
    connection = await open_with_small_buffer(server, 2000)
    try:
        await connection.write(b"POST / HTTP/1.1\r\nX-Hang-Up: 1\r\n\r\n")
        while not connection.eof:
            await connection.more()
        for _ in range(100):
            await connection.write(bytes(100))
            await asyncio.sleep_ms(1)
    except OSError as error:
        assert server in str(error) and "broke the connection" in str(error), error
    else:
        raise AssertionError("10 KB were sent to a server that hung up")
    finally:
        connection.close()


async def test_a_small_body_does_not_wait_behind_its_head(server):
    # Without TCP_NODELAY each takes 40 ms where the peer delays its acknowledgements. Any may take long when
    # the computer is busy, but not all of them.
    took = []
    while len(took) < 10 or min(took) >= 38 and len(took) < 100:
        began = time.ticks_ms()
        async with await http.request("POST", server + "/echo", body=b"small") as response:
            await response.read()
        took.append(time.ticks_diff(time.ticks_ms(), began))
    assert min(took) < 38, took
