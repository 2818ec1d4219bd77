"""A receipt with goods that do not leave with the buyer: its orders, told in any order."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.orders import TaxLine, TillPayment
from tillbridge.canonical.registry import Body, decode, encode
from tillbridge.canonical.sales import SaleLine, SaleRung, SaleTender, SaleVoided, ordered, parted
from tillbridge.canonical.shipments import GoodsShipped, ShippedLine
from tillbridge.canonical.stock import ReserveStock
from tillbridge.canonical.valued import SaleRecognised
from tillbridge.orchestration.orders.decide import decide
from tillbridge.orchestration.orders.state import OrderState, captured, repaid
from tillbridge.orchestration.orders.status import status_of
from tillbridge.orchestration.policies import ChannelPolicy, Policies
from tillbridge.orchestration.sales.aisle import Aisle, aisle_of, voided

AT = datetime(2026, 3, 2, 15, tzinfo=UTC)
ORDER = "order/stores/12/4/2026-03-02/7"
POLICIES = Policies(
    channels={"stores": ChannelPolicy(channel="stores", entity="us", fulfil_from=("wh-east",))}
)


def line(number: str, gross: int, **fields: Any) -> SaleLine:
    """A line of two pieces (a return of one) with 8 % tax in it."""
    tax = gross * 8 // 108
    pieces = -1000 if gross < 0 else 2000
    way = "return" if gross < 0 else "sale"
    taxes = (TaxLine("ny", "us-ny", tax),)
    return SaleLine(number, "goods", way, "P1", pieces, gross - tax, 0, taxes, **fields)


def sale(*lines: SaleLine, number: str = "7", paid: tuple[SaleTender, ...] = ()) -> SaleRung:
    """A receipt, paid in cash unless said otherwise."""
    total = sum(one.gross for one in lines)
    key = f"sale/tills/12/4/2026-03-02/{number}"
    return SaleRung(
        key=key,
        id=key,
        source="tills",
        mapping="poslog/1",
        occurred_at=AT + timedelta(minutes=int(number)),
        business_date=date(2026, 3, 2),
        entities=Entities("us"),
        location="store-nyc",
        channel="stores",
        till="4",
        sequence=number,
        currency="USD",
        total=total,
        lines=lines,
        tenders=paid or (SaleTender("cash", "cash", total),),
    )


def void(of: SaleRung, minutes: int = 60) -> SaleVoided:
    """The receipt taken back, a while later by the till's clock (or before)."""
    return SaleVoided(
        key=of.key,
        id=f"{of.key}/void",
        source="tills",
        mapping="poslog/1",
        occurred_at=of.occurred_at + timedelta(minutes=minutes),
        business_date=of.business_date,
        entities=of.entities,
        location=of.location,
        till="4",
        sequence="99",
        voided=of.key,
    )


def told(receipt: SaleRung) -> Aisle:
    """What a receipt tells orders."""
    found = aisle_of(receipt)
    assert found is not None
    return found


SENT = sale(line("1", 1080), line("2", 9720, fulfil="ship"))
BACK = sale(
    line("1", -4860, fulfil="ship", order=ORDER, order_line="2"),
    number="9",
    paid=(SaleTender("visa", "card", -4860),),
)
PARCEL = GoodsShipped(
    key=ORDER,
    id="p",
    source="wms",
    mapping="wms/1",
    occurred_at=AT + timedelta(days=1),
    business_date=date(2026, 3, 3),
    entities=Entities("us"),
    shipment="p",
    version="1",
    state="shipped",
    location="wh-east",
    lines=(ShippedLine("2", 1000),),
)


def ended(facts: list[Body]) -> tuple[OrderState, list[Body]]:
    """State of the order, and all that it gave out."""
    state, out = OrderState(key=ORDER), []
    for fact in facts:
        out += decide(state, fact, POLICIES).emits
    return state, out


def test_only_what_does_not_leave_is_ordered_and_carries_its_part_of_the_money() -> None:
    (placed,) = told(SENT).placed
    assert (placed.key, placed.order.total, placed.order.sale) == (ORDER, 9720, SENT.key)
    assert [one.line for one in placed.order.lines] == ["2"]
    assert placed.order.till_paid == (TillPayment("cash", 9720),)
    assert aisle_of(sale(line("1", 1080))) is None


