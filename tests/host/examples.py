"""How many examples hypothesis makes for a property that is tried on a board, and which."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings


def examples(number: int) -> settings:
    """The same `number` of them in each run; with MPOS_EXAMPLES=N in the environment N others."""
    wanted = os.environ.get("MPOS_EXAMPLES")
    return settings(
        max_examples=number if wanted is None else int(wanted),
        deadline=None,
        derandomize=wanted is None,
        database=None,
        print_blob=False,
        suppress_health_check=[HealthCheck.too_slow],
    )
