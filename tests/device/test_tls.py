"""HTTPS against real servers, one for each thing that may be wrong with a certificate."""

import asyncio
import os
import struct
import time

from cancelling import cancel_at_each_await

from mpos.net import pool, resolver, tls
from mpos.net.download_manager import DownloadManager
from mpos.net.http import HTTPError, get

HOSTS = "/hosts_of_the_test"
BUNDLE = "/ca_of_the_test.bin"
TIMEOUT = 40


class trusting:
    """Trust that CA (PEM) and nobody else for the length of a `with`; or what is in that file."""

    def __init__(self, ca, file=""):
        self.ca = ca
        self.file = file

    def __enter__(self):
        self.before = tls.CA_FILE
        pool.close_all()
        tls._own.clear()
        tls._context = None
        tls.CA_FILE = self.file
        if self.ca:
            tls.add_ca(self.ca.encode())

    def __exit__(self, *_):
        pool.close_all()
        tls._own.clear()
        tls._context = None
        tls.CA_FILE = self.before


async def body_from(url, **options):
    async with await get(url, **options) as response:
        return await response.read()


async def refusal_of(url):
    try:
        await body_from(url)
    except tls.TLSError as error:
        assert url in str(error), error
        assert not DownloadManager.is_network_error(error)
        return str(error)
    raise AssertionError("%s was trusted" % url)


def url_of(tls_servers, case, host="127.0.0.1", path="/"):
    return "https://%s:%d%s" % (host, tls_servers["ports"][case], path)


async def test_a_server_of_a_trusted_ca_is_talked_to(tls_servers):
    with trusting(tls_servers["ca"]):
        for case in ("address", "intermediate", "elliptic"):
            assert await body_from(url_of(tls_servers, case)) == case.encode()
        assert await body_from(url_of(tls_servers, "name", "localhost")) == b"name"


async def test_a_wildcard_stands_for_one_label(tls_servers):
    before = resolver.HOSTS_FILE
    with open(HOSTS, "w") as file:
        file.write("127.0.0.1 one.test.example two.one.test.example test.example\n")
    resolver.HOSTS_FILE = HOSTS
    try:
        with trusting(tls_servers["ca"]):
            assert await body_from(url_of(tls_servers, "wildcard", "one.test.example")) == b"wildcard"
            for host in ("two.one.test.example", "test.example", "127.0.0.1"):
                assert "is not for" in await refusal_of(url_of(tls_servers, "wildcard", host))
    finally:
        resolver.HOSTS_FILE = before
        os.remove(HOSTS)


async def test_whom_nobody_vouches_for_is_refused_with_the_reason(tls_servers):
    with trusting(tls_servers["ca"]):
        for case, words in (
            ("expired", "expired|clock"),
            ("not_yet", "future|clock"),
            ("wrong_host", "is not for 127.0.0.1"),
            ("wrong_address", "is not for 127.0.0.1"),
            ("self_signed", "trusted CA"),
            ("unknown_ca", "trusted CA"),
            ("missing_intermediate", "trusted CA"),
            ("weak_key", "key"),
            ("old_protocol", "TLS"),
        ):
            text = await refusal_of(url_of(tls_servers, case))
            for word in words.split("|"):
                assert word in text, (case, text)


async def test_without_a_ca_nobody_is_trusted(tls_servers):
    with trusting(None):
        assert "there is no CA file" in await refusal_of(url_of(tls_servers, "address"))


async def test_checks_can_be_switched_off_for_one_request(tls_servers):
    with trusting(None):
        for case in ("address", "expired", "self_signed", "wrong_host"):
            assert await body_from(url_of(tls_servers, case), verify=False) == case.encode()
        # The connection that is kept is not for those who want to know.
        await refusal_of(url_of(tls_servers, "wrong_host"))


async def test_a_ca_is_found_in_the_file_when_it_is_needed(tls_servers):
    with trusting(tls_servers["ca"]):
        (certificate,) = tls._own.values()
    key = tls._key(tls._names(certificate)[1])
    with open(BUNDLE, "wb") as file:
        file.write(struct.pack("<4sH", b"MCA1", 2))
        file.write(b"12345678" + struct.pack("<IH", 34, 1) + key + struct.pack("<IH", 35, len(certificate)))
        file.write(b"x" + certificate)
    try:
        with trusting(None, BUNDLE):
            assert await body_from(url_of(tls_servers, "address")) == b"address"
            assert await body_from(url_of(tls_servers, "intermediate")) == b"intermediate"
            assert "expired" in await refusal_of(url_of(tls_servers, "expired"))
            assert "trusted CA" in await refusal_of(url_of(tls_servers, "unknown_ca"))
    finally:
        os.remove(BUNDLE)


async def test_the_file_of_the_deployment_can_be_read():
    with open(tls.CA_FILE, "rb") as file:
        count = struct.unpack("<4sH", file.read(6))[1]
        assert count > 50
        entry = file.read(14)
    for certificate in tls._find(entry[:8]):
        assert tls._key(tls._names(certificate)[1]) == entry[:8]
    assert not tls._find(b"12345678")


async def test_a_clock_that_is_not_set_is_said_to_be_it(tls_servers):
    before = tls.time

    class Clock:
        @staticmethod
        def gmtime():
            return time.gmtime(0)

    tls.time = Clock
    try:
        with trusting(tls_servers["ca"]):
            text = await refusal_of(url_of(tls_servers, "address"))
            assert "clock is not set" in text and "ntptime" in text
    finally:
        tls.time = before


async def test_what_is_no_certificate_is_refused():
    for data in (b"", b"x", b"\x30\x82\x01", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"):
        try:
            tls.add_ca(data)
        except ValueError:
            pass
        else:
            raise AssertionError(data)


async def test_a_server_without_tls_is_given_up(server):
    url = server.replace("http:", "https:") + "/fixed"
    with trusting(None):
        try:
            await body_from(url, timeout_ms=300)
        except asyncio.TimeoutError as error:
            assert url in str(error) and "TLS handshake" in str(error), error
        else:
            raise AssertionError("plain text was taken for TLS")


async def test_a_body_that_could_be_cut_without_notice_is_refused(tls_servers):
    with trusting(tls_servers["ca"]):
        for size in (10, 5000, 40000):
            data = await body_from(url_of(tls_servers, "address", path="/size/%d" % size))
            assert data == b"x" * size
        url = url_of(tls_servers, "address", path="/drop")
        assert await body_from(url) == b"address"
        url = url_of(tls_servers, "address", path="/until_drop")
        try:
            await body_from(url)
        except HTTPError as error:
            assert "no length" in str(error)
        else:
            raise AssertionError("not refused")
        assert await body_from(url, verify=False) == b"address"


async def test_a_handshake_can_be_cancelled_at_each_await(tls_servers):
    async def check():
        pool.close_all()

    with trusting(tls_servers["ca"]):
        steps = await cancel_at_each_await(body_from, (url_of(tls_servers, "address"),), check)
        assert steps >= 3, steps


async def test_a_server_that_says_nothing_is_given_up(server):
    listener = await body_from(server + "/full_listener")
    try:
        await body_from(listener.decode().replace("http:", "https:"), timeout_ms=200)
    except asyncio.TimeoutError as error:
        assert "200 ms" in str(error)
    else:
        raise AssertionError("no timeout")


async def test_a_download_goes_over_https(tls_servers):
    with trusting(tls_servers["ca"]):
        url = url_of(tls_servers, "address", path="/size/30000")
        assert await DownloadManager.download_url(url, outfile="/tls_test.bin") is True
        assert os.stat("/tls_test.bin")[6] == 30000
        os.remove("/tls_test.bin")
