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

from mpos_host.project import UserError
from mpos_host.testing.session import BoardSession

ORDERS = Path(__file__).parents[1] / "soak" / "device" / "stack_orders.py"
SECONDS = 90  # for one batch
BATCH = 5  # lists of orders in a round trip

Orders = list[tuple[str, int]]


@pytest.mark.timeout(0)  # Each batch has its own limit.
def test_after_any_order_of_events_the_stack_is_what_it_should_be(board_session: BoardSession) -> None:
    device = board_session.fresh().device
    board_session.send([ORDERS])
    device.exec("import stack_orders")
    actions = device.eval("sorted(stack_orders.ACTIONS)")
    order = st.tuples(st.sampled_from(actions), st.integers(0, 120))

    def carry_out(batch: list[Orders]) -> None:
        try:
            device.exec(f"stack_orders.run({batch!r})", timeout=SECONDS, what="the end of the orders")
        except UserError as error:
            board_session.spoil()
            output = getattr(error, "output", "")[-3000:]
            raise AssertionError(f"{batch}\n{output}\n{getattr(error, 'traceback', error)}") from None

    @examples(40)
    @given(st.lists(st.lists(order, min_size=1, max_size=12), min_size=BATCH, max_size=BATCH))
    def is_right(batch: list[Orders]) -> None:
        carry_out(batch)

    carry_out([[(action, number) for number in range(3)] for action in actions])
    is_right()
    device.exec("lists = [[(name, n) for name in sorted(stack_orders.ACTIONS)] for n in range(3)]")
    used = []
    for times in (2, 6):
        device.exec(f"stack_orders.run(lists * {times})", timeout=SECONDS, what="the end of the orders")
        used.append(device.eval("stack_orders.memory_used()"))
    assert used[1] - used[0] < 1500, f"{used[1] - used[0]} bytes are left"
