"""Goods of one entity that serve an order of another: what is due for them, to the cent."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.orchestration.test_returns import rung
from tests.orchestration.trade import (
    KEY,
    NOON,
    POLICIES,
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
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.orders import OrderLine, TaxLine
from tillbridge.canonical.returns import RefundLine
from tillbridge.canonical.stock import MoveStock
from tillbridge.canonical.valued import TransferPriced
from tillbridge.orchestration.policies import Policies
from tillbridge.orchestration.sales.returns import returned
from tillbridge.orchestration.terms import PARTS, parse_terms

_SETTINGS = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
OWNERS = {"wh": "us", "store": "ca", "outlet": "mx"}
PRICES = '[[policy]]\nentity = "us"\ntransfer_price = { ca = "54.83", "*" = "20" }\n'


def agreed(text: str = PRICES) -> Policies:
    """The house of `trade`, whose store is another entity's."""
    return msgspec.structs.replace(POLICIES, owners=OWNERS, sale=parse_terms(text))


def due(model: Model) -> dict[str, int]:
    """Minor units by entity that all facts sum to, without zeros."""
    sums: dict[str, int] = {}
    for fact in told(model):
        assert fact.entities.selling == "us"
        for row in fact.rows:
            entity = fact.entities.fulfilling
            sums[entity] = sums.get(entity, 0) + row.amount
    return {entity: amount for entity, amount in sums.items() if amount}


def told(model: Model) -> list[TransferPriced]:
    """All that was told."""
    return [body for body in model.emitted if isinstance(body, TransferPriced)]


def nearest(amount: Fraction) -> int:
    """Halves up."""
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


@_SETTINGS
@given(trade=trades(), data=st.data())
def test_any_order_of_arrival_ends_at_the_price_of_what_left_the_other_entity(
    trade: Trade, data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(trade.facts), max_size=5))
    model = Model(agreed()).tell(data.draw(st.permutations([*trade.facts, *again])))
    assert model.end() == Model(agreed()).tell(trade.facts).end()
    sent: dict[str, int] = {}
    for body in model.emitted:
        for one in body.lines if isinstance(body, MoveStock) else ():
            if one.location == "store":
                sent[one.line] = sent.get(one.line, 0) - one.quantity
    worth = Fraction()
    for sold in trade.order.lines:
        worth += Fraction(sold.net * max(sent.get(sold.line, 0), 0), sold.quantity or 1)
    price = nearest(worth * 548_300 / PARTS)
    assert due(model) == (model.state.transferred or {}) == ({"ca": price} if price else {})
    books = {
        "due-to/ca": -price,
        "due-from/us": price,
        "intercompany-cost": price,
        "intercompany-sales": -price,
    }
    assert {name: model.balances.get(name, 0) for name in books} == books


@_SETTINGS
@given(trade=trades())
def test_what_a_seller_ships_itself_or_nobody_agreed_on_is_not_priced(trade: Trade) -> None:
    plain = Model().tell(trade.facts)
    for policies in (
        msgspec.structs.replace(agreed(), owners={"wh": "us", "store": "us"}),
        msgspec.structs.replace(agreed(), owners={}),
        agreed("[[policy]]\nreturn_days = -1\n"),
    ):
        model = Model(policies).tell(trade.facts)
        assert model.end() == plain.end()
        assert (told(model), model.state.transferred) == ([], None)


@st.composite
def _pieces(draw: st.DrawFn) -> tuple[OrderLine, list[Fact], list[Fact]]:
    """Goods the other entity sends piece by piece, and that all come back to it, one by one."""
    count = draw(st.integers(1, 5))
    listed = draw(st.integers(0, 9_999))
    goods = line(
        "a", quantity=count * 1000, list=listed, discount=draw(st.integers(0, listed)), taxes=()
    )
    sent: list[Fact] = [parcel(f"p{n}", {"a": 1}, 10 + n, place="store") for n in range(count)]
    net = goods.net
    back: list[Fact] = []
    for n in range(count):
        share = net * (n + 1) // count - net * n // count
        back.append(refund(f"r{n}", [RefundLine("a", 1000, share, (), "return", "store")], 20 + n))
    return goods, sent, back


@_SETTINGS
@given(made=_pieces(), data=st.data())
def test_parcels_lose_no_cent_and_a_full_return_leaves_nothing(
    made: tuple[OrderLine, list[Fact], list[Fact]], data: st.DataObject
) -> None:
    goods, sent, back = made
    model = Model(agreed()).tell([placed(order([goods])), capture(goods.net), *sent])
    price = nearest(Fraction(goods.net * 548_300, PARTS))
    assert sum(due(model).values()) == price
    model.tell(back)
    assert (due(model), model.state.transferred) == ({}, None)
    facts = [placed(order([goods])), capture(goods.net), *sent, *back]
    mixed = Model(agreed()).tell(data.draw(st.permutations(facts)))
    assert mixed.end() == model.end()
    assert not any(mixed.balances.get(name) for name in ("due-to/ca", "intercompany-sales"))


