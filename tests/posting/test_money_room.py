"""The posting room on a real PostgreSQL: once, whole, balanced, final, in any order."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import psycopg
import pytest
from psycopg import Connection
from psycopg import errors as pg

from tests.one_person import works_alone
from tests.posting.money_facts import (
    CHART,
    EURO,
    NOW,
    deposit,
    refund,
    rung,
    sale,
    take,
    void,
)
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.registry import decode, encode
from tillbridge.canonical.valued import EntryPosted
from tillbridge.posting.money.book import make_book
from tillbridge.posting.money.entries import REVERSAL, entry_id, hash_of
from tillbridge.posting.money.examples import fact_of
from tillbridge.posting.money.periods import list_periods, posted_date, set_period
from tillbridge.posting.money.policy import Policy
from tillbridge.posting.money.report import (
    broken_entries,
    journal,
    open_items,
    trial_balance,
    waiting_voids,
)


def balances(connection: Connection) -> dict[tuple[str, str], int]:
    return {(b.entity, b.account): b.amount for b in trial_balance(connection) if b.amount}


def count(connection: Connection, table: str = "entry") -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


def test_a_batch_is_booked_with_its_lines_rules_and_dates(connection: Connection) -> None:
    outcomes = take(connection, [deposit(channel="web-de"), sale()], [refund(amount=100)])
    assert [outcome.decision for outcome in outcomes] == [None] * 3
    entries = {entry.fact: entry for entry in journal(connection)}
    first = entries["order/web/1#deposit"]
    assert first.id == entry_id("order/web/1#deposit", "DE")
    assert (first.rule, first.channel, first.flow) == ("DepositReceived/deposit", "web-de", "web")
    assert (first.business_date, first.posted_date) == (date(2026, 1, 2), date(2026, 1, 2))
    assert [(x.account, x.amount, x.item) for x in first.lines] == [
        ("clearing/stripe", 5845, ""),
        ("customer-deposits", -5845, "order/web/1"),
    ]
    rules = connection.execute(
        "select name, length(hash) from posting_rule order by name"
    ).fetchall()
    assert rules == [
        ("DepositReceived/deposit", 16),
        ("RefundPaid/refund", 16),
        ("SaleRecognised/revenue", 16),
    ]
    assert broken_entries(connection) == []


def test_a_fact_told_twice_is_booked_once(connection: Connection) -> None:
    again = deposit(mapping="shopify/2")  # a newer release tells it again
    assert hash_of(again) == hash_of(deposit())
    outcomes = take(connection, [deposit(), deposit()], [again])
    outcomes += take(connection, [again])
    assert [outcome.decision for outcome in outcomes] == [None] * 4
    assert count(connection) == 1


@pytest.mark.parametrize("same_transaction", [True, False])
def test_a_fact_told_again_with_other_content_is_a_case(
    connection: Connection, same_transaction: bool
) -> None:
    changed = deposit(amount=5846)
    if same_transaction:
        outcomes = take(connection, [deposit(), changed])
    else:
        outcomes = take(connection, [deposit()]) + take(connection, [changed])
    decision = outcomes[1].decision
    assert decision is not None
    assert (decision.reason, decision.owner) == ("fact_changed", "finance")
    assert count(connection) == 1


def test_a_case_parks_its_key_and_the_others_are_booked(connection: Connection) -> None:
    book = make_book(
        CHART,
        """
