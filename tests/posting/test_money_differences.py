"""What a changed rule would have booked otherwise, out of the facts of the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, refund, shipment
from tests.stories.till_files import goods, poslog, post_void, receipt, tender
from tillbridge.posting.money.activation import book_of, files_of
from tillbridge.posting.money.book import RuleBook
from tillbridge.posting.money.differences import (
    FactDifference,
    Tally,
    changed_facts,
    differences,
)

SINCE = date(2026, 3, 1)
TIPS = (
    '{ credit = "sales/{department}", amount = "list", where = { kind = ["goods", "tip"] } },',
    '{ credit = "sales/other", amount = "list", where = { kind = ["goods", "tip"] } },',
)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def sale(number: int) -> str:
    return receipt(number, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")


def traded(shop: House) -> None:
    """Two web orders, one of them shipped, a till sale and one that was voided."""
    shop.web("orders/create", paid_order(1, [line(1)], "10.00"))
    shop.web("orders/create", paid_order(2, [line(1)], "10.00"))
    shop.web("fulfillments/create", shipment(1, 1, {1: 1}))
    shop.web("fulfillments/create", shipment(1, 1, {1: 1}))
    shop.file("stores", poslog(sale(1), sale(2), post_void(3, 2)))


def changed(*edits: tuple[str, str], fact: str = "") -> RuleBook:
    files = files_of(None)
    text = files["rules.toml"]
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return book_of({**files, "rules.toml": text + fact})


def compared(
    shop: House, then: RuleBook, since: date = SINCE
) -> tuple[list[FactDifference], Tally]:
    tally = Tally()
    policy = shop.hub.money_policy
    found = list(differences(shop.connection, shop.hub.book, then, policy, since, tally))
    shop.connection.rollback()
    return found, tally


def otherwise(entity: str = "us", since: str = "2026-03-01") -> str:
    """A rule of one entity that books deposits of this month elsewhere."""
    return f"""
[[rule]]
fact = "DepositReceived"
purpose = "deposit"
words = "Money for orders is kept apart."
entity = "{entity}"
from = {since}
where = {{ channel = "web" }}
legs = [
  {{ debit = "clearing/{{tender}}", amount = "amount" }},
  {{ credit = "customer-deposits", amount = "tendered", item = "web/{{order}}" }},
]
"""


def test_the_same_book_differs_in_nothing_and_reads_nothing(shop: House) -> None:
    traded(shop)
    found, tally = compared(shop, changed())
    assert (found, tally.facts) == ([], 0)


def test_each_fact_is_told_once_with_what_is_booked_and_what_would_be(shop: House) -> None:
    traded(shop)
    before = shop.rows("select (select count(*) from record), (select count(*) from entry_line)")
    then = changed(fact=otherwise())
    assert changed_facts(shop.hub.book, then) == ["DepositReceived"]
    found, tally = compared(shop, then)
    assert (tally.facts, tally.differing, tally.undecided) == (2, 2, 0)
    assert [(one.key, one.business_date) for one in found] == [
        ("order/web/1", date(2026, 3, 2)),
        ("order/web/2", date(2026, 3, 2)),
    ]
    assert [(x.account, x.item, x.booked, x.would_be) for x in found[0].lines] == [
        ("customer-deposits", "order/web/1", -1000, 0),
        ("customer-deposits", "web/order/web/1", 0, -1000),
    ]
    assert tally.sums == {("us", "customer-deposits", "USD"): (-2000, -2000)}
    after = shop.rows("select (select count(*) from record), (select count(*) from entry_line)")
    assert after == before


def test_days_before_and_other_entities_are_left_alone(shop: House) -> None:
    traded(shop)
    later, tally = compared(shop, changed(fact=otherwise()), date(2026, 3, 3))
    assert (later, tally.facts) == ([], 0)
    assert compared(shop, changed(fact=otherwise(entity="ca")))[0] == []
    assert compared(shop, changed(fact=otherwise(since="2026-03-03")))[0] == []


def test_what_a_void_took_back_is_named_and_not_summed(shop: House) -> None:
    traded(shop)
    shop.connection.execute(  # told again: the log holds it twice, the book once
        "insert into record (lane, key, type, version, fused, body)"
        " select lane, key, type, version, true, body from record"
        " where type = 'SaleRung' order by id limit 1"
    )
    shop.connection.commit()
    files = files_of(None)
    rules = files["rules.toml"]
    start = rules.index('fact = "SaleRung"')
    leg = 'credit = "sales/{department}"'
    at = rules.index(leg, start)
    then = book_of(
        {**files, "rules.toml": rules[:at] + 'credit = "sales/tills"' + rules[at + len(leg) :]}
    )
    found, tally = compared(shop, then)
    assert [one.taken_back for one in found] == [False, True]
    assert sum(would - was for was, would in tally.sums.values()) == 0
    assert [was - would for (_, account, _), (was, would) in tally.sums.items()] != []
    assert max(abs(would - was) for was, would in tally.sums.values()) == 2000


def test_what_would_be_a_case_says_why_and_what_waits_would_be_booked(shop: House) -> None:
    traded(shop)
    text = files_of(None)["rules.toml"]
    tables = text.split("[[rule]]")
    without = "[[rule]]".join(t for t in tables if 'fact = "RefundPaid"' not in t)
    shop.web("refunds/create", refund(3, 1, [], "5.00"))
    then = book_of({**files_of(None), "rules.toml": without, "examples.toml": ""})
    (lost,), _ = compared(shop, then)
    assert lost.decision.startswith("posting_rule_missing")
    assert sum(x.booked for x in lost.lines) == sum(x.would_be for x in lost.lines) == 0
    # and the other way round: as if those rules were in force, and the fact parked
    tally = Tally()
    back = differences(shop.connection, then, shop.hub.book, shop.hub.money_policy, SINCE, tally)
    assert list(back) == []  # it is booked already, just as the book would


def test_the_verb_shows_writes_a_file_and_changes_nothing(shop: House, tmp_path: Path) -> None:
    traded(shop)
    rules = shop.hub.workspace.folder / "rules" / "rules.toml"
    assert "0 would be booked otherwise" in shop.verb("rules", "diff", "--since", "2026-03-01")
    rules.write_text(rules.read_text() + otherwise())
    out = tmp_path / "diff.csv"
    page = shop.verb("rules", "diff", "--since", "2026-03-01", "--out", str(out), "--limit", "1")
    assert "2 facts looked at, 2 would be booked otherwise" in page
    assert page.count("order/web/1") > 0
    assert "web/order/web/2" not in page
    rows = out.read_text().splitlines()
    assert len(rows) == 1 + 4
    assert "customer-deposits,web/order/web/2,USD,0.00,-10.00" in rows[4]
    told = json.loads(shop.verb("--json", "rules", "diff", "--since", "2026-03-01"))
    assert told["sums"][0]["account"] == "customer-deposits"
    assert shop.rows("select count(*) from rule_book") == [(1,)]
    # what one person has proposed is what the other one looks at, whatever the files say by then
    shop.verb("rules", "activate", "--reason", "kept apart")
    rules.write_text(rules.read_text().replace(otherwise(), ""))
    asked = ("rules", "diff", "--since", "2026-03-01")
    assert "0 would be booked otherwise" in shop.verb(*asked)
    assert "2 would be booked otherwise" in shop.verb(*asked, "--proposal", "1")
    assert "there is no proposal 2" in shop.verb(*asked, "--proposal", "2", code=1)
