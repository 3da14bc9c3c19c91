"""Timers, frames and a download in one loop, each as fast as it can be."""

import asyncio
from time import ticks_diff, ticks_ms, ticks_us

import bench_board
import lvgl as lv
from ways import new_way

_PERIOD_US = 10000

# The desktop's scheduler takes a process of the first priority off its processor for 0.05 s when it has been
# busy for 0.95 s.
_START_MS = 100
_BURST_MS = 700
_PAUSE_MS = 300


def measure(way, port, milliseconds, manager=False):
    """How late `sleep_ms(10)` was (us, each), frames a second and MB a second. `manager`: the download is
    DownloadManager's, else a bare asyncio stream's."""
    hardware = bench_board.start()
    frames = bench_board.Frames(hardware)
    lv.spinner(lv.screen_active()).set_size(60, 60)
    driver = new_way(way, hardware)

    def traffic():
        return (_managed_download if manager else _stream_download)(port)

    result = driver.run(_measure(driver, frames, traffic, milliseconds))
    result["title"] = driver.title + (" with DownloadManager" if manager else "")
    return result


class _Traffic:
    """Bytes received so far."""

    bytes = 0


async def _stream_download(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await writer.drain()
        buffer = bytearray(4096)
        while True:
            count = await reader.readinto(buffer)
            if not count:
                break
            _Traffic.bytes += count
    finally:
        writer.close()


async def _managed_download(port):
    from mpos import DownloadManager

    def count(chunk):
        _Traffic.bytes += len(chunk)

    await DownloadManager.download_url("http://127.0.0.1:%d/" % port, chunk_callback=count)


async def _measure(driver, frames, traffic, milliseconds):
    late = []
    drawn = received = measured_ms = 0
    while measured_ms < milliseconds:
        download = driver.create_task(traffic())
        await asyncio.sleep_ms(_START_MS)
        drawn -= frames.count
        received -= _Traffic.bytes
        began = ticks_ms()
        while ticks_diff(ticks_ms(), began) < _BURST_MS:
            before = ticks_us()
            await asyncio.sleep_ms(10)
            late.append(ticks_diff(ticks_us(), before) - _PERIOD_US)
        measured_ms += ticks_diff(ticks_ms(), began)
        drawn += frames.count
        received += _Traffic.bytes
        if download.done():
            raise RuntimeError("the download ended before the measurement did")
        download.cancel()
        await asyncio.sleep_ms(_PAUSE_MS)
    return {
        "late": late,
        "frames": drawn * 1000 / measured_ms,
        "megabytes": received / 1000 / measured_ms,
    }