[[rule]]
fact = "DepositReceived"
purpose = "deposit"
entity = "DE"
from = 2026-01-01
legs = [
  { debit = "clearing/{tender}", amount = "amount" },
  { credit = "deposits", amount = "amount" },
]
""",
    )
    facts = [deposit("o/1", entity="AT"), deposit("o/2"), deposit("o/1", id="later")]
    outcomes = take(connection, facts, book=book)
    assert outcomes[0].decision is not None
    assert outcomes[0].decision.reason == "posting_rule_missing"
    assert [outcome.follows for outcome in outcomes] == [False, False, True]
    assert count(connection) == 1


# -- Voids -----------------------------------------------------------------------------------------


def card_sale() -> Fact:
    """A sale with a gift card of another entity: two entries to take back."""
    return rung(
        liability="AT",
        tenders=[
            {"tender": "cash", "kind": "cash", "amount": 190},
            {"tender": "g", "kind": "gift_card", "issuer": "other", "amount": 1000, "card": "1"},
        ],
    )


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_void_takes_the_sale_back_whole_whichever_comes_first(
    connection: Connection, order: tuple[int, ...], together: bool
) -> None:
    facts = [card_sale(), void(), rung("sale/9/1/2026-01-02/9")]
    arrived = [facts[n] for n in order]
    if together:
        take(connection, arrived)
    else:
        for fact in arrived:
            take(connection, [fact])
    take(connection, arrived)  # told again: nothing
    only = {
        ("DE", "till/9/cash"): 1190,
        ("DE", "sales/books"): -1000,
        ("DE", "sales-tax/de-19"): -190,
    }
    assert balances(connection) == only
    assert open_items(connection) == []
    assert waiting_voids(connection) == []
    entries = list(journal(connection))
    assert len(entries) == 5
    taken_back = {entry.reverses: entry for entry in entries if entry.reverses}
    assert taken_back.keys() == {entry_id(facts[0].id, "DE"), entry_id(facts[0].id, "AT")}
    assert {entry.rule for entry in taken_back.values()} == {REVERSAL}


@pytest.mark.parametrize("void_first", [True, False])
def test_a_sale_and_its_void_in_two_transactions_at_once_do_not_miss_each_other(
    connection: Connection, database_url: str, void_first: bool
) -> None:
    first, second = (void(), rung()) if void_first else (rung(), void())
    take(connection, [rung("sale/before")])  # a rule's very first entry holds its name
    with psycopg.connect(database_url, options="-c lock_timeout=100") as other:
        take_without_commit(connection, first)
        with pytest.raises(pg.LockNotAvailable):
            take(other, [second])
        other.rollback()
        take(other, [rung("sale/of-another-lane")])  # nobody else waits
        connection.commit()
        take(other, [second])
    assert balances(connection)["DE", "till/9/cash"] == 2 * 1190
    assert waiting_voids(connection) == []
    assert count(connection) == 4


def test_a_void_before_its_sale_waits_where_it_can_be_seen(connection: Connection) -> None:
    (outcome,) = take(connection, [void()])
    assert outcome.decision is None
    (waiting,) = waiting_voids(connection)
    assert (waiting.fact, waiting.at) == ("sale/9/1/2026-01-02/8", NOW)


def test_a_second_void_of_the_same_sale_is_a_case(connection: Connection) -> None:
    outcomes = take(connection, [rung(), void(), void(number="10")])
    decision = outcomes[2].decision
    assert decision is not None
    assert (decision.reason, decision.owner) == ("voided_twice", "stores")
    assert balances(connection) == {}


def test_a_waiting_void_told_again_with_other_content_is_a_case(connection: Connection) -> None:
    outcomes = take(connection, [void()]) + take(connection, [void(location="8"), void()])
    reasons = [outcome.decision.reason if outcome.decision else "" for outcome in outcomes]
    assert reasons[:2] == ["", "fact_changed"]
    assert outcomes[2].follows


# -- Who owns the general ledger -------------------------------------------------------------------


def test_journals_are_told_only_where_the_settings_say_so(connection: Connection) -> None:
    policy = Policy({"DE": "EUR", "AT": "EUR"}, {("DE", "stores"): "journals"})
    outcomes = take(connection, [deposit(), card_sale(), void()], policy=policy)
    emitted = [body for outcome in outcomes for body in outcome.emits]
    assert [type(body) for body in emitted] == [EntryPosted, EntryPosted]
    told = emitted[0]
    assert isinstance(told, EntryPosted)
    assert told.key == "journal/DE/stores/9/2026-01-02"
    assert (told.entity, told.flow, told.entry) == (
        "DE",
        "stores",
        str(entry_id(card_sale().id, "DE")),
    )
    assert sum(row.amount for row in told.lines) == 0
    assert decode("EntryPosted", 1, encode(told)) == told
    rows = connection.execute("select entity, flow, gl from entry order by 1, 2, 3").fetchall()
    assert rows == [
        ("AT", "stores", "hub"),
        ("AT", "stores", "hub"),
        ("DE", "stores", "journals"),
        ("DE", "stores", "journals"),
        ("DE", "web", "hub"),
    ]


def test_what_no_document_books_is_told_as_journals_where_payments_are(
    connection: Connection,
) -> None:
    policy = Policy({"DE": "EUR", "AT": "EUR"}, telling=["DE"])
    paid = deposit(channel="web")
    outcomes = take(connection, [paid, sale()], policy=policy)
    (told,) = [body for outcome in outcomes for body in outcome.emits]
    assert isinstance(told, EntryPosted)
    assert (told.entry, told.flow) == (str(entry_id(paid.id, "DE")), "web")
    assert told.place == "web"
    assert told.key == "journal/DE/web/web/2026-01-02"
    rows = connection.execute("select fact_type, gl from entry order by 1").fetchall()
    assert rows == [("DepositReceived", "journals"), ("SaleRecognised", "documents")]


def test_an_entry_of_no_channel_is_summed_by_whose_account_it_is(connection: Connection) -> None:
    policy = Policy({"DE": "EUR"}, telling=["DE"])
    row = {"kind": "paid", "amount": 5000, "tender": "stripe"}
    words = {"entity": "DE", "currency": "EUR", "account": "stripe", "payout": "po_1"}
    key = {"key": "payout/stripe/po_1", "id": "payout/stripe/po_1#1", "version": 1}
    matched = fact_of("SettlementMatched", {**words, **key, "rows": [row]})
    (outcome,) = take(connection, [matched], policy=policy)
    (told,) = outcome.emits
    assert isinstance(told, EntryPosted)
    assert told.place == "stripe"


def test_a_void_follows_the_ledger_its_sale_went_to(connection: Connection) -> None:
    take(connection, [rung()], policy=Policy({"DE": "EUR"}, {("DE", "stores"): "journals"}))
    (outcome,) = take(connection, [void()])
    assert len(outcome.emits) == 1


# -- Periods ---------------------------------------------------------------------------------------


def test_a_late_fact_is_posted_in_the_next_open_month(connection: Connection) -> None:
    works_alone(connection)
    for month in ("2026-01", "2026-02"):
        set_period(connection, "DE", month, "locked", at=NOW, by="ann")
    connection.commit()
    take(connection, [deposit(), deposit("order/web/2", entity="AT")])
    dates = {
        entry.entity: (entry.business_date, entry.posted_date) for entry in journal(connection)
    }
    assert dates == {
        "DE": (date(2026, 1, 2), date(2026, 3, 1)),
        "AT": (date(2026, 1, 2), date(2026, 1, 2)),
    }
    set_period(connection, "DE", "2026-01", "open", at=NOW, by="bob")
    assert list_periods(connection) == [("DE", "2026-01", "open"), ("DE", "2026-02", "locked")]


def test_the_next_open_month_may_be_next_year() -> None:
    locked = {("DE", "2026-12"), ("DE", "2027-01")}
    assert posted_date("DE", date(2026, 12, 31), locked) == date(2027, 2, 1)
    assert posted_date("AT", date(2026, 12, 31), locked) == date(2026, 12, 31)
    every = {("DE", f"{year}-{month:02d}") for year in range(2026, 2040) for month in range(1, 13)}
    with pytest.raises(
        NeedsDecision, match="DE has no open period in the 5 years after 2026-12-31"
    ):
        posted_date("DE", date(2026, 12, 31), every)


def test_the_database_refuses_a_locked_period_by_itself(connection: Connection) -> None:
    works_alone(connection)
    take(connection, [deposit()])
    set_period(connection, "DE", "2026-01", "locked", at=NOW, by="ann")
    connection.commit()
    with pytest.raises(pg.CheckViolation, match="period 2026-01 of DE is locked"):
        copy_entry(connection)


def test_a_lock_stands_after_what_a_fast_clock_has_posted(connection: Connection) -> None:
    works_alone(connection)
    take(connection, [deposit()])
    set_period(connection, "DE", "2026-01", "locked", at=NOW - timedelta(hours=1), by="ann")
    row = connection.execute("select p.changed_at >= e.at from period p, entry e").fetchone()
    assert row == (True,)


def test_a_month_is_not_locked_under_a_posting(connection: Connection, database_url: str) -> None:
    works_alone(connection)
    with psycopg.connect(database_url, options="-c lock_timeout=100") as other:
        session_open = deposit()
        take_without_commit(connection, session_open)
        with pytest.raises(pg.LockNotAvailable):
            set_period(other, "DE", "2026-01", "locked", at=NOW, by="ann")
        other.rollback()
        connection.commit()
        set_period(other, "DE", "2026-01", "locked", at=NOW, by="ann")
    assert count(connection) == 1


# -- What the database refuses by itself -----------------------------------------------------------


def test_entries_lines_and_rules_are_final(connection: Connection) -> None:
    take(connection, [deposit()])
    for statement in (
        "update entry set entity = 'AT'",
        "delete from entry",
        "truncate entry",
        "update entry_line set amount = 0",
        "delete from entry_line",
        "truncate entry_line",
        "update posting_rule set name = ''",
    ):
        with pytest.raises(pg.IntegrityConstraintViolation, match="reverse an entry"):
            connection.execute(statement)
        connection.rollback()


def test_an_entry_that_does_not_balance_is_refused(connection: Connection) -> None:
    take(connection, [deposit()])
    copy_entry(connection)
    for amounts in ([(1, 100), (2, -99)], [(1, 0)], [(1, 1), (2, -2), (3, 1)], [(1, 1), (3, -1)]):
        with pytest.raises(pg.CheckViolation, match="does not balance or is not whole"):
            add_lines(connection, amounts)
    add_lines(connection, [(1, 100), (2, -100)])
    with pytest.raises(pg.CheckViolation):
        add_lines(connection, [(3, 5), (4, -5)])


def test_posting_never_scans_the_whole_book(connection: Connection) -> None:
    take(connection, [deposit(f"order/web/{n}") for n in range(3000)])
    take(connection, [rung(f"sale/{n}") for n in range(500)])
    connection.execute("analyze")
    connection.commit()
    before = scans(connection)
    for round_ in range(7):  # the server plans anew, without the values, after five
        number = f"sale/9/1/2026-01-02/{round_}"
        take_without_commit(connection, deposit(f"new/{round_}"))
        take_without_commit(connection, rung(number))
        take_without_commit(connection, void(number, number=f"x{round_}"))
    assert scans(connection) == before


def scans(connection: Connection) -> int:
    """Sequential scans of the book's two big tables that this session has made."""
    row = connection.execute(
        "select coalesce(sum(seq_scan), 0) from pg_stat_xact_user_tables"
        " where relname in ('entry', 'entry_line')"
    ).fetchone()
    return int(row[0]) if row else 0


