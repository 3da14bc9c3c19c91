"""Whatever order of starts, finishes, failures and deletions the activity stack goes through, it is right.

Hypothesis makes the orders; tests/soak/device/stack_orders.py carries them out on the board and holds them
against a model. 200 lists of orders are tried; with MPOS_EXAMPLES=2000 in the environment 10,000.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from mpos_host.board.device import Device
from mpos_host.project import UserError
from mpos_host.testing.session import BoardSession

ORDERS = Path(__file__).parents[1] / "soak" / "device" / "stack_orders.py"
SECONDS = 90  # for one batch
BATCH = 5  # lists of orders in a round trip

Orders = list[tuple[str, int]]

# What hypothesis once found.
FOUND: list[Orders] = []


class Board:
    """Carries out lists of orders; after a failure on a fresh board, so that it can be repeated."""

    def __init__(self, session: BoardSession):
        self._session = session
        self._ready = False

    @property
    def device(self) -> Device:
        if not self._ready:
            device = self._session.fresh().device
            self._session.send([ORDERS])
            device.exec("import stack_orders")
            self._ready = True
        return self._session.target.device

    def carry_out(self, batch: list[Orders]) -> None:
        device = self.device
        try:
            device.exec(f"stack_orders.run({batch!r})", timeout=SECONDS, what="the end of the orders")
        except UserError as error:
            self._ready = False
            self._session.spoil()
            output = getattr(error, "output", "")[-3000:]
            raise AssertionError(f"{batch}\n{output}\n{getattr(error, 'traceback', error)}") from None

    def memory_after(self, times: int) -> int:
        """Bytes in use when each action has been carried out so many times."""
        actions = "sorted(stack_orders.ACTIONS)"
        lists = f"[[(name, n) for name in {actions}] for n in range(3)] * {times}"
        self.device.exec(f"stack_orders.run({lists})", timeout=SECONDS, what="the end of the orders")
        return int(self.device.eval("stack_orders.memory_used()"))


@pytest.mark.timeout(0)  # Each batch has its own limit.
def test_after_any_order_of_events_the_stack_is_what_it_should_be(board_session: BoardSession) -> None:
    board = Board(board_session)
    actions = board.device.eval("sorted(stack_orders.ACTIONS)")
    order = st.tuples(st.sampled_from(actions), st.integers(0, 120))

    @examples(40)
    @given(st.lists(st.lists(order, min_size=1, max_size=12), min_size=BATCH, max_size=BATCH))
    def is_right(batch: list[Orders]) -> None:
        board.carry_out(batch)

    for found in FOUND:
        board.carry_out([found])
    board.carry_out([[(action, number) for number in range(3)] for action in actions])
    is_right()
    before, after = board.memory_after(2), board.memory_after(6)
    assert after - before < 1500, f"{after - before} bytes are left"
