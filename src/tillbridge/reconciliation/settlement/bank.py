"""Payouts and the bank: which line of a statement is which payout, and what is not there.

One to one, several payouts in one line, one payout in several lines: in each case only sums that
are equal to the cent are matched. A line that nothing explains, a payout that never arrives and a
statement that does not come to its closing balance are cases with their exact difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import key_of
from tillbridge.atoms.money import to_text
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.findings import settle
from tillbridge.reconciliation.settlement.rules import Account

QUERIES = load(
    "tillbridge.reconciliation.settlement",
    "bank.sql",
    "pairs_by_reference",
    "pairs_by_amount",
    "pairs_by_sum",
    "mark_banked",
    "not_at_bank",
    "unexplained",
    "statements",
)
SUMS_MOST = 5
LATE_DAYS = 10
"""A line of the bank may come so many days later than the account's `bank_days` and be it still."""


def match_bank(connection: Connection, account: Account) -> int:
    """Match payouts of an account with lines of its bank; gives how many pairs are new. Payouts
    whose money arrived are due again. The caller commits.
    """
    rules = account.rules
    if not rules.bank:
        return 0
    values = {
        "account": account.name,
        "bank": rules.bank,
        "texts": list(rules.bank_texts),
        "days": rules.bank_days + LATE_DAYS,
    }
    found = connection.execute(QUERIES.pairs_by_reference, values).rowcount
    if rules.bank_texts:
        found += connection.execute(QUERIES.pairs_by_amount, values).rowcount
        # what is matched leaves fewer sums to be taken for others
        for _ in range(SUMS_MOST):
            more = connection.execute(QUERIES.pairs_by_sum, values).rowcount
            found += more
            if not more:
                break
    connection.execute(QUERIES.mark_banked, (account.name,))
    return found


def tell_bank(connection: Connection, accounts: Sequence[Account], now: datetime) -> int:
    """Cases of payouts that are not at the bank, bank lines that are no payout, and statements
    that do not tie; they close by themselves. Gives how many were opened. The caller commits.
    """
    absent: dict[str, NeedsDecision] = {}
    strange: dict[str, NeedsDecision] = {}
    for account in accounts:
        if account.rules.bank:
            absent.update(_absent(connection, account, now))
            strange.update(_strange(connection, account))
    told = settle(connection, "payout_not_at_bank", absent, now).opened
    told += settle(connection, "bank_line_unexplained", strange, now).opened
    # a statement is proven wherever it came in, also at a bank to which no payout goes
    banks = sorted({name for one in accounts for name in (one.name, one.rules.bank) if name})
    broken = dict(_statements(connection, banks))
    return told + settle(connection, "bank_statement_does_not_tie", broken, now).opened


def _absent(
    connection: Connection, account: Account, now: datetime
) -> Iterable[tuple[str, NeedsDecision]]:
    before = now.date() - timedelta(days=account.rules.bank_days)
    for key, currency, rest, amount, paid_on in connection.execute(
        QUERIES.not_at_bank, (account.name, before, account.carries_forward)
    ):
        yield (
            key,
            NeedsDecision(
                "payout_not_at_bank",
                f"{to_text(int(rest), currency)} of {to_text(amount, currency)} {currency} that"
                f" {account.name} sent for {paid_on} are on no statement of {account.rules.bank}",
                owner="finance",
                amount=abs(int(rest)),
                currency=currency,
            ),
        )


def _strange(connection: Connection, account: Account) -> Iterable[tuple[str, NeedsDecision]]:
    rules = account.rules
    for _, statement, line, n, rest, currency, day, text in connection.execute(
        QUERIES.unexplained, (rules.bank, list(rules.bank_texts))
    ):
        yield (
            key_of("bank", rules.bank, statement, line, str(n)),
            NeedsDecision(
                "bank_line_unexplained",
                f"{to_text(int(rest), currency)} {currency} of {day} at {rules.bank} name"
                f" {account.name} and are no payout that is known: {text[:80]}",
                owner="finance",
                amount=abs(int(rest)),
                currency=currency,
                details={"day": day.isoformat(), "entity": account.entity},
            ),
        )


def _statements(
    connection: Connection, banks: Sequence[str]
) -> Iterable[tuple[str, NeedsDecision]]:
    for row in connection.execute(QUERIES.statements, (list(banks),)):
        account, statement, currency, opening, closing, net, lines, before, earlier = row
        words, off = "", 0
        if opening is None or closing is None:
            words = "has no opening or no closing balance, so nothing proves that it is whole"
        elif opening + net != closing:
            off = closing - opening - net
            words = (
                f"closes at {to_text(closing, currency)}, its {lines} lines come to"
                f" {to_text(opening + net, currency)}: off by {to_text(off, currency)} {currency}"
            )
        elif before is not None and before != opening:
            off = opening - before
            words = (
                f"opens at {to_text(opening, currency)}, {earlier} closed at"
                f" {to_text(before, currency)}: {to_text(off, currency)} {currency} are missing"
            )
        if words:
            yield (
                key_of("statement", account, statement),
                NeedsDecision(
                    "bank_statement_does_not_tie",
                    f"statement {statement} of {account} {words}",
                    owner="finance",
                    amount=abs(off),
                    currency=currency,
                ),
            )