def test_lines_without_an_entry_are_refused(connection: Connection) -> None:
    with pytest.raises(pg.CheckViolation):
        add_lines(connection, [(1, 1), (2, -1)])


def take_without_commit(connection: Connection, fact: Fact) -> None:
    from tests.posting.money_facts import default_book, records
    from tillbridge.posting.money.room import MoneyRoom

    session = MoneyRoom(default_book(), EURO).open(connection, NOW)
    session.take(records([fact]))
    session.flush()


COPY = "00000000-0000-0000-0000-000000000001"


def copy_entry(connection: Connection) -> None:
    """A second head like the first entry's, by hand."""
    connection.execute(
        "insert into entry select %s, 'by hand', fact_type, fact_hash, key, entity, rule,"
        " rule_version, rule_hash, business_date, posted_date, currency, flow, channel, location,"
        " gl, reverses, lines, at from entry",
        (COPY,),
    )


def add_lines(connection: Connection, amounts: list[tuple[int, int]]) -> None:
    """Lines by hand under a savepoint."""
    with connection.transaction():
        connection.execute(
            "insert into entry_line select %s, n, 'x', a, a, 'EUR', ''"
            " from unnest(%s::smallint[], %s::bigint[]) x (n, a)",
            (COPY, [n for n, _ in amounts], [a for _, a in amounts]),
        )