TWO = line("a", quantity=2000, list=10_000, discount=1_000, taxes=(TaxLine("t", "us-ny", 1_710),))
BOOK = line("b", list=2_803, discount=281, taxes=(TaxLine("t", "us-7", 177),))
WHOLE = order([TWO, BOOK])
SOLD: tuple[Fact, ...] = (placed(WHOLE), capture(WHOLE.total))
SPLIT = (
    *SOLD,
    parcel("p1", {"a": 1}, 2, place="wh"),
    parcel("p2", {"a": 1, "b": 1}, 3, place="store"),
)


def back(name: str, at: str, number: int) -> Fact:
    """A piece of the first line comes back and is paid back."""
    lines = [RefundLine("a", 1000, 4_500, (TaxLine("t", "us-ny", 855),), "return", at)]
    return refund(name, lines, number)


def test_the_fact_says_whose_goods_at_which_rate_and_by_which_policy() -> None:
    (fact,) = told(Model(agreed()).tell(SPLIT))
    assert fact.entities == Entities("us", fulfilling="ca")
    assert (fact.id, fact.order, fact.currency) == (f"{KEY}/transfer/1", KEY, "USD")
    assert [(row.kind, row.amount) for row in fact.rows] == [("transfer_price", 3_850)]
    assert (fact.rate_ppm, fact.policy) == (548_300, "policies.toml:1")


def test_goods_that_come_back_to_the_seller_stay_bought() -> None:
    model = Model(agreed()).tell([*SPLIT, back("r1", "wh", 5)])
    assert due(model) == {"ca": 3_850}
    model.tell([back("r2", "store", 6)])
    assert due(model) == {"ca": nearest(Fraction(2_522 * 548_300, PARTS))}


def test_an_entity_owes_nothing_for_goods_it_never_sent() -> None:
    facts = [*SOLD, parcel("p1", {"a": 2}, 2, place="wh"), back("r1", "store", 5)]
    assert told(Model(agreed()).tell(facts)) == []


def test_several_entities_are_priced_apart_each_at_its_rate() -> None:
    facts = [*SOLD, parcel("p1", {"a": 1}, place="store"), parcel("p2", {"b": 1}, place="outlet")]
    assert due(Model(agreed()).tell(facts)) == {"ca": 2_467, "mx": 504}


@pytest.mark.parametrize("entity", ["us", "ca"])
def test_what_a_till_took_into_the_other_entitys_stock_is_owed_no_more(entity: str) -> None:
    rang = rung(1, [("sku-a", 1, 4_500, 855)], entity)
    found = returned(rang)
    assert found
    model = Model(agreed()).tell([*SPLIT, *found])
    assert due(model) == {"ca": nearest(Fraction(2_522 * 548_300, PARTS))}
    assert model.end() == Model(agreed()).tell([*found, *reversed(SPLIT)]).end()


def test_a_parcel_taken_back_and_a_line_made_cheaper_change_the_price() -> None:
    model = Model(agreed()).tell(SPLIT)
    cheaper = [msgspec.structs.replace(TWO, discount=2_000), BOOK]
    model.tell([changed(order(cheaper, at=8), 8)])
    assert due(model) == {"ca": nearest(Fraction((4_000 + 2_522) * 548_300, PARTS))}
    model.tell([parcel("p2", {"a": 1, "b": 1}, 9, "cancelled", "store")])
    assert due(model) == {}


def test_more_told_as_sent_than_was_sold_is_priced_as_sold() -> None:
    facts = [*SOLD, parcel("p1", {"b": 3}, place="store")]
    assert due(Model(agreed()).tell(facts)) == {"ca": nearest(Fraction(2_522 * 548_300, PARTS))}


def test_a_policy_counts_from_its_day_on_and_one_that_is_gone_takes_its_price_along() -> None:
    later = PRICES.replace("entity", f"from = {NOON.date().replace(day=3)}\nentity")
    assert told(Model(agreed(later)).tell(SPLIT)) == []
    model = Model(agreed()).tell(SPLIT)
    gone = Model(agreed(later))
    gone.state = model.state
    gone.tell([capture(5, 30)])
    (fact,) = told(gone)
    assert ([row.amount for row in fact.rows], fact.rate_ppm, fact.policy) == ([-3_850], 0, "")
