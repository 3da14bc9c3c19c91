"""SensorStream: the samples of one sensor at a rate, for `async for`.

A stream has no task of its own. It sleeps until its next sample is due, so leaving the `async for` ends it,
and nothing is left behind. The due times lie on a grid that all streams of a sensor share: the first that
wakes reads the chip, the others take what it read.
"""

from collections import namedtuple
from time import ticks_add, ticks_diff, ticks_ms, ticks_us

from micropython import const

from ..task_manager import TaskManager

_MAX_HZ = const(1000)
_JOIN_US = const(2000000)  # A grid that nobody has used for longer is given up.
_SHARE_US = const(20000)  # A new stream takes a sample that is no older than this.
_SLACK_US = const(100)  # Two due times closer than this are one: rates round differently.

Sample = namedtuple("Sample", ("value", "ticks_ms"))


class Channel:
    """One sensor, with its last sample. `read(kind)` is what it reads from."""

    def __init__(self, kind, read):
        self._kind = kind
        self._read = read
        self._sample = None
        self._read_at = None  # ticks_us of the last read
        self.grid = None  # ticks_us of the last due time that was read for
        self.reads = 0

    def sample(self, due):
        """The Sample for the time `due` (ticks_us), or None: the sensor did not answer."""
        if not self._is_fresh(due):
            value = self._read(self._kind, False)
            self.reads += 1
            self._read_at = ticks_us()
            self.grid = due
            self._sample = None if value is None else Sample(value, ticks_ms())
        return self._sample

    def _is_fresh(self, due):
        read_at = self._read_at
        if read_at is None or ticks_diff(read_at, due) < -_SLACK_US:
            return False
        # ticks_us comes round after 18 minutes on an ESP32: an old time may look like a later one.
        return 0 <= ticks_diff(ticks_us(), read_at) <= _JOIN_US


class SensorStream:
    """`async for sample in stream`: `sample.value` is (x, y, z) or a number, `sample.ticks_ms` its time.

    `dropped` counts samples that were left out because the reader came too late for them, `missed` those
    for which the sensor did not answer.
    """

    def __init__(self, channel, hz):
        if not 0 < hz <= _MAX_HZ:
            raise ValueError("hz %r: more than 0, and %d at most" % (hz, _MAX_HZ))
        self.dropped = 0
        self.missed = 0
        self._channel = channel
        # The period in us, and the rest of the division, so that no rate drifts.
        self._divisor = max(1, round(hz * 1000))
        self._period_us, self._rest = divmod(1000000000, self._divisor)
        self._carry = 0
        self._due = None

    def __aiter__(self):
        return self

    async def __anext__(self):
        channel = self._channel
        while True:
            now = ticks_us()
            if self._due is None:
                self._due = self._first_due(now)
            wait = ticks_diff(self._due, now)
            if wait < -self._period_us:
                late = -wait // self._period_us
                self.dropped += late
                self._advance(late)
                wait = ticks_diff(self._due, now)
            elif wait > self._period_us + _SLACK_US:
                self._due = now  # The reader was away for so long that ticks_us came round.
                wait = 0
            await TaskManager.sleep_ms((wait + 999) // 1000 if wait > 0 else 0)
            due = self._due
            self._advance(1)
            sample = channel.sample(due)
            if sample is not None:
                return sample
            self.missed += 1

    def _first_due(self, now):
        """The first time: on the grid of the other streams of the sensor, or now, which then is the grid."""
        grid = self._channel.grid
        if grid is not None:
            since = ticks_diff(now, grid)
            if 0 <= since <= _SHARE_US:
                return grid
            if 0 <= since <= _JOIN_US:
                return ticks_add(grid, (since // self._period_us + 1) * self._period_us)
        self._channel.grid = now
        return now

    def _advance(self, periods):
        carry = self._carry + periods * self._rest
        self._carry = carry % self._divisor
        self._due = ticks_add(self._due, periods * self._period_us + carry // self._divisor)
