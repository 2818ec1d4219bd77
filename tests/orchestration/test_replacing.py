"""Two orders of one wish, told in any order and any number of times: one hold, one payment."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.orchestration.trade import POLICIES, about, capture, line, order, parcel, placed, refund
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.orders import OrderCancelled
from tillbridge.canonical.registry import Body
from tillbridge.canonical.returns import RefundLine
from tillbridge.canonical.stock import ReserveStock
from tillbridge.orchestration.orders.decide import decide
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.orchestration.orders.status import status_of

OLD, NEW = "order/web/1", "order/web/2"
GOODS = (line("a", quantity=3000, list=3000, taxes=()),)
MORE = (line("a", quantity=4000, list=4000, taxes=()),)


def of(key: str, fact: Fact) -> Fact:
    return msgspec.structs.replace(fact, key=key, id=fact.id.replace(OLD, key))


class Pair:
    """Both orders; what one tells the other waits in between."""

    def __init__(self) -> None:
        self.states = {key: OrderState(key=key) for key in (OLD, NEW)}
        self.waiting: list[Body] = []
        self.asked: dict[str, ReserveStock] = {}

    def tell(self, body: Body) -> None:
        state = self.states[body.key].copied()
        stored = msgspec.json.decode(msgspec.json.encode(state), type=OrderState)
        decision = decide(stored, body, POLICIES)
        self.states[body.key] = stored
        for emitted in decision.emits:
            if type(emitted).__name__ in ("OrderReplaced", "DepositHandedOver"):
                self.waiting.append(emitted)
            elif isinstance(emitted, ReserveStock):
                self.asked[emitted.key] = emitted

    def end(self) -> dict[str, Any]:
        return {
            key: (
                status_of(state),
                {name: sum_ for name, sum_ in state.deposited.items() if sum_},
                {name: sum_ for name, sum_ in state.refunded.items() if sum_},
                state.recognised,
                state.wanted,
            )
            for key, state in self.states.items()
        }


def history(*, shipped: int, given_back: int, again: bool) -> list[Fact]:
    """The old order paid by card; some of it may have left, some been given back; then made anew
    and paid up. again: the shop tells the card's transaction of the new order too.
    """
    old = order(GOODS)
    gone = msgspec.structs.replace(order(GOODS, at=9), cancelled_at=old.placed_at)
    new = order(MORE, at=8, number="#1001-1", replaces=OLD)
    facts: list[Fact] = [
        placed(old),
        capture(3000, reference="t-1"),
        OrderCancelled(order=gone, **about(9)),
        of(NEW, placed(new, 8)),
        of(NEW, capture(1000, 10, reference="t-2")),
    ]
    if shipped:
        facts.append(parcel("p1", {"a": shipped}, 3))
    if given_back:
        net = given_back * 1000
        facts.append(refund("r1", [RefundLine("a", net, net, (), "cancel")], 4))
    if again:
        facts.append(of(NEW, capture(3000, 11, reference="t-1")))
    return facts


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data(), shipped=st.integers(0, 1), back=st.integers(0, 1), again=st.booleans())
def test_any_order_of_arrival_ends_the_same_and_money_is_booked_once(
    data: st.DataObject, shipped: int, back: int, again: bool
) -> None:
    facts = history(shipped=shipped, given_back=back, again=again and not (shipped or back))
    straight = Pair()
    for fact in facts:
        straight.tell(fact)
        while straight.waiting:
            straight.tell(straight.waiting.pop(0))
    mixed = Pair()
    left = data.draw(st.permutations([*facts, *data.draw(st.lists(st.sampled_from(facts)))]))
    while left or mixed.waiting:
        pool = [bool(left)] * bool(left) + [False] * bool(mixed.waiting)
        if data.draw(st.sampled_from(pool)):
            mixed.tell(left.pop())
        else:  # messages of one order to another may overtake each other
            at = data.draw(st.integers(0, len(mixed.waiting) - 1))
            mixed.tell(mixed.waiting.pop(at))
    assert mixed.end() == straight.end()
    old, new = (straight.states[key] for key in (OLD, NEW))
    deposits = sum(old.deposited.values()) + sum(new.deposited.values())
    assert deposits == 4000
    assert sum(old.deposited.values()) == 1000 * (shipped + back)
    assert new.wanted == {"a": 4000}
    assert old.wanted == {}
    assert straight.asked[NEW].takes == OLD
