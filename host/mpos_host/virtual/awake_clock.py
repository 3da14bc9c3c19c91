"""A clock for what the board may be blamed for: it does not count the time in which the host stood still."""

from __future__ import annotations

import time


class AwakeClock:
    """Seconds in which somebody looked at it at least every `STEP_S`; a longer gap counts as that.

    A host that was suspended, or had no processor for us, had none for the board and its user either: after
    the gap they get the rest of their time.
    """

    STEP_S = 0.02

    def __init__(self) -> None:
        self.now = 0.0
        self._looked_at = time.monotonic()

    def look(self) -> None:
        """Go on; to be called at least every `STEP_S` while something is timed by it."""
        at = time.monotonic()
        self.now += min(at - self._looked_at, self.STEP_S)
        self._looked_at = at
