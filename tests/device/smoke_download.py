"""Smoke test: a file comes by network from the computer at the other end of the cable."""

import gc
import hashlib
from time import ticks_diff, ticks_ms

import lvgl as lv
from reporting import record, skip

from mpos import DownloadManager, TaskManager

TIMEOUT = 60


def _network():
    """Why this board has no network; None if it has."""
    try:
        import network
    except ImportError:
        return None  # a process of the computer: it has that one's
    station = network.WLAN(network.STA_IF)
    if station.active() and station.isconnected():
        return None
    return "this board is in no network: have its boot.py connect it"


class _Received:
    """What a download brought: its size and SHA-256."""

    def __init__(self):
        self.size = 0
        self._digest = hashlib.sha256()

    async def take(self, chunk):
        self.size += len(chunk)
        self._digest.update(chunk)

    def sha256(self):
        return self._digest.digest().hex()


async def _download(url, file):
    """Download it, check it, and return the ms that took."""
    received = _Received()
    gc.collect()
    began = ticks_ms()
    assert await DownloadManager.download_url(url, chunk_callback=received.take)
    took = ticks_diff(ticks_ms(), began)
    assert received.size == file["size"], "%d bytes of %d" % (received.size, file["size"])
    assert received.sha256() == file["sha256"], "the file is damaged"
    return max(1, took)


async def test_a_download_arrives_and_the_screen_goes_on(lvgl_loop, screen, host_file):
    reason = _network()
    if reason:
        skip(reason)
    took = await _download(host_file["url"], host_file)
    record("downloaded", host_file["size"] // 1024, "KB")
    record("speed", "%.0f" % (host_file["size"] / 1.024 / took), "KB/s")
    spinner = lv.spinner(screen)
    spinner.set_size(60, 60)
    await TaskManager.sleep_ms(100)
    lvgl_loop.reset_stats()
    took = await _download(host_file["slow_url"], host_file)
    stats = lvgl_loop.stats()
    record("at a slower pace", took, "ms")
    record("frames per second meanwhile", "%.1f" % (stats["frames"] * 1000 / took))
    record("longest turn of the loop meanwhile", "%.1f" % (stats["longest_turn_us"] / 1000), "ms")
    assert stats["frames"] >= 3, "%d frames in %d ms" % (stats["frames"], took)
