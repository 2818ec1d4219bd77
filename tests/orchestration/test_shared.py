"""Sales shared with partners: whatever comes back in whatever pieces and order, nothing is left."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.orchestration.trade import MONEY, book
from tillbridge.atoms.toml_tables import Table
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.orders import TaxLine
from tillbridge.canonical.partners import SaleShared
from tillbridge.canonical.returns import GoodsReturned
from tillbridge.canonical.sales import SaleLine, SaleRung, SaleTender, SaleVoided
from tillbridge.orchestration.partners import Partners, Place, read_partners
from tillbridge.orchestration.sales.returns import fold_back, returned
from tillbridge.orchestration.sales.share_state import commission_of
from tillbridge.orchestration.sales.shared import shares, sold_here
from tillbridge.orchestration.sales.state import SaleReturns, SaleState
from tillbridge.posting.money.engine import post

KEY = "sale/stores/9/31/2026-03-02/114"
NYC = Place("store-nyc", "stores", "us", date(2026, 3, 2))


def partners(*tables: dict[str, Any]) -> Partners:
    """Policies as the file says them."""
    found, problems = read_partners([Table(words, "policies.toml:1") for words in tables])
    assert problems == []
    return found


def lumiere(**words: Any) -> dict[str, Any]:
    """Perfume of a partner in our store for an eighth."""
    said: dict[str, Any] = {
        "partner": "lumiere", "as": "agent", "commission": "0.125", "collects": "us",
        "department": "beauty",
    }  # fmt: skip
    return {**said, **words}


def about(number: str, key: str = KEY) -> dict[str, Any]:
    """What every till fact carries."""
    return {
        "key": key,
        "id": f"{key}/{number}",
        "source": "stores",
        "mapping": "poslog/1",
        "occurred_at": datetime(2026, 3, 2, 12, tzinfo=UTC),
        "business_date": date(2026, 3, 2),
        "entities": Entities(selling="us"),
        "location": "store-nyc",
        "till": "31",
        "sequence": number,
    }


def rung(*lines: SaleLine, key: str = KEY, tender: str = "cash") -> SaleRung:
    """A receipt paid by one tender."""
    total = sum(line.gross for line in lines)
    paid = (SaleTender(tender, "cash" if tender == "cash" else "card", total),)
    about_it = about("114", key)
    return SaleRung(**about_it, channel="stores", currency="USD", total=total, lines=lines,
                    tenders=paid)  # fmt: skip


def sold(name: str, net: int, tax: int = 0, department: str = "beauty", **words: Any) -> SaleLine:
    """A line; a negative net comes back."""
    taxes = (TaxLine("ny", "us-ny", tax),) if tax else ()
    full: dict[str, Any] = {
        "line": name, "kind": "goods", "direction": "sale" if net >= 0 else "return",
        "product": f"P{name}", "quantity": 1000 if net >= 0 else -1000, "list": net,
        "department": department, "taxes": taxes, **words,
    }  # fmt: skip
    return SaleLine(**full)


class Till:
    """One sale as its own state sees it, and what is booked of it."""

    def __init__(self, policies: Partners) -> None:
        self.state = SaleState(key=KEY)
        self.policies = policies
        self.balances: dict[str, int] = {}
        self.facts: list[SaleShared] = []

    def tell(self, body: Fact) -> Till:
        """Fold, decide, book; state is stored in between."""
        if isinstance(body, GoodsReturned):
            fold_back(self.state, body)
        elif isinstance(body, SaleRung):
            self.state.currency, self.state.location = body.currency, body.location
            shared = sold_here(body, self.policies)
            self.state.returns = msgspec.structs.replace(self.state.returns, shared=shared)
        elif isinstance(body, SaleVoided):
            self.state.voided = True
        for fact in shares(self.state, body, self.policies):
            assert isinstance(fact, SaleShared)
            self.facts.append(fact)
            for entry in post(book(), fact, MONEY):
                assert sum(one.amount for one in entry.lines) == 0
                for line in entry.lines:
                    left = self.balances.get(line.account, 0) + line.amount
                    self.balances[line.account] = left
        stored = msgspec.json.encode(self.state.returns)
        self.state.returns = msgspec.json.decode(stored, type=SaleReturns)
        return self

    def left(self) -> dict[str, int]:
        """Balances without zeros."""
        return {account: amount for account, amount in self.balances.items() if amount}


@st.composite
def _in_pieces(draw: st.DrawFn) -> tuple[SaleRung, list[Fact]]:
    """A sale, and returns of all of it in pieces of any size."""
    lines, back = [], []
    for n in range(draw(st.integers(1, 3))):
        pieces = draw(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 99)), min_size=1,
                               max_size=4))  # fmt: skip
        department = draw(st.sampled_from(("beauty", "shoes")))
        net, tax = (sum(piece[k] for piece in pieces) for k in (0, 1))
        lines.append(sold(str(n), net, tax, department))
        back += [
            sold(str(n), -a, -b, department, direction="return", quantity=-1000, link=KEY)
            for a, b in pieces
        ]
    told: list[Fact] = []
    for number, line in enumerate(back):
        told += returned(rung(line, key=f"sale/stores/9/31/2026-03-03/{number}"))
    return rung(*lines), told


@settings(max_examples=200, deadline=None, derandomize=True)
@given(trade=_in_pieces(), data=st.data(), mode=st.sampled_from(("agent", "principal")))
def test_a_sale_that_comes_back_in_pieces_leaves_nothing_in_any_order(
    trade: tuple[SaleRung, list[Fact]], data: st.DataObject, mode: str
) -> None:
    sale, back = trade
    policies = partners(lumiere(**{"as": mode}))
    till = Till(policies)
    for body in data.draw(st.permutations([sale, *back])):
        till.tell(body)
        till.tell(body)
    assert till.left() == {}
    some = back[: data.draw(st.integers(0, len(back)))]
    straight, other = Till(policies), Till(policies)
    for body in [sale, *some]:
        straight.tell(body)
    for body in data.draw(st.permutations([sale, *some])):
        other.tell(body)
    assert straight.left() == other.left()


def test_goods_of_a_partner_are_no_sale_of_ours() -> None:
    till = Till(partners(lumiere()))
    till.tell(rung(sold("1", 1004, 80), sold("2", 500, department="shoes")))
    assert till.left() == {
        "sales/beauty": 1004,
        "sales-tax/us-ny": 80,
        "commission-income/lumiere": -126,
        "partner-payable/lumiere": -(1084 - 126),
    }
    (fact,) = till.facts
    assert (fact.net, fact.rate_ppm, fact.commission) == (1004, 125_000, 126)
    assert fact.policy.endswith("policies.toml:1")
    till.tell(SaleVoided(**about("115"), voided=KEY))
    assert till.left() == {}


def test_a_franchisee_who_keeps_his_till_owes_what_is_in_it() -> None:
    words = {"as": "principal", "commission": "0.3", "collects": "partner", "partner": "north"}
    policy = lumiere(**words, location="store-nyc")
    del policy["department"]
    till = Till(partners(policy))
    till.tell(rung(sold("1", 10_000, 800)))
    assert till.left() == {
        "partner-commissions/north": 3_000,
        "partner-receivable/north": 7_800,
        "till/store-nyc/cash": -10_800,
    }
    back = rung(sold("2", -10_000, -800, link=KEY), key="sale/stores/9/31/2026-03-03/1")
    for told in returned(back):
        till.tell(told)
    assert till.left() == {"partner-receivable/north": 10_800, "till/store-nyc/cash": -10_800}
    other = Till(till.policies)
    other.tell(back)
    assert other.left() == {"partner-receivable/north": -10_800, "till/store-nyc/cash": 10_800}


def test_the_last_policy_that_fits_counts_from_its_day_on() -> None:
    found = partners(
        lumiere(),
        lumiere(commission="0.2", **{"from": date(2026, 3, 2)}),
        lumiere(commission="0.5", **{"from": date(2026, 4, 1)}),
        lumiere(commission="0.9", location="store-bos"),
    )
    deal = found.deal(NYC, "beauty")
    assert deal is not None
    assert deal.rate_ppm == 200_000
    assert found.deal(NYC, "shoes") is None
    assert found.keeper(NYC) is None
    before = found.deal(msgspec.structs.replace(NYC, day=date(2026, 3, 1)), "beauty")
    assert before is not None
    assert before.rate_ppm == 125_000


def test_what_cannot_be_meant_is_told_with_its_place() -> None:
    tables = [
        Table({"partner": "p", "as": "friend", "commission": 0.1, "collects": "us"}, "f:1"),
        Table({"partner": "a/b", "as": "agent", "commission": "2", "collects": "us"}, "f:2"),
        Table(lumiere(collects="partner"), "f:3"),
        Table({"rate": 1}, "f:4"),
    ]
    found, problems = read_partners(tables)
    assert found == Partners()
    assert [problem[:4] for problem in problems] == [
        "f:1:", "f:1:", "f:2:", "f:2:", "f:3:", "f:4:", "f:4:", "f:4:", "f:4:", "f:4:",
    ]  # fmt: skip


def test_a_commission_is_rounded_to_the_nearest_alike_both_ways() -> None:
    assert [commission_of(net, 125_000) for net in (4, -4, 3, -3, 0)] == [1, -1, 0, 0, 0]
