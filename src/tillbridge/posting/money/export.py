"""The money book for others: Beancount text, which the real `bean-check` accepts, text for hledger,
and CSV.

One Beancount ledger per entity, in its functional currency; account names come from the chart. The
fact, rule and open item of every posting stand beside it as metadata, and so does the amount in
the fact's own currency where it is another one. Cards show their last four.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import date

from tillbridge.atoms import csv_cells
from tillbridge.atoms.money import to_text
from tillbridge.canonical.cards import masked, shown
from tillbridge.durable.rooms import Connection
from tillbridge.posting.money.cards import ITEM
from tillbridge.posting.money.chart import Chart
from tillbridge.posting.money.entry import EntryLine
from tillbridge.posting.money.report import JournalEntry, journal, trial_balance

CSV_COLUMNS = (
    "entity",
    "posted_date",
    "business_date",
    "entry",
    "fact_type",
    "fact",
    "key",
    "rule",
    "rule_version",
    "account",
    "amount",
    "currency",
    "txn_amount",
    "txn_currency",
    "item",
    "reverses",
)
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9-]")
# Beancount names an account no row of the chart speaks for (an older chart had one) here
_UNKNOWN = "Equity:NotInChart"


class BeancountNames:
    """Our accounts to Beancount's; a name never depends on which others there are."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart

    def of(self, account: str) -> str:
        """Beancount's name of an account."""
        row = self._chart.find(account)
        if row is None:
            return f"{_UNKNOWN}:{_part(account)}"
        mine = zip(row.parts, account.split("/"), strict=True)
        filled = iter([_part(value) for pattern, value in mine if pattern == "*"])
        return ":".join(next(filled) if p == "*" else p for p in row.beancount.split(":"))


def beancount(connection: Connection, chart: Chart, entity: str) -> Iterator[str]:
    """Lines of the Beancount ledger of one entity, without line ends, read in pieces."""
    names = BeancountNames(chart)
    balances = trial_balance(connection, entity)
    yield f'option "title" {_quoted(f"{entity}: exported by Tillbridge")}'
    for currency in sorted({balance.currency for balance in balances}):
        yield f'option "operating_currency" "{currency}"'
    opened = False
    for entry in journal(connection, entity):
        if not opened:  # the journal is in order of posted date, so this is the first day
            opened = True
            yield ""
            yield from _opens(names, [(b.account, b.currency) for b in balances], entry.posted_date)
        yield ""
        yield from _transaction(names, entry)


def hledger(connection: Connection, chart: Chart, entity: str) -> Iterator[str]:
    """Lines of an hledger journal of one entity, without line ends: the same accounts and amounts
    as the Beancount ledger, every account and currency declared (`hledger check --strict`).
    """
    names = BeancountNames(chart)
    balances = trial_balance(connection, entity)
    for currency in sorted({balance.currency for balance in balances}):
        yield f"commodity {to_text(100_000, currency)} {currency}"
    for name in sorted({names.of(balance.account) for balance in balances}):
        yield f"account {name}"
    for entry in journal(connection, entity):
        about = " ".join(shown(entry.key).replace(";", ",").replace("|", "/").split())
        yield ""
        yield f"{entry.posted_date.isoformat()} * {entry.fact_type} | {about}"
        for line in entry.lines:
            amount = f"{to_text(line.amount, entry.currency)} {entry.currency}"
            yield f"    {names.of(line.account)}  {amount}"


def csv_rows(connection: Connection, entity: str = "") -> Iterator[str]:
    """Rows of the journal as CSV (RFC 4180, decimal amounts), heading first; safe to open.

    Texts that a spreadsheet would take for a formula get an apostrophe in front.
    """
    yield csv_cells.row(CSV_COLUMNS)
    for entry in journal(connection, entity):
        for line in entry.lines:
            yield csv_cells.row(_cells(entry, line))


def _opens(names: BeancountNames, accounts: Iterable[tuple[str, str]], day: date) -> Iterator[str]:
    currencies: dict[str, set[str]] = {}
    for account, currency in accounts:
        currencies.setdefault(names.of(account), set()).add(currency)
    for name in sorted(currencies):
        yield f"{day.isoformat()} open {name} {','.join(sorted(currencies[name]))}"


def _transaction(names: BeancountNames, entry: JournalEntry) -> Iterator[str]:
    day, of = entry.posted_date.isoformat(), _quoted(shown(entry.key))
    yield f"{day} * {_quoted(entry.fact_type)} {of}"
    yield f"  entry: {_quoted(str(entry.id))}"
    yield f"  fact: {_quoted(entry.fact)}"
    yield f"  rule: {_quoted(f'{entry.rule} {entry.rule_version}')}"
    if entry.business_date != entry.posted_date:
        yield f"  business-date: {entry.business_date.isoformat()}"
    if entry.reverses is not None:
        yield f"  reverses: {_quoted(str(entry.reverses))}"
    for line in entry.lines:
        yield f"  {names.of(line.account)}  {to_text(line.amount, entry.currency)} {entry.currency}"
        if line.item:
            yield f"    item: {_quoted(item_shown(line.item))}"
        if line.txn_currency != entry.currency:
            amount = to_text(line.txn_amount, line.txn_currency)
            yield f"    transaction: {_quoted(f'{amount} {line.txn_currency}')}"


def _cells(entry: JournalEntry, line: EntryLine) -> tuple[str, ...]:
    return (
        entry.entity,
        entry.posted_date.isoformat(),
        entry.business_date.isoformat(),
        str(entry.id),
        entry.fact_type,
        entry.fact,
        shown(entry.key),
        entry.rule,
        entry.rule_version,
        line.account,
        to_text(line.amount, entry.currency),
        entry.currency,
        to_text(line.txn_amount, line.txn_currency),
        line.txn_currency,
        item_shown(line.item),
        "" if entry.reverses is None else str(entry.reverses),
    )


def item_shown(item: str) -> str:
    """An open item as it may be shown; a card by its last four."""
    return ITEM + masked(item.removeprefix(ITEM)) if item.startswith(ITEM) else item


def _part(value: str) -> str:
    """A value as one part of a Beancount name; marked by a hash when characters had to change.

    Values that differ only in the case of the first letter come together.
    """
    plain = _NOT_IN_NAME.sub("-", value)
    if not plain[:1].isalnum():
        plain = f"X{plain}"
    name = plain[:1].upper() + plain[1:]
    if plain == value:
        return name
    return f"{name}-{hashlib.sha256(value.encode()).hexdigest()[:6]}"


def _quoted(text: str) -> str:
    """A Beancount string: backslash and quote escaped, on one line."""
    flat = " ".join(text.split())
    return '"' + flat.replace("\\", "\\\\").replace('"', '\\"') + '"'
