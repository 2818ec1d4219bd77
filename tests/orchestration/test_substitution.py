"""What leaves instead of what was ordered: held, moved, invoiced and paid as the terms say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.orchestration.trade import (
    Model,
    about,
    capture,
    changed,
    line,
    order,
    placed,
    refund,
    version,
)
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.returns import GoodsReturned, RefundLine, ReturnedLine
from tillbridge.canonical.sales import SaleLine
from tillbridge.canonical.shipments import (
    GoodsDelivered,
    GoodsShipped,
    LineSubstituted,
    ShippedLine,
)
from tillbridge.canonical.stock import ReserveStock
from tillbridge.canonical.valued import SaleRecognised
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.orchestration.orders.value import line_of
from tillbridge.orchestration.policies import ChannelPolicy, Policies
from tillbridge.orchestration.terms import Policy, TermsOfSale

GOODS = (line("a", quantity=3000, list=3000), line("b", quantity=2000, list=500))
ORDER = order(GOODS)


def terms(**says: Any) -> Policies:
    """Policies of a channel whose buyers are promised this."""
    policy = ChannelPolicy(channel="web", entity="us", fulfil_from=("wh", "store"))
    return Policies(channels={"web": policy}, sale=TermsOfSale([Policy(says=says)]))


def swapped(at: int, much: int, name: str = "s1", **words: Any) -> LineSubstituted:
    """Pieces of line a for which something else goes out."""
    full: dict[str, Any] = {
        "substitution": name,
        "version": version(at),
        "line": "a",
        "product": "other",
        "quantity": much * 1000,
        **about(at),
        **words,
    }
    return LineSubstituted(**full)


def sent(name: str, at: int, *lines: ShippedLine, state: str = "shipped") -> GoodsShipped:
    return GoodsShipped(
        shipment=name, version=version(at), state=state, location="wh", lines=lines, **about(at)
    )


def asked(model: Model) -> dict[tuple[str, str], int]:
    last = [body for body in model.emitted if isinstance(body, ReserveStock)][-1]
    return {(one.line, one.product): one.quantity for one in last.lines}


def test_the_substitute_is_held_moved_and_invoiced_under_its_own_name() -> None:
    model = Model(terms(substitution="as_told")).tell([placed(ORDER), capture(ORDER.total)])
    model.tell([swapped(3, 1)])
    assert asked(model) == {("a", "sku-a"): 2000, ("a", "other"): 1000, ("b", "sku-b"): 2000}
    model.tell([sent("p1", 4, ShippedLine("a", 2000), ShippedLine("a", 1000, "other"))])
    assert asked(model) == {("b", "sku-b"): 2000}
    assert model.movements() == {("wh", "sku-a"): -2000, ("wh", "other"): -1000}
    (invoice,) = model.documents("invoice")
    assert [(one.line, one.product, one.net) for one in invoice.body.lines] == [
        ("a", "sku-a", 2000),
        ("a", "other", 1000),
    ]


def test_a_parcel_that_names_only_the_line_holds_what_was_planned_for_it() -> None:
    model = Model(terms(substitution="as_told")).tell([placed(ORDER)])
    model.tell([swapped(3, 3), sent("p1", 4, ShippedLine("a", 3000))])
    assert model.movements() == {("wh", "other"): -3000}
    assert {line_of(key) for key in model.state.recognised} == {"a"}


def test_what_a_parcel_names_left_whatever_the_terms_say() -> None:
    model = Model(terms(substitution="never")).tell([placed(ORDER), swapped(3, 1)])
    assert asked(model)["a", "sku-a"] == 3000
    assert model.notices == ["substitution_refused"]
    model.tell([sent("p1", 4, ShippedLine("a", 3000, "other"))])
    assert model.movements() == {("wh", "other"): -3000}
    model.tell([swapped(5, 0)])
    assert model.settled == ["substitution_refused"]


@pytest.mark.parametrize(
    ("policy", "net", "notices"),
    [
        ("lower_price", 900, ["substitution_price"]),
        ("lower_price", 1200, []),
        ("as_told", 1200, ["substitution_price"]),
        ("as_told", 1000, []),
        ("as_told", None, []),
    ],
)
def test_what_a_substitute_costs_less_is_the_buyers_and_more_only_where_agreed(
    policy: str, net: int | None, notices: list[str]
) -> None:
    model = Model(terms(substitution=policy)).tell([placed(ORDER), swapped(3, 1, net=net)])
    assert model.notices == notices
    if notices:
        right = msgspec.structs.replace(GOODS[0], list=2000 + (net or 0))
        model.tell([changed(order((right, GOODS[1]), at=6), 6)])
        assert model.settled == notices


def test_nothing_is_earned_before_it_arrived_where_the_terms_say_so() -> None:
    model = Model(terms(revenue_event="delivered")).tell([placed(ORDER), capture(ORDER.total)])
    model.tell([sent("p1", 4, ShippedLine("a", 3000), ShippedLine("b", 2000))])
    assert (model.valued(SaleRecognised), model.documents("invoice")) == (0, [])
    assert model.movements() == {("wh", "sku-a"): -3000, ("wh", "sku-b"): -2000}
    model.tell([GoodsDelivered(shipment="p1", version=version(6), **about(6))])
    assert model.valued(SaleRecognised) == ORDER.total


def back(lines: list[tuple[str, int, str]], at: int, place: str = "store") -> GoodsReturned:
    """Goods received and sold again: (line, pieces, product)."""
    return GoodsReturned(
        return_id="r",
        version=version(at),
        location=place,
        lines=tuple(ReturnedLine(n, much * 1000, p, "restock") for n, much, p in lines),
        **about(at),
    )


def given_back(much: int, at: int = 20) -> Fact:
    """A refund of pieces of line a at 10.00."""
    return refund("f", [RefundLine("a", much * 1000, much * 1000, restock="return")], at)


@st.composite
def swaps(draw: st.DrawFn) -> list[Fact]:
    """Tellings of substitutions and parcels of one order that do not agree with each other."""
    facts: list[Fact] = [placed(ORDER), capture(ORDER.total)]
    for number in range(draw(st.integers(1, 8))):
        at, words = draw(st.integers(2, 6)), {"id": f"told-{number}"}
        product = draw(st.sampled_from(("other", "third")))
        if draw(st.booleans()):
            name = draw(st.sampled_from(("s1", "s2")))
            told = swapped(at, draw(st.integers(0, 3)), name, product=product)
            facts.append(msgspec.structs.replace(told, **words))
        else:
            named = draw(st.sampled_from(("", product, "sku-a")))
            lines = [ShippedLine("a", draw(st.integers(1, 2)) * 1000, named)]
            lines += [ShippedLine("b", 1000)] if draw(st.booleans()) else []
            told_state = draw(st.sampled_from(("open", "shipped", "cancelled")))
            name = draw(st.sampled_from(("p1", "p2")))
            parcel = sent(name, at, *lines, state=told_state)
            facts.append(msgspec.structs.replace(parcel, **words))
    for number in range(draw(st.integers(0, 2))):
        meant = draw(st.sampled_from((("a", ""), ("a", "other"), ("", "other"), ("", "sku-a"))))
        came = back([(meant[0], draw(st.integers(1, 3)), meant[1])], 7 + number)
        facts.append(msgspec.structs.replace(came, return_id=f"r{number}", id=f"back-{number}"))
    if draw(st.booleans()):
        facts.append(given_back(draw(st.integers(1, 3))))
    return facts


@settings(max_examples=200, deadline=None, derandomize=True)
@given(facts=swaps(), data=st.data())
def test_any_order_any_duplication_and_any_cut_end_the_same(
    facts: list[Fact], data: st.DataObject
) -> None:
    policies = terms(substitution="as_told")
    shuffled = data.draw(st.permutations([*facts, *data.draw(st.lists(st.sampled_from(facts)))]))
    cut = data.draw(st.integers(0, len(shuffled)))
    model = Model(policies).tell(shuffled[:cut])
    model.state = msgspec.json.decode(msgspec.json.encode(model.state), type=OrderState)
    model.tell(shuffled[data.draw(st.integers(0, cut)) :])
    whole = Model(policies).tell(facts)
    assert model.end() == whole.end()
    for one in GOODS:
        earned = [v for key, v in whole.state.recognised.items() if line_of(key) == one.line]
        assert sum(value.quantity for value in earned) <= one.quantity
        assert sum(value.list for value in earned) <= one.list
        undone = [v for key, v in whole.state.reversed.items() if line_of(key) == one.line]
        assert sum(value.quantity for value in undone) <= sum(value.quantity for value in earned)
    out: dict[str, int] = {}
    for (_, product), much in whole.movements().items():
        out[product] = out.get(product, 0) + much
    assert max(out.values(), default=0) <= 0  # no product comes back that did not leave


MIXED = [
    placed(ORDER),
    capture(ORDER.total),
    swapped(3, 1),
    sent("p1", 4, ShippedLine("a", 2000), ShippedLine("a", 1000, "other")),
]


@pytest.mark.parametrize("named", [("a", 1, "other"), ("", 1, "other")])
@pytest.mark.parametrize("refund_first", [False, True])
def test_a_substitute_that_comes_back_is_the_substitute_everywhere(
    named: tuple[str, int, str], *, refund_first: bool
) -> None:
    told = [back([named], 10), given_back(1)]
    model = Model(terms(substitution="as_told")).tell(MIXED)
    model.tell(reversed(told) if refund_first else told)
    assert model.movements()["store", "other"] == 1000
    assert model.movements()["wh", "sku-a"] == -2000
    assert ("store", "sku-a") not in {k for k, v in model.movements().items() if v}
    sums: dict[str, int] = {}
    for sign, kind in ((1, "credit_note"), (-1, "invoice")):
        for paper in model.documents(kind):
            for one in paper.body.lines:
                sums[one.product] = sums.get(one.product, 0) + sign * one.quantity
    assert sums == {"sku-a": -2000, "other": 0}
    assert model.notices == []


def test_a_line_served_by_substitutes_alone_comes_back_as_them_whatever_is_told() -> None:
    model = Model(terms(substitution="as_told")).tell(MIXED[:2])
    model.tell([swapped(3, 3), sent("p1", 4, ShippedLine("a", 3000))])
    model.tell([back([("a", 2, "sku-a")], 10), given_back(2)])
    assert model.movements() == {("wh", "other"): -3000, ("store", "other"): 2000}
    (note,) = model.documents("credit_note")
    assert [(one.product, one.quantity) for one in note.body.lines] == [("other", 2000)]


def test_a_till_that_rings_the_substitute_means_the_line_it_was_sent_for() -> None:
    policies = terms(substitution="as_told")
    line_back = SaleLine("1", "goods", "return", "other", -1000, -1000)
    told = GoodsReturned(
        return_id="sale/9",
        version="1",
        location="store",
        lines=(ReturnedLine("", 1000, "other"),),
        refunded_by="sale/9",
        rung=(line_back,),
        currency="USD",
        **{**about(10), "entities": Entities(selling="ca")},
    )
    model = Model(policies).tell([*MIXED, told])
    assert model.state.returned == {"a": 1000}
    (note,) = model.documents("credit_note")
    assert [(one.product, one.quantity) for one in note.body.lines] == [("other", 1000)]
    assert model.movements() == {("wh", "sku-a"): -2000, ("wh", "other"): -1000}
