"""Host names are looked up on the loop: from a real DNS server, one that misbehaves, and none at all."""

import asyncio
import os
from asyncio import core

from mpos.net import resolver
from mpos.net.http import get

HOSTS = "/hosts_of_the_test"
TIMEOUT = 40


class asking:
    """Have the resolver ask that server, with nothing remembered, for the length of a `with`."""

    def __init__(self, *servers):
        self.servers = list(servers)

    def __enter__(self):
        self.before = resolver.servers
        resolver.servers = self.servers
        resolver.clear_cache()

    def __exit__(self, *_):
        resolver.servers = self.before
        resolver.clear_cache()


async def expect(error_type, words, name, timeout_ms=5000):
    try:
        found = await resolver.resolve(name, timeout_ms)
    except error_type as error:
        for word in words.split("|"):
            assert word in str(error), "%r lacks %r" % (str(error), word)
    else:
        raise AssertionError("%s has %s" % (name, found))
    expect_nothing_waits()


def expect_nothing_waits():
    assert not resolver._pending
    for entry in core._io_queue.map.values():
        assert entry[0] is None and entry[1] is None, entry


async def test_addresses_and_localhost_are_asked_of_nobody():
    with asking():
        for name in ("1.2.3.4", "127.0.0.1", "::1", "localhost", "LOCALHOST"):
            found = await resolver.resolve(name)
            assert found == ["127.0.0.1" if name.lower() == "localhost" else name]


async def test_a_name_is_looked_up(dns_port):
    with asking(("127.0.0.1", dns_port)):
        for name in (
            "plain.test",
            "PLAIN.test.",
            "alias.test",
            "short-alias.test",
            "long.test",
            "forged.test",
        ):
            assert await resolver.resolve(name) == ["127.0.0.1"], name
        if hasattr(__import__("socket"), "AF_INET6"):
            assert await resolver.resolve("six.test") == ["0:0:0:0:0:0:0:1"]
        expect_nothing_waits()


async def test_a_lost_answer_is_asked_for_again(dns_port):
    with asking(("127.0.0.1", dns_port)):
        assert await resolver.resolve("once.%d.test" % os.urandom(1)[0]) == ["127.0.0.1"]


async def test_the_next_server_is_asked_when_one_fails(dns_port):
    for other in (("127.0.0.1", 1), ("127.0.0.1", dns_port)):
        with asking(other, ("127.0.0.1", dns_port)):
            assert await resolver.resolve("plain.test") == ["127.0.0.1"]


async def test_names_that_are_not_there_say_so(dns_port):
    with asking(("127.0.0.1", dns_port)):
        await expect(OSError, "nobody.test|not found", "nobody.test")
        await expect(OSError, "circle.test|not found", "circle.test")
        await expect(asyncio.TimeoutError, "code 2|failing.test", "failing.test", 4000)
        await expect(asyncio.TimeoutError, "did not answer|silent.test", "silent.test", 300)
        await expect(OSError, "1 to 63", "x" * 64 + ".test")
        await expect(OSError, "1 to 63", "a..test")


async def test_a_server_that_is_not_there_says_so():
    with asking(("127.0.0.1", 1)):
        await expect(asyncio.TimeoutError, "127.0.0.1|connected", "plain.test", 500)


async def asked(name, dns_port):
    """How often the server was asked for `name`."""
    return int((await resolver.resolve("count." + name))[0].split(".")[3])


async def test_an_answer_is_kept_for_its_time_also_a_no(dns_port):
    number = os.urandom(2)[0]
    with asking(("127.0.0.1", dns_port)):
        for first in ("kept", "nobody"):
            name = "%s.%d.test" % (first, number)
            for _ in range(3):
                try:
                    await resolver.resolve(name)
                except OSError:
                    assert first == "nobody"
            assert await asked(name, dns_port) == 1, first


async def test_one_lookup_is_for_all_who_wait(dns_port):
    name = "slow.%d.test" % os.urandom(1)[0]
    with asking(("127.0.0.1", dns_port)):
        found = await asyncio.gather(*[resolver.resolve(name) for _ in range(5)])
        assert found == [["127.0.0.1"]] * 5
        assert await asked(name, dns_port) == 1
        expect_nothing_waits()


async def test_when_the_one_who_asks_is_cancelled_another_goes_on(dns_port):
    name = "slow.%d.x.test" % os.urandom(1)[0]
    with asking(("127.0.0.1", dns_port)):
        tasks = [asyncio.create_task(resolver.resolve(name)) for _ in range(3)]
        await asyncio.sleep_ms(50)
        tasks[0].cancel()
        assert await tasks[1] == ["127.0.0.1"] and await tasks[2] == ["127.0.0.1"]
        expect_nothing_waits()


async def test_a_lookup_can_be_cancelled_while_it_waits(dns_port):
    with asking(("127.0.0.1", dns_port)):
        for _ in range(3):
            task = asyncio.create_task(resolver.resolve("silent.test"))
            await asyncio.sleep_ms(20)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            expect_nothing_waits()


async def test_the_hosts_file_comes_first(dns_port):
    before = resolver.HOSTS_FILE
    with open(HOSTS, "w") as file:
        file.write("# a comment\n\n10.1.2.3  Plain.test other # another\n::1 six\nbroken\n")
    resolver.HOSTS_FILE = HOSTS
    try:
        with asking(("127.0.0.1", dns_port)):
            assert await resolver.resolve("plain.test") == ["10.1.2.3"]
            assert await resolver.resolve("OTHER") == ["10.1.2.3"]
            assert await resolver.resolve("alias.test") == ["127.0.0.1"]
    finally:
        resolver.HOSTS_FILE = before
        os.remove(HOSTS)


async def test_an_http_request_uses_it_and_names_what_was_not_found(server, dns_port):
    port = server.rsplit(":", 1)[1]
    with asking(("127.0.0.1", dns_port)):
        async with await get("http://plain.test:%s/fixed?size=10" % port) as response:
            assert len(await response.read()) == 10
        try:
            await get("http://nobody.test/x")
        except OSError as error:
            assert "http://nobody.test/x" in str(error) and "not found" in str(error), error
        else:
            raise AssertionError("found")


async def test_a_dead_name_server_stops_no_other_task(dns_port):
    turns = 0

    async def other():
        nonlocal turns
        while True:
            await asyncio.sleep_ms(1)
            turns += 1

    task = asyncio.create_task(other())
    with asking(("127.0.0.1", dns_port)):
        await expect(asyncio.TimeoutError, "silent", "silent.test", 300)
    task.cancel()
    assert turns > 20, turns


async def test_what_is_kept_is_bounded(dns_port):
    with asking(("127.0.0.1", dns_port)):
        for number in range(50):
            await resolver.resolve("plain.%d.test" % number)
        assert len(resolver._cache) <= 32
