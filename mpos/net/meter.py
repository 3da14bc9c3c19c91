"""Counts what has arrived of a download, and tells the callbacks when there is something new."""

from time import ticks_diff, ticks_ms

from micropython import const

_SPEED_MS = const(1000)  # between two calls of speed_callback


class Meter:
    """The callbacks may be plain or async functions, or None."""

    def __init__(self, progress_callback, speed_callback):
        self._on_progress = progress_callback
        self._on_speed = speed_callback
        self._position = 0
        self._percent = -1
        self._total = 0  # 0: not known
        self._next = 0  # the position at which the percentage changes
        self._began = self._last = ticks_ms()
        self._arrived = 0
        self._reported = 0  # of what has arrived, at the last call of the speed callback

    async def start(self, position, total):
        """A transfer begins at `position` of `total` bytes (None: not known). What was told stays told."""
        self._total = max(0, int(total or 0))
        self._position = position
        if self._percent < 0:
            self._percent = 0
            if self._on_progress:
                await finished(self._on_progress(0))
        self._set_next()

    def add(self, count):
        """Count; whether report() has to be called. Allocates nothing."""
        self._position += count
        self._arrived += count
        if self._on_progress and self._total and self._position >= self._next:
            return True
        return self._on_speed is not None and ticks_diff(ticks_ms(), self._last) >= _SPEED_MS

    async def report(self):
        if self._on_progress and self._total and self._position >= self._next:
            percent = min(99, self._position * 100 // self._total)  # 100 is for when all is in place
            if percent > self._percent:
                self._percent = percent
                self._set_next()
                await finished(self._on_progress(percent))
        if self._on_speed:
            now = ticks_ms()
            elapsed = ticks_diff(now, self._last)
            if elapsed >= _SPEED_MS:
                speed = (self._arrived - self._reported) * 1000 // elapsed
                self._last = now
                self._reported = self._arrived
                await finished(self._on_speed(speed))

    async def finish(self):
        """All is in place: tell the average speed and 100 percent."""
        if self._on_speed:
            elapsed = max(1, ticks_diff(ticks_ms(), self._began))
            await finished(self._on_speed(self._arrived * 1000 // elapsed))
        if self._on_progress:
            await finished(self._on_progress(100))

    def _set_next(self):
        self._next = ((self._percent + 1) * self._total + 99) // 100


async def finished(result):
    """Wait for a callback that turned out to be async."""
    if hasattr(result, "send"):
        await result
