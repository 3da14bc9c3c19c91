"""The device's network code: an HTTP/1.1 client on asyncio, and DownloadManager on top of it.

Nothing is imported here: an app that downloads nothing loads none of it. It needs MicroPython's asyncio and
no other part of mpos.
"""
