"""Whatever order facts arrive in, and however often: the same money, stock and documents."""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.orchestration.trade import KEY, Model, Trade, trades
from tillbridge.canonical.valued import SaleRecognised, SaleReversed

_SETTINGS = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@_SETTINGS
@given(trade=trades(), data=st.data())
def test_any_order_of_arrival_and_any_duplication_ends_the_same(
    trade: Trade, data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(trade.facts), max_size=5))
    shuffled = data.draw(st.permutations([*trade.facts, *again]))
    assert Model().tell(shuffled).end() == Model().tell(trade.facts).end()


@_SETTINGS
@given(trade=trades(), data=st.data())
def test_the_deposit_of_a_finished_order_is_used_up_to_the_cent(
    trade: Trade, data: st.DataObject
) -> None:
    model = Model().tell(data.draw(st.permutations(trade.facts)))
    assert {item: left for item, left in model.items.items() if left} == {}
    paid = sum(model.state.deposited.values())
    given_back = sum(model.state.refunded.values())
    assert paid == trade.order.total
    earned = model.valued(SaleRecognised) - model.valued(SaleReversed)
    assert paid == given_back + earned


@_SETTINGS
@given(trade=trades(), data=st.data())
def test_what_was_recognised_sums_to_the_state_and_never_exceeds_the_order(
    trade: Trade, data: st.DataObject
) -> None:
    facts = data.draw(st.permutations(trade.facts))
    model = Model()
    for fact in facts:
        model.tell([fact])
        if model.state.order == trade.order:
            booked = dict.fromkeys(model.state.recognised, 0)
            for body in model.emitted:
                if isinstance(body, SaleRecognised):
                    for step in body.lines:
                        net = booked.get(step.line, 0) + step.list - step.discount
                        booked[step.line] = net
            for one in trade.order.lines:
                value = model.state.recognised.get(one.line)
                assert booked.get(one.line, 0) == (
                    0 if value is None else value.list - value.discount
                )
                assert value is None or value.quantity <= one.quantity


@_SETTINGS
@given(trade=trades(), data=st.data())
def test_invoices_less_credit_notes_are_what_was_earned_and_the_sales_order_is_one(
    trade: Trade, data: st.DataObject
) -> None:
    model = Model().tell(data.draw(st.permutations(trade.facts)))
    invoiced = sum(d.body.total for d in model.documents("invoice"))
    credited = sum(d.body.total for d in model.documents("credit_note"))
    assert invoiced - credited == model.valued(SaleRecognised) - model.valued(SaleReversed)
    orders = model.documents("sales_order")
    assert len(orders) <= 1
    if model.documents("invoice"):
        assert [one.id for one in orders] == [f"{KEY}/sales_order"]
        ids = [d.id for d in model.emitted if hasattr(d, "kind") and hasattr(d, "entity")]
        assert ids[0] == f"{KEY}/sales_order"
    for document in [*model.documents("invoice"), *model.documents("credit_note")]:
        assert document.body.total == sum(
            one.net + sum(amount for _, amount in one.taxes) for one in document.body.lines
        )
        assert document.body.total >= 0


@_SETTINGS
@given(trade=trades(), data=st.data())
def test_state_survives_being_stored_between_any_two_facts(
    trade: Trade, data: st.DataObject
) -> None:
    stored = Model()
    for fact in data.draw(st.permutations(trade.facts)):
        stored.tell([fact])
        stored.state = msgspec.json.decode(
            msgspec.json.encode(stored.state), type=type(stored.state)
        )
    assert stored.end() == Model().tell(trade.facts).end()