def test_each_way_and_place_is_an_order_of_its_own() -> None:
    receipt = sale(
        line("1", 1080, fulfil="ship"),
        line("2", 1080, fulfil="collect", place="store-bos"),
        line("3", 2160, fulfil="ship"),
        line("4", 1080, fulfil="collect"),
    )
    assert {key: [one.line for one in lines] for key, lines in ordered(receipt).items()} == {
        ORDER: ["1", "3"],
        f"{ORDER}/2": ["2"],
        f"{ORDER}/3": ["4"],
    }
    orders = [placed.order for placed in told(receipt).placed]
    assert [one.collect_at for one in orders] == ["", "store-bos", "store-nyc"]


@given(cash=st.integers(0, 20_000), card=st.integers(0, 20_000), gross=st.integers(1, 20_000))
@settings(max_examples=60, deadline=None)
def test_the_tenders_of_an_order_sum_to_it(cash: int, card: int, gross: int) -> None:
    paid = (SaleTender("cash", "cash", cash), SaleTender("visa", "card", card))
    (placed,) = told(sale(line("1", gross, fulfil="ship"), paid=paid)).placed
    assert sum(one.amount for one in placed.order.till_paid) == gross


def test_the_money_of_the_till_is_not_booked_by_the_order() -> None:
    state, out = ended([*told(SENT).placed, PARCEL])
    assert [type(one).__name__ for one in out if type(one).__module__.endswith("valued")] == [
        "SaleRecognised"
    ]
    assert (captured(state), state.deposited) == ({"cash": 9720}, {})


def test_any_order_of_arrival_ends_the_same() -> None:
    facts: list[Body] = [*told(SENT).placed, *told(BACK).given_up, PARCEL]
    ends = []
    for turn in itertools.permutations([*facts, facts[0]]):
        state, out = ended(list(turn))
        earned = sum(
            sum(one.list - one.discount for one in fact.lines) + sum(t.tax for t in fact.taxes)
            for fact in out
            if isinstance(fact, SaleRecognised)
        )
        holds = [fact for fact in out if isinstance(fact, ReserveStock)]
        wanted = sum(one.quantity for one in holds[-1].lines) if holds else 0
        ends.append((earned, captured(state), repaid(state), status_of(state), wanted))
    assert set(map(repr, ends)) == {repr((4860, {"cash": 9720}, {"visa": 4860}, "shipped", 0))}


@pytest.mark.parametrize("minutes", [60, -60], ids=["later", "by a clock that is behind"])
def test_a_void_cancels_and_restores_whatever_the_tills_clock_says(minutes: int) -> None:
    placed, given_up = told(SENT).placed, told(BACK).given_up
    (cancelled,) = voided(told(SENT), void(SENT, minutes))
    (restored,) = voided(told(BACK), void(BACK, minutes))
    for turn in itertools.permutations([*placed, *given_up, restored]):
        state, _ = ended(list(turn))
        assert (status_of(state), repaid(state)) == ("paid", {})
    for turn in itertools.permutations([*placed, cancelled]):
        state, _ = ended(list(turn))
        assert (status_of(state), captured(state)) == ("cancelled", {})


def test_what_left_before_the_receipt_was_voided_is_told_to_the_stores() -> None:
    state, _ = ended([*told(SENT).placed, PARCEL])
    (cancelled,) = voided(told(SENT), void(SENT))
    (notice,) = decide(state, cancelled, POLICIES).notices
    assert (notice.reason, notice.owner, notice.amount) == ("void_after_shipping", "stores", 9720)


def test_goods_given_up_without_a_line_are_a_case() -> None:
    with pytest.raises(NeedsDecision, match="does not say which line"):
        aisle_of(sale(line("1", -4860, fulfil="ship", order=ORDER)))


def test_freight_and_the_receipts_own_tax_go_with_what_is_shipped() -> None:
    freight = SaleLine("3", "shipping", "sale", "", 1000, 500)
    plain = msgspec.structs.replace(line("1", 1080), taxes=())
    sent = msgspec.structs.replace(line("2", 2160, fulfil="ship"), taxes=())
    lines, left = parted((plain, sent, freight), (TaxLine("ny", "us-ny", 280, base=3500),))
    assert left == ()
    assert [one.fulfil for one in lines] == ["", "ship", "ship"]
    assert sum(tax.amount for one in lines for tax in one.taxes) == 280
    assert sum(tax.base for one in lines for tax in one.taxes) == 3500
    assert parted((plain,), (TaxLine("ny", "us-ny", 280),))[0] == (plain,)


def test_what_a_receipt_told_is_kept_as_it_is() -> None:
    for body in (*told(SENT).placed, *told(BACK).given_up):
        assert decode(type(body).__name__, 1, encode(body)) == body
