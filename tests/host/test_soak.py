"""Endurance for less than a minute; tests/soak/soak.py runs the same for hours (`make soak`)."""

import random

import pytest

from mpos_host.session import BoardSession
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
    figures = with_console(board_session, server, 25, seed, print)
    assert figures["tasks"] > 1000
    assert figures["posts"] > 1000
    assert figures["downloads"] > 50
    assert figures["frames"] > 300


def test_ctrl_c_at_random_ends_only_the_tasks_it_lands_in(board_session: BoardSession, seed: int) -> None:
    board_session.skip_unless(("process",))
    figures = without_console(board_session, 300, seed, print)
    assert figures["Ctrl-Cs"] == 300
    assert figures["posts"] > 1000
