"""Sales order and goods as the ERP is told of them: whatever the order of arrival, the same end."""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.orchestration.trade import (
    KEY,
    NOON,
    Model,
    Trade,
    capture,
    changed,
    line,
    order,
    parcel,
    placed,
    refund,
    trades,
)
from tillbridge.canonical.documents import GoodsDocument, SalesOrderCancelDocument
from tillbridge.canonical.orders import OrderLine
from tillbridge.canonical.returns import RefundLine
from tillbridge.orchestration.orders.value import SEP, kept_lines
from tillbridge.orchestration.policies import ChannelPolicy, Policies

GOODS = Policies(
    channels={
        "web": ChannelPolicy(
            channel="web", entity="us", fulfil_from=("wh", "store"), tells_goods=True
        )
    },
)
_SETTINGS = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def kinds(model: Model) -> list[str]:
    return [d.kind for d in model.emitted if hasattr(d, "kind") and hasattr(d, "entity")]


def told_lines(model: Model) -> dict[str, tuple[int, int]]:
    """What the ERP's sales order says last: quantity and gross by line."""
    lines: tuple[OrderLine, ...] = ()
    for one in model.emitted:
        if hasattr(one, "entity") and getattr(one, "kind", "").startswith("sales_order"):
            body = one.body  # type: ignore[union-attr]
            lines = () if isinstance(body, SalesOrderCancelDocument) else body.lines
    return {one.line: (one.quantity, one.gross) for one in lines}


def told_goods(model: Model) -> dict[str, int]:
    """Signed thousandths by line and place over all deliveries and returns."""
    sums: dict[str, int] = {}
    for kind, sign in (("delivery", -1), ("customer_return", 1)):
        for document in model.documents(kind):
            assert isinstance(document.body, GoodsDocument)
            for one in document.body.lines:
                assert one.quantity > 0
                place = f"{one.line}/{document.body.location}"
                sums[place] = sums.get(place, 0) + sign * one.quantity
    return {place: quantity for place, quantity in sums.items() if quantity}


def moved(model: Model) -> dict[str, int]:
    """The same of the stock book."""
    sums: dict[str, int] = {}
    for place, quantity in model.state.moved.items():
        name, _, location, *_ = place.split(SEP)
        sums[f"{name}/{location}"] = sums.get(f"{name}/{location}", 0) + quantity
    return {place: quantity for place, quantity in sums.items() if quantity}


@_SETTINGS
@given(trade=trades(), data=st.data())
def test_the_erp_ends_with_the_order_as_it_is_and_the_goods_as_they_moved(
    trade: Trade, data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(trade.facts), max_size=5))
    model = Model(GOODS).tell(data.draw(st.permutations([*trade.facts, *again])))
    assert told_goods(model) == moved(model)
    if model.documents("sales_order"):
        assert model.state.order is not None
        kept = kept_lines(model.state, model.state.order)
        assert told_lines(model) == {one.line: (one.quantity, one.gross) for one in kept}
        assert kinds(model)[0] == "sales_order"
    else:
        assert set(kinds(model)) <= {"sales_order"}
    for document in model.documents("invoice"):
        assert not document.body.moves_goods


@_SETTINGS
@given(trade=trades(), data=st.data())
def test_no_goods_come_back_to_the_erp_before_they_left_it(
    trade: Trade, data: st.DataObject
) -> None:
    model = Model(GOODS).tell(data.draw(st.permutations(trade.facts)))
    out: dict[str, int] = {}
    for one in model.emitted:
        sign = {"delivery": 1, "customer_return": -1}.get(getattr(one, "kind", ""), 0)
        if sign:
            for part in one.body.lines:  # type: ignore[union-attr]
                out[part.line] = out.get(part.line, 0) + sign * part.quantity
                assert out[part.line] >= 0


def test_an_order_cancelled_after_it_was_sent_is_cancelled_at_the_erp_once() -> None:
    whole = order([line("a"), line("b")])
    model = Model(GOODS).tell([placed(whole), capture(whole.total)])
    gone = msgspec.structs.replace(whole, version="9", cancelled_at=NOON, cancel_reason="buyer")
    model.tell([changed(gone), changed(gone)])
    (document,) = model.documents("sales_order_cancel")
    assert document.id == f"{KEY}/sales_order_cancel/1"
    assert (document.body.order, document.body.reason) == (f"{KEY}/sales_order", "buyer")
    back = msgspec.structs.replace(whole, version="91")
    model.tell([changed(back)])
    (again,) = model.documents("sales_order_change")
    assert [one.line for one in again.body.lines] == ["a", "b"]


def test_an_order_cancelled_before_it_was_sent_is_nothing_to_the_erp() -> None:
    whole = order([line("a")])
    gone = msgspec.structs.replace(whole, version="9", cancelled_at=NOON)
    assert kinds(Model(GOODS).tell([placed(whole), changed(gone)])) == []


def test_a_piece_cancelled_before_it_left_is_taken_out_of_the_order() -> None:
    whole = order([line("a", quantity=2000, list=2000), line("b")])
    model = Model(GOODS).tell([placed(whole), capture(whole.total)])
    model.tell([refund("r", [RefundLine("a", 1000, 1000, whole.lines[0].taxes, "cancel")])])
    (document,) = model.documents("sales_order_change")
    assert {one.line: one.quantity for one in document.body.lines} == {"a": 1000, "b": 1000}
    assert document.body.total == sum(one.gross for one in document.body.lines)


def test_what_does_not_change_the_goods_or_the_money_is_no_change() -> None:
    whole = order([line("a")])
    model = Model(GOODS).tell([placed(whole), capture(whole.total)])
    model.tell([changed(msgspec.structs.replace(whole, version="9", paid_stated=whole.total))])
    assert kinds(model) == ["sales_order"]


def test_goods_leave_each_place_before_they_are_invoiced_and_a_lost_parcel_comes_back() -> None:
    whole = order([line("a"), line("b")])
    model = Model(GOODS).tell([placed(whole), capture(whole.total)])
    model.tell([parcel("p1", {"a": 1}), parcel("p2", {"b": 1}, 3, place="store")])
    assert kinds(model) == ["sales_order", "delivery", "invoice", "delivery", "invoice"]
    places = [document.body.location for document in model.documents("delivery")]
    assert places == ["wh", "store"]
    model.tell([parcel("p2", {"b": 1}, 4, "cancelled", place="store")])
    (back,) = model.documents("customer_return")
    assert (back.body.location, back.body.lines[0].net) == ("store", 1000)


def test_an_order_sent_by_a_release_that_noted_nothing_is_not_changed_by_an_old_telling() -> None:
    whole = order([line("a")])
    model = Model(GOODS).tell([placed(whole), capture(whole.total)])
    model.state.ordered = ""
    model.tell([changed(msgspec.structs.replace(whole, version="9", paid_stated=whole.total))])
    assert kinds(model) == ["sales_order"]
