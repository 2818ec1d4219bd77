"""Reports and exports: the real Beancount checker agrees, and no spreadsheet runs a formula."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection

from tests.one_person import works_alone
from tests.posting.money_facts import (
    DAY,
    NOW,
    default_book,
    deposit,
    refund,
    rung,
    sale,
    take,
    void,
)
from tillbridge.posting.money.export import BeancountNames, beancount, csv_rows
from tillbridge.posting.money.periods import set_period
from tillbridge.posting.money.policy import Policy, Rates
from tillbridge.posting.money.report import journal, open_items, trial_balance

POLICY = Policy({"DE": "EUR", "AT": "USD"}, rates=Rates([("EUR", "USD", DAY, Decimal("1.1"))]))


@pytest.fixture
def booked(connection: Connection) -> Connection:
    evil = '=HYPERLINK("http://x"), \\ "quoted"\nnext'
    facts = [
        deposit(),
        sale(),
        deposit("order/web/2", entity="AT", amount=333),
        deposit(evil, amount=100, id=evil),
        rung(
            lines=[
                {"kind": "goods", "direction": "sale", "list": 1190, "department": "-Gärten & mehr"}
            ]
        ),
        rung("sale/9/1/2026-01-02/9"),
        void("sale/9/1/2026-01-02/9"),
    ]
    assert [outcome.decision for outcome in take(connection, facts, policy=POLICY)] == [None] * 7
    works_alone(connection)
    set_period(connection, "DE", "2026-01", "locked", at=NOW, by="ann")
    take(connection, [refund("order/web/3", 5)], policy=POLICY)
    return connection


def checked(tmp_path: Path, text: str) -> str:
    ledger = tmp_path / "ledger.beancount"
    ledger.write_text(text, encoding="utf-8")
    program = Path(sys.executable).with_name("bean-check")
    done = subprocess.run([program, str(ledger)], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (not done.stderr)
    return done.stderr


@pytest.mark.parametrize("entity", ["DE", "AT"])
def test_the_real_checker_accepts_the_exported_ledger(
    booked: Connection, tmp_path: Path, entity: str
) -> None:
    text = "\n".join(beancount(booked, default_book().chart, entity)) + "\n"
    assert checked(tmp_path, text) == ""
    assert text.count(" open ") > 1
    first = next(line for line in text.splitlines() if line.startswith("  Assets:Clearing:Stripe"))
    assert text.count("\n\n20") >= 1
    assert "NotInChart" not in text
    assert checked(tmp_path, text.replace(first, "  Assets:Clearing:Stripe  0.01 EUR", 1)) != ""


def test_the_ledger_carries_fact_rule_item_and_dates(booked: Connection) -> None:
    text = "\n".join(beancount(booked, default_book().chart, "DE"))
    assert '  fact: "order/web/1#deposit"\n  rule: "DepositReceived/deposit 2000-01-01"' in text
    assert '  Liabilities:CustomerDeposits  -58.45 EUR\n    item: "order/web/1"' in text
    assert '2026-02-01 * "RefundPaid"' in text
    assert "  business-date: 2026-01-02" in text
    assert "  reverses: " in text
    foreign = "\n".join(beancount(booked, default_book().chart, "AT"))
    assert '  Assets:Clearing:Stripe  3.66 USD\n    transaction: "3.33 EUR"' in foreign


def test_an_entity_without_entries_exports_an_empty_ledger(
    connection: Connection, tmp_path: Path
) -> None:
    text = "\n".join(beancount(connection, default_book().chart, "XX")) + "\n"
    assert checked(tmp_path, text) == ""


def test_beancount_names_keep_different_accounts_apart() -> None:
    names = BeancountNames(default_book().chart)
    assert names.of("sales/shoes") == "Income:Sales:Shoes"
    assert names.of("due-to/AT") == "Liabilities:DueTo:AT"
    assert names.of("till/9/cash") == "Assets:Till:9:Cash"
    made = {names.of(f"sales/{word}") for word in ("a b", "a-b", "a&b", "ä", "-", "", "日本")}
    assert len(made) == 7
    assert names.of("gone/for-good").startswith("Equity:NotInChart:Gone-for-good-")


def test_no_cell_of_the_csv_is_a_formula(booked: Connection) -> None:
    rows = list(csv.DictReader(io.StringIO("".join(csv_rows(booked)), newline="")))
    assert {row["entity"] for row in rows} == {"DE", "AT"}
    texts = [
        cell for row in rows for name, cell in row.items() if name not in ("amount", "txn_amount")
    ]
    assert not [cell for cell in texts if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert any(cell.startswith("'=HYPERLINK(") for cell in texts)
    assert sum(Decimal(row["amount"]) for row in rows) == 0


def test_the_trial_balance_sums_to_zero_and_ends_where_asked(booked: Connection) -> None:
    whole = trial_balance(booked, "DE")
    assert sum(balance.amount for balance in whole) == 0
    by_account = {balance.account: balance for balance in whole}
    clearing = by_account["clearing/stripe"]
    assert (clearing.debits, clearing.credits, clearing.amount) == (5945, 5, 5940)
    january = {b.account: b for b in trial_balance(booked, "DE", through=date(2026, 1, 31))}
    assert january["clearing/stripe"].amount == 5945
    assert {b.entity for b in trial_balance(booked)} == {"DE", "AT"}


def test_the_journal_can_be_read_for_one_order_or_some_days(booked: Connection) -> None:
    assert len(list(journal(booked, key="order/web/1"))) == 2
    late = list(journal(booked, "DE", since=date(2026, 2, 1), through=date(2026, 2, 28)))
    assert [entry.fact_type for entry in late] == ["RefundPaid"]


def test_a_connection_that_commits_by_itself_can_read_the_journal(
    booked: Connection, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as other:
        assert len(list(journal(other))) == len(list(journal(booked)))
        assert len(list(csv_rows(other))) > 1


def test_open_items_are_what_is_left_of_orders(booked: Connection) -> None:
    found = {(item.entity, item.item): item.amount for item in open_items(booked)}
    assert ("DE", "order/web/1") not in found
    assert found["AT", "order/web/2"] == -366
    assert [item.amount for item in open_items(booked, "DE", item="order/web/3")] == [5]
    assert open_items(booked, account="gift-card-liability") == []
