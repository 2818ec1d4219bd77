"""A till transaction told twice, changed, or voided in any order."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.registry import Body
from tillbridge.canonical.sales import SaleRung, SaleTender, SaleVoided, TillNoted
from tillbridge.orchestration.sales.decide import TillFact, decide
from tillbridge.orchestration.sales.state import SaleState

KEY = "sale/stores/9/31/2026-03-02/114"


def _about(number: str = "114") -> dict[str, Any]:
    return {
        "key": KEY,
        "id": KEY,
        "source": "stores",
        "mapping": "poslog/1",
        "occurred_at": datetime(2026, 3, 2, 12, tzinfo=UTC),
        "business_date": date(2026, 3, 2),
        "entities": Entities(selling="us"),
        "location": "store-nyc",
        "till": "31",
        "sequence": number,
    }


SALE = SaleRung(
    **_about(),
    channel="stores",
    currency="USD",
    total=1000,
    lines=(),
    tenders=(SaleTender("cash", "cash", 1000),),
)
VOID = SaleVoided(**{**_about("115"), "id": f"{KEY}/void"}, voided=KEY)


def _booked(told: list[TillFact]) -> list[str]:
    """Types that go on to the books, in order; what a decision emits is told right after."""
    state = SaleState(key=KEY)
    booked = []
    waiting: list[Body] = list(told)
    while waiting:
        body = waiting.pop(0)
        assert isinstance(body, SaleRung | SaleVoided)
        goes_on, emits = decide(state, body)
        if goes_on:
            booked.append(type(body).__name__)
        waiting = [*emits, *waiting]
    return booked


def test_a_sale_and_its_void_are_booked_once_in_whatever_order_they_come() -> None:
    told: list[TillFact] = [SALE, SALE, VOID, VOID]
    for order in set(itertools.permutations(range(4))):
        assert _booked([told[i] for i in order]) == ["SaleRung", "SaleVoided"]


def test_the_same_sale_from_another_source_or_mapping_is_no_other_sale() -> None:
    again = msgspec.structs.replace(SALE, source="archive", mapping="poslog/2")
    assert _booked([SALE, again]) == ["SaleRung"]


def test_a_sale_told_with_other_content_needs_a_decision_and_leaves_the_first() -> None:
    state = SaleState(key=KEY)
    decide(state, SALE)
    before = msgspec.structs.replace(state)
    with pytest.raises(NeedsDecision, match="told before with other content") as case:
        decide(state, msgspec.structs.replace(SALE, total=1001))
    assert case.value.reason == "immutable_changed"
    assert case.value.owner == "stores"
    assert case.value.amount == 1001
    assert state == before


def test_a_number_used_for_two_kinds_of_transaction_needs_a_decision() -> None:
    state = SaleState(key=KEY)
    decide(state, TillNoted(**_about(), kind="no_sale"))
    with pytest.raises(NeedsDecision):
        decide(state, SALE)


def test_a_void_alone_books_nothing() -> None:
    assert _booked([VOID]) == []
