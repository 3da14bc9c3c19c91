"""Endurance for less than a minute; tests/soak/soak.py runs the same for hours (`make soak`)."""

import random

import pytest

from mpos_host.testing.session import BoardSession
from soak.soak import with_console, without_console


@pytest.fixture
def seed() -> int:
    """A new one each time, shown when the test fails."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    return seed


def test_everything_at_once_beside_a_console_adds_up(
    board_session: BoardSession, server: str, seed: int
) -> None:
    board_session.skip_unless(("process",))
    # Short rounds, so that there are enough of them to see the heap grow.
    figures = with_console(board_session, server, 25, seed, print, round_seconds=1, judge_lateness=False)
    # All of it took part; how much there is of each is the machine's.
    assert figures["tasks"] > 200
    assert figures["posts"] > 200
    assert figures["downloads"] > 10
    assert figures["frames"] > 20
    assert figures["commands"]


def test_ctrl_c_at_random_ends_only_the_tasks_it_lands_in(board_session: BoardSession, seed: int) -> None:
    board_session.skip_unless(("process",))
    figures = without_console(board_session, 300, seed, print)
    assert figures["Ctrl-Cs"] == 300
    assert figures["posts"] > 200
