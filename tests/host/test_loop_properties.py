"""From whatever order of starts, stops, Ctrl-Cs, failures and deletions, the loop recovers.

Hypothesis makes the orders; tests/soak/device/orders.py carries them out on the board, one round trip each.
What it found once is kept in FOUND and carried out first.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from mpos_host.board.device import DeviceError
from mpos_host.project import UserError
from mpos_host.testing.session import BoardSession

Orders = list[tuple[str, str]]

ORDERS = Path(__file__).parents[1] / "soak" / "device" / "orders.py"
SECONDS = 25  # for one example that hangs; one that goes well takes about 0.1

FOUND: list[Orders] = [
    [("exception handler", "end as if cancelled"), ("deletion", "fail")],
]


class Board:
    """Carries out orders; after a failure on a board that was just started, so that it can be repeated."""

    def __init__(self, session: BoardSession):
        self._session = session
        self._ready = False
        self.places: list[str] = []
        self.actions: list[str] = []
        self._prepare()

    def carry_out(self, orders: Orders) -> None:
        if not self._ready:
            self._prepare()
        device = self._session.target.device
        try:
            device.exec(f"orders.run({orders!r})", timeout=SECONDS, what="the end of the orders")
        except UserError as error:
            self._ready = False
            self._session.spoil()
            raise AssertionError(f"{orders}\n{self._story(error)}") from None

    def _prepare(self) -> None:
        device = self._session.fresh().device
        self._session.send([ORDERS])
        device.exec("import orders")
        self.places = device.eval("sorted(orders.PLACES)")
        self.actions = device.eval("sorted(orders.ACTIONS)")
        self._ready = True

    def _story(self, error: UserError) -> str:
        if isinstance(error, DeviceError):
            return f"{error.output[-2000:]}\n{error.traceback}"
        try:
            where = self._session.target.device.interrupt()
        except UserError:
            self._session.target.restart()
            where = "it did not react to Ctrl-C"
        return f"{error}\n{where}"


@pytest.mark.timeout(0)  # Each example has its own limit.
def test_after_any_order_of_events_the_loop_recovers(board_session: BoardSession) -> None:
    board = Board(board_session)
    order = st.tuples(st.sampled_from(board.places), st.sampled_from(board.actions))
    carried_out = 0

    @examples(120)
    @given(st.lists(order, min_size=1, max_size=14))
    def recovers(orders: Orders) -> None:
        nonlocal carried_out
        board.carry_out(orders)
        carried_out += len(orders)

    for orders in FOUND:
        board.carry_out(orders)
    recovers()
    print(f"{carried_out} orders carried out")
