"""Whatever ends a request, at whichever await: the socket is closed and nothing waits for it any more."""

import asyncio
from asyncio import core

from cancelling import cancel_at_each_await, interrupt_at_each_await
from conditions import until
from http_connections import expect_all_closed

from mpos.net import http

PATHS = (
    "/fixed?size=20000",
    "/chunked?odd&size=3000&chunk=500",
    "/until_close?size=5000",
    "/slow?size=100&pieces=4&delay=0.02",
    "/stall?sent=100",
    "/stall_in_head",
)


async def read_all(url, method="GET", **options):
    async with await http.request(method, url, **options) as response:
        return await response.read()


async def test_a_request_can_be_cancelled_at_each_await(server):
    for path in PATHS:
        steps = await cancel_at_each_await(read_all, (server + path,), lambda: expect_all_closed(server))
        assert steps >= 2, (path, steps)


async def test_a_request_can_be_interrupted_at_each_await(server):
    for path in PATHS:
        steps = await interrupt_at_each_await(read_all, (server + path,), lambda: expect_all_closed(server))
        assert steps >= 2, (path, steps)


async def test_a_connection_that_is_not_answered_can_be_cancelled(server):
    url = (await read_all(server + "/full_listener")).decode()
    await cancel_at_each_await(read_all, (url,), lambda: expect_all_closed(server))


async def test_a_cancelled_request_leaves_no_timer(server):
    # A deadline that was left in the loop's queue would hit whatever the task waits for next.
    async def one_after_the_other():
        try:
            await asyncio.wait_for_ms(read_all(server + "/stall_before_head", timeout_ms=200), 100)
        except core.TimeoutError:
            pass
        return await read_all(server + "/slow?size=10&pieces=1&delay=0.3", timeout_ms=None)

    assert len(await one_after_the_other()) == 10


async def test_the_requests_own_timeout_is_told_from_that_of_wait_for(server):
    try:
        await asyncio.wait_for_ms(read_all(server + "/stall", timeout_ms=100), 5000)
    except core.TimeoutError as error:
        assert "sent nothing for 100 ms" in str(error)
    else:
        raise AssertionError("no timeout")
    await expect_all_closed(server)


async def test_closing_a_response_ends_a_read_that_waits(server):
    response = await http.request("GET", server + "/stall?sent=0")
    reader = asyncio.create_task(response.read())
    await until(response._connection._deadline.waiting)
    response.close()
    response.close()
    try:
        await reader
    except OSError as error:
        assert "closed on this side" in str(error)
    else:
        raise AssertionError("the read went on")
    await expect_all_closed(server)


async def test_reading_after_closing_is_an_error(server):
    response = await http.request("GET", server + "/fixed?size=20000")
    response.close()
    try:
        await response.read()
    except OSError as error:
        assert "closed on this side" in str(error)
    else:
        raise AssertionError("read from a closed response")


async def test_two_tasks_cannot_read_one_response(server):
    response = await http.request("GET", server + "/stall?sent=0", timeout_ms=1000)
    first = asyncio.create_task(response.read())
    await until(response._connection._deadline.waiting)
    try:
        await response.read()
    except RuntimeError as error:
        assert "two tasks" in str(error)
    else:
        raise AssertionError("both read")
    try:
        await first
    except OSError:
        pass
    await expect_all_closed(server)
