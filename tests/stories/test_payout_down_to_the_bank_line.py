"""A payout and a bank statement reconciled to the cent; one difference is held until a person acts.

The shop sells and refunds by card; the provider tells its payouts and the lines in them, the bank
its statement. What the provider kept is booked, the clearing account shows what it still owes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import House, house, line, paid_order, refund
from tillbridge.app.closing import scope_of
from tillbridge.atoms.clock import FixedClock
from tillbridge.reconciliation.close.checks import blockers
from tillbridge.triage import operators
from tillbridge.triage.approvals import approvals, approve
from tillbridge.triage.rights import Who

CONNECTIONS = """
[connection.shop-pay]
connector = "shopify_payments"
entity = "us"
[connection.shop-pay.settle]
tenders = ["shop-pay"]
orders = ["web"]
bank = "house-bank"
bank_texts = ["SHOPIFY"]

[connection.house-bank]
connector = "camt"
entity = "us"
"""
KEY = "payout/shop-pay/91"


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    """A house whose provider and bank are read."""

    def furnish(folder: Path) -> None:
        settings = folder / "tillbridge.toml"
        settings.write_text(settings.read_text() + CONNECTIONS)

    clock = FixedClock(datetime(2026, 3, 6, 12, tzinfo=UTC))
    with house(tmp_path / "shop", database_url, clock=clock, furnish=furnish) as found:
        yield found


def transaction(
    number: int, kind: str, amount: str, fee: str, about: int | None, payout: int = 91
) -> dict[str, Any]:
    """A balance transaction of the provider."""
    net = str(Decimal(amount) - Decimal(fee))
    return {
        "id": number,
        "type": kind,
        "test": False,
        "payout_id": payout,
        "payout_status": "paid",
        "currency": "USD",
        "amount": amount,
        "fee": fee,
        "net": net,
        "source_id": number + 500,
        "source_type": kind,
        "source_order_id": None,
        "source_order_transaction_id": about,
        "processed_at": "2026-03-04T09:00:00-05:00",
        "adjustment_reason": None,
    }


def lines(*rows: dict[str, Any]) -> bytes:
    """A file of balance transactions."""
    return json.dumps({"transactions": rows}).encode()


def payouts(*rows: tuple[int, str, str, str]) -> bytes:
    """A file of payouts: id, state, day, amount."""
    found = [
        {"id": number, "status": state, "date": day, "currency": "USD", "amount": amount}
        for number, state, day, amount in rows
    ]
    return json.dumps({"payouts": found}).encode()


def statement(
    name: str, opening: str, closing: str, entries: Sequence[tuple[str, str, str]]
) -> bytes:
    """A bank statement; entries: amount, day, text."""
    body = "".join(
        f'<Ntry><Amt Ccy="USD">{amount.lstrip("-")}</Amt>'
        f"<CdtDbtInd>{'DBIT' if amount.startswith('-') else 'CRDT'}</CdtDbtInd>"
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<AddtlNtryInf>{text}</AddtlNtryInf></Ntry>"
        for amount, day, text in entries
    )
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="USD">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
        f"<Dt><Dt>{entries[-1][1] if entries else '2026-03-01'}</Dt></Dt></Bal>"
        for code, amount in (("OPBD", opening), ("CLBD", closing))
    )
    return (
        '<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'
        f"<BkToCstmrStmt><Stmt><Id>{name}</Id><Acct><Id><IBAN>DE89</IBAN></Id><Ccy>USD</Ccy></Acct>"
        f"{balances}{body}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def sold(shop: House, number: int, total: str) -> int:
    """An order paid by card; gives the id of its payment."""
    body = paid_order(number, [line(number * 10, sku="SKU-1", price=total)], total)
    payment = number * 100
    body["transactions"] = [
        {
            "id": payment,
            "kind": "sale",
            "status": "success",
            "amount": total,
            "currency": "USD",
            "gateway": "shopify_payments",
            "created_at": "2026-03-03T09:00:00-05:00",
        }
    ]
    shop.web("orders/create", body)
    return payment


def second_person(shop: House) -> None:
    """Another accountant approves what waits."""
    (waiting,) = approvals(shop.connection)
    operators.put(shop.connection, operators.Grant("pat", ["accountant"]), "ann", "")
    shop.connection.commit()
    approve(shop.connection, Who("pat", ("accountant",)), waiting.id, shop.hub.clock.now())
    shop.connection.commit()


def test_a_payout_is_reconciled_to_the_cent_down_to_the_bank_line(shop: House) -> None:
    first, second = sold(shop, 1001, "100.00"), sold(shop, 1002, "50.00")
    shop.web("refunds/create", refund(7, 1001, [], "25.00"))
    assert shop.balances()["clearing/shop-pay"] == 12_500

    shop.file(
        "shop-pay",
        lines(
            transaction(801, "charge", "100.00", "3.20", first),
            transaction(802, "charge", "50.00", "1.75", second),
            transaction(803, "refund", "-25.00", "0.00", 70),
            transaction(804, "debit", "-0.75", "0.00", None),
        ),
    )
    shop.settle()
    assert shop.cases() == ["payout_without_total"]
    shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "119.30")))
    shop.settle()
    assert shop.cases() == []
    balances = shop.balances()
    assert balances.get("clearing/shop-pay", 0) == 0
    assert balances["fees/shop-pay"] == 495
    assert balances["provider-adjustments/shop-pay"] == 75
    assert balances["payouts-in-transit"] == 11_930

    shop.file(
        "house-bank",
        statement(
            "S1",
            "1000.00",
            "1109.30",
            [("119.30", "2026-03-06", "SHOPIFY TRANSFER"), ("-10.00", "2026-03-06", "account fee")],
        ),
    )
    shop.settle()
    assert shop.cases() == []
    balances = shop.balances()
    assert "payouts-in-transit" not in balances
    assert balances["bank/house-bank"] == 11_930
    assert shop.lies() == []
    for asked in ("1001", "801"):
        page = shop.verb("story", asked)
        assert "100.00 USD, fee 3.20" in page
        assert "payout shop-pay 91 for 2026-03-05  at house-bank S1 on 2026-03-06" in page
    page = shop.verb("story", "91")
    assert "order/web/1001" in page
    assert "SettlementMatched" in page
    assert "at house-bank S1 on 2026-03-06" in page
    page = shop.verb("reconcile", "show", KEY)
    assert "ties" in page


def test_a_difference_is_held_with_its_exact_amount_until_the_right_file_comes(shop: House) -> None:
    first = sold(shop, 1001, "100.00")
    shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "96.80")))
    shop.file("shop-pay", lines(transaction(801, "charge", "100.00", "3.30", first)))
    shop.settle()
    assert shop.cases() == ["payout_does_not_tie"]
    ((words, amount),) = shop.rows("select words, amount from exception_case where state = 'open'")
    assert "off by 0.10 USD" in words
    assert amount == 10
    assert "payouts-in-transit" not in shop.balances()
    assert "off by 0.10 USD" in shop.verb("cases", "list")

    told = shop.verb(
        "reconcile", "accept", KEY, "--as", "reimbursement", "--reason", "told by mail"
    )
    assert "0.10 USD" in told
    assert "waits for a second person" in told
    shop.settle()
    assert shop.cases() == ["payout_does_not_tie"]
    second_person(shop)
    shop.settle()
    assert shop.cases() == []
    balances = shop.balances()
    assert balances.get("clearing/shop-pay", 0) == 0
    assert balances["fees/shop-pay"] == 330
    assert balances["reimbursements/shop-pay"] == -10
    assert balances["payouts-in-transit"] == 9680
    assert shop.lies() == []


def test_a_month_stays_open_while_a_payout_is_not_explained(shop: House) -> None:
    first = sold(shop, 1001, "100.00")
    shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "100.00")))

    def listed() -> list[str]:
        now = datetime(2026, 4, 3, 12, tzinfo=UTC)
        scope = scope_of(shop.hub, "us", "2026-03", now)
        found = [one.key for one in blockers(shop.connection, scope)]
        shop.connection.rollback()
        return [key for key in found if key.startswith("payout/")]

    assert listed() == [KEY]
    shop.settle()
    assert listed() == [KEY]
    shop.file("shop-pay", lines(transaction(801, "charge", "99.00", "0.00", first)))
    shop.settle()
    assert shop.cases() == ["payout_does_not_tie"]
    assert listed() == [KEY]
    shop.file("shop-pay", lines(transaction(802, "adjustment", "1.00", "0.00", None)))
    shop.settle()
    assert shop.cases() == ["settlement_line_differs"]
    shop.verb("reconcile", "accept", KEY, "--as", "adjustment", "--reason", "one for the other")
    second_person(shop)
    shop.settle()
    assert listed() == []


def test_a_line_settled_otherwise_is_accepted_as_what_it_is(shop: House) -> None:
    first = sold(shop, 1001, "100.00")
    shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "99.98")))
    shop.file("shop-pay", lines(transaction(801, "charge", "99.98", "0.00", first)))
    shop.settle()
    assert shop.cases() == ["settlement_line_differs"]
    assert shop.balances()["clearing/shop-pay"] == 2
    assert "0.02  line 801 of payout 91" in shop.verb("reconcile", "status")
    shop.verb("reconcile", "accept", KEY, "--as", "rounding", "--reason", "two cents")
    second_person(shop)
    shop.settle()
    assert shop.cases() == []
    balances = shop.balances()
    assert "clearing/shop-pay" not in balances
    assert balances["settlement-differences"] == 2
    page = shop.verb("reconcile", "status")
    assert "differs by" not in page
    assert "order/web/1001" not in page  # nothing of it is open
    assert "accepted" in shop.verb("reconcile", "show", KEY)
    assert shop.lies() == []


def test_what_the_bank_kept_is_accepted_as_its_charge(shop: House) -> None:
    first = sold(shop, 1001, "100.00")
    shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "100.00")))
    shop.file("shop-pay", lines(transaction(801, "charge", "100.00", "0.00", first)))
    shop.file("house-bank", statement("S1", "0.00", "99.50", [("99.50", "2026-03-06", "SHOPIFY")]))
    shop.settle()
    assert shop.cases() == ["bank_line_unexplained"]
    shop.verb(
        "reconcile", "accept", KEY, "--as", "bank_charge", "--amount=-0.50", "--reason", "wire"
    )
    second_person(shop)
    shop.settle()
    shop.settle()
    assert shop.cases() == []
    balances = shop.balances()
    assert "payouts-in-transit" not in balances
    assert (balances["bank-charges"], balances["bank/house-bank"]) == (50, 9950)
    assert shop.lies() == []


def test_money_the_hub_does_not_know_stands_open_until_it_is_told(shop: House) -> None:
    shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "106.80")))
    stray = transaction(802, "moon_fee", "10.00", "0.00", None)
    shop.file("shop-pay", lines(transaction(801, "charge", "100.00", "3.20", 100_100), stray))
    shop.settle()
    assert sorted(shop.cases()) == ["settlement_line_unknown", "settlement_line_unmatched"]
    assert shop.balances()["clearing/shop-pay"] == -11_000
    page = shop.verb("reconcile", "status")
    assert "line 801 of payout 91 (charge/charge): no such money in the hub" in page
    assert "line 802 of payout 91 (moon_fee/moon_fee): of unknown type" in page
    assert "unexplained" not in page

    sold(shop, 1001, "100.00")
    shop.settle()
    assert shop.cases() == ["settlement_line_unknown"]
    shop.verb(
        "reconcile", "accept", KEY, "--as", "reimbursement", "--line", "802", "--reason", "theirs"
    )
    second_person(shop)
    shop.settle()
    assert shop.cases() == []
    balances = shop.balances()
    assert balances.get("clearing/shop-pay", 0) == 0
    assert balances["reimbursements/shop-pay"] == -1000
    assert shop.lies() == []


def test_a_payout_that_failed_is_owed_again_and_comes_with_the_next(shop: House) -> None:
    first = sold(shop, 1001, "100.00")
    shop.file("shop-pay", payouts((91, "paid", "2026-03-04", "96.80")))
    shop.file("shop-pay", lines(transaction(801, "charge", "100.00", "3.20", first)))
    shop.settle()
    assert shop.balances()["payouts-in-transit"] == 9680
    shop.file("shop-pay", payouts((91, "failed", "2026-03-04", "96.80")))
    shop.settle()
    balances = shop.balances()
    assert "payouts-in-transit" not in balances
    assert balances["clearing/shop-pay"] == 9680
    again = transaction(810, "payout_failure", "96.80", "0.00", None, payout=92)
    shop.file("shop-pay", lines(again))
    shop.file("shop-pay", payouts((92, "paid", "2026-03-06", "96.80")))
    shop.settle()
    balances = shop.balances()
    assert "clearing/shop-pay" not in balances
    assert balances["payouts-in-transit"] == 9680
    assert shop.cases() == []
    assert shop.lies() == []


def test_a_payout_in_two_lines_of_the_bank_and_two_payouts_in_one(shop: House) -> None:
    payments = [sold(shop, 1001 + n, "100.00") for n in range(3)]
    shop.file(
        "shop-pay",
        payouts(*((91 + n, "paid", f"2026-03-0{4 + n // 2}", "100.00") for n in range(3))),
    )
    shop.file(
        "shop-pay",
        lines(
            *(
                transaction(801 + n, "charge", "100.00", "0.00", payment, payout=91 + n)
                for n, payment in enumerate(payments)
            )
        ),
    )
    day = [("200.00", "2026-03-05", "SHOPIFY"), ("60.00", "2026-03-06", "SHOPIFY a")]
    shop.file(
        "house-bank",
        statement("S1", "0.00", "300.00", [*day, ("40.00", "2026-03-06", "SHOPIFY b")]),
    )
    shop.settle()
    assert shop.cases() == []
    assert shop.balances()["bank/house-bank"] == 30_000
    assert "payouts-in-transit" not in shop.balances()
    assert shop.lies() == []


def test_a_bank_line_that_is_no_payout_and_a_statement_with_a_hole_are_cases(shop: House) -> None:
    shop.file("house-bank", statement("S1", "0.00", "7.00", [("5.00", "2026-03-05", "SHOPIFY")]))
    shop.settle()
    assert sorted(shop.cases()) == ["bank_line_unexplained", "bank_statement_does_not_tie"]
    words = " ".join(w for (w,) in shop.rows("select words from exception_case order by id"))
    assert "5.00 USD of 2026-03-05" in words
    assert "off by 2.00 USD" in words
    shop.file("house-bank", statement("S1", "0.00", "7.00", [("5.00", "2026-03-05", "SHOPIFY")]))
    assert "bank_statement_changed" not in shop.cases()
    more = [("5.00", "2026-03-05", "SHOPIFY"), ("2.00", "2026-03-05", "interest")]
    shop.file("house-bank", statement("S1", "0.00", "7.00", more))
    assert "bank_statement_changed" in shop.cases()
    assert shop.lies() == []
