"""What is expected back of a month: told once, trued up, taken back with its policy."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from tests.posting.money_facts import sale, take
from tillbridge.atoms.errors import Refused
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.valued import ReturnsExpected
from tillbridge.orchestration.terms import PARTS, TermsRefused, parse_terms
from tillbridge.posting.money.examples import fact_of
from tillbridge.reconciliation.returns_reserve import (
    Expected,
    Rates,
    Sold,
    expected,
    last_day,
    look_at_reserves,
    rates_of,
    reserve,
)

POLICY = """
[[policy]]
return_rates = { shoes = "20", "*" = "8" }
return_reserve_days = 20

[[policy]]
from = 2026-03-01
channel = "web"
return_rates = { shoes = "25" }
"""
FEBRUARY, APRIL = (datetime(2026, month, 3, 4, tzinfo=UTC) for month in (2, 4))


def sold(order: str, day: int, list_: int = 10_000, month: int = 1, **words: Any) -> Fact:
    line = {"kind": "goods", "list": list_, "department": words.pop("department", "shoes")}
    return sale(
        order,
        words.pop("name", "SaleRecognised"),
        channel="web",
        lines=[line | words],
        taxes=[],
        business_date=date(2026, month, day),
    )


def cost(order: str, day: int, amount: int, category: str) -> Fact:
    goods = [{"kind": "sold", "product": "p", "amount": -amount, "category": category}]
    told = {"key": order, "id": f"{order}/cost", "channel": "web", "order": order, "goods": goods}
    day_ = date(2026, 1, day)
    return fact_of("CostMoved", {"entity": "DE", "currency": "EUR", "business_date": day_, **told})


def work(connection: Connection, period: str, now: datetime, text: str = POLICY) -> int:
    """A month worked out, and what was told booked."""
    facts = reserve(connection, parse_terms(text), "DE", "EUR", period, now)
    connection.commit()
    take(connection, facts)
    return len(facts)


def balances(connection: Connection) -> dict[str, int]:
    rows = connection.execute(
        "select account, sum(amount)::bigint from entry_line"
        " where account ~ 'return|refund' group by account having sum(amount) <> 0"
    )
    return dict(rows.fetchall())


def told(connection: Connection) -> list[ReturnsExpected]:
    rows = connection.execute(
        "select body from record where type = 'ReturnsExpected' order by id"
    ).fetchall()
    return [msgspec.json.decode(body, type=ReturnsExpected) for (body,) in rows]


def test_a_month_is_reserved_once_by_department_with_its_cost(connection: Connection) -> None:
    take(connection, [sold("order/web/1", 20), sold("order/web/2", 20, 5000, department="hats")])
    take(connection, [sold("order/web/3", 5)])  # too long ago to come back
    take(connection, [cost("order/web/1", 20, 4000, "shoes"), cost("order/web/2", 20, 1000, "")])
    assert work(connection, "2026-01", FEBRUARY) == 1
    # the cost without a category lies on what was sold, two to one
    assert balances(connection) == {
        "returns-expected/shoes": 2000,
        "returns-expected/hats": 400,
        "refund-liability": -2400,
        "right-of-return": 800 + 133 + 27,
        "cost-of-returns/shoes": -933,
        "cost-of-returns/hats": -27,
    }
    (fact,) = told(connection)
    assert (fact.business_date, fact.version) == (date(2026, 1, 31), "returns-reserve/1")
    assert fact.policy == "policies.toml:2"
    assert {row.department: row.rate_ppm for row in fact.rows} == {"shoes": 200_000, "hats": 80_000}
    assert work(connection, "2026-01", FEBRUARY) == 0


def test_the_next_month_is_trued_up_and_an_earlier_one_can_be_mended(
    connection: Connection,
) -> None:
    take(connection, [sold("order/web/1", 20), sold("order/web/4", 20, 2000, month=3)])
    work(connection, "2026-01", FEBRUARY)
    assert work(connection, "2026-03", APRIL) == 1
    assert balances(connection)["refund-liability"] == -500
    # a sale of January is told late: January is mended, and March takes it out again
    take(connection, [sold("order/web/5", 21)])
    assert work(connection, "2026-01", APRIL) == 2
    assert [(one.period, one.rows[0].refund) for one in told(connection)] == [
        ("2026-01", 2000), ("2026-03", -1500), ("2026-01", 2000), ("2026-03", -2000),
    ]  # fmt: skip
    assert balances(connection)["refund-liability"] == -500
    # without a policy everything is taken back
    assert work(connection, "2026-03", APRIL, "") == 1
    assert balances(connection) == {}


def test_what_came_back_is_no_sale_any_more(connection: Connection) -> None:
    take(connection, [sold("order/web/1", 20), sold("order/web/1", 25, 4000, name="SaleReversed")])
    work(connection, "2026-01", FEBRUARY)
    assert balances(connection)["refund-liability"] == -1200


def test_the_schedule_reserves_last_month_unless_it_is_being_closed(connection: Connection) -> None:
    take(connection, [sold("order/web/1", 20)])
    terms, books = parse_terms(POLICY), {"DE": "EUR"}
    assert look_at_reserves(parse_terms(""), books, connection, FEBRUARY).startswith("no policy")
    connection.execute("insert into period values ('DE', '2026-01', 'soft-closed', now(), 'ann')")
    assert look_at_reserves(terms, books, connection, FEBRUARY) == "2026-01: 0 channels with news"
    connection.execute("update period set state = 'open'")
    assert look_at_reserves(terms, books, connection, FEBRUARY) == "2026-01: 1 channels with news"
    with pytest.raises(Refused, match="not over"):
        reserve(connection, terms, "DE", "EUR", "2026-02", FEBRUARY)
    with pytest.raises(Refused, match="no month"):
        last_day("2026-13")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["sales/a", "sales/b", "discounts/x", "cost-of-goods/a", "cost-of-goods/c"]
            ),
            st.integers(-5_000, 10_000),
        ),
        max_size=8,
    ),
    st.integers(0, PARTS),
    st.randoms(),
)
def test_never_less_than_nothing_nor_more_than_was_sold_in_any_order(
    told: list[tuple[str, int]], rate: int, chance: random.Random
) -> None:
    rows = [Sold("web", account, amount) for account, amount in told]
    rates = Rates({"*": rate}, 30, "x:1")
    found = expected(rows, rates)
    chance.shuffle(rows)
    assert expected(rows, rates) == found
    for one in found.values():
        assert one.refund >= 0
        assert one.cost >= 0
    whole = expected(rows, Rates({"*": PARTS}, 30, "x:1"))
    for name, one in found.items():
        assert one.refund <= whole[name].refund
    assert expected(rows, Rates({}, 30, "")) == {}
    assert Expected() == Expected(0, 0)


def test_the_rates_are_those_of_the_channel_on_the_last_day() -> None:
    terms = parse_terms(POLICY)
    january = rates_of(terms, "DE", "web", date(2026, 1, 31))
    march = rates_of(terms, "DE", "web", date(2026, 3, 31))
    assert january is not None
    assert march is not None
    assert (january.of("shoes"), january.of("hats")) == (200_000, 80_000)
    assert (march.of("shoes"), march.of("hats"), march.days) == (250_000, 0, 20)
    assert rates_of(parse_terms(""), "DE", "web", date(2026, 1, 31)) is None
    for wrong in ("20", "{ shoes = 20 }", "{}"):
        with pytest.raises(TermsRefused):
            parse_terms(f"[[policy]]\nreturn_rates = {wrong}\n")
