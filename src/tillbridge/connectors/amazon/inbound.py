"""Amazon's settlement files to a payout's head and its lines. Pure, streaming.

V2 has a row per amount; V1 has wide rows with a column per kind of amount, each of which becomes a
line of its own. The settlement is the payout: its total and deposit day stand in the first row, in
some producers' files in every row. A row has no id: its place in the file is its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import MoneyError, exponent
from tillbridge.canonical.settlement import Broken, PayoutTold, SettlementLine, Told
from tillbridge.connectors.amazon.config import AmazonConfig
from tillbridge.connectors.amazon.fields import Amounts, day_of, instant_of
from tillbridge.connectors.amazon.wire import ALSO, HEAD, V1, V1_AMOUNTS, V2, type_of
from tillbridge.contract.csv_files import CsvFile, header_of

_ORDER = re.compile(r"[0-9A-Z]{3}-\d{7}-\d{7}")
HEADS_MOST = 1_000
_V1_WORDS = tuple(words for _, words, _ in V1_AMOUNTS if words)


def is_ours(head: bytes) -> bool:
    """Whether the header is that of a settlement, V2 or V1."""
    names = header_of(head)
    return set(V2) <= names or set(V1) <= names


def read(stream: BinaryIO, config: AmazonConfig) -> Iterator[Told]:
    """What the file says. Raises NeedsDecision when it is neither V2 nor V1."""
    table = CsvFile(
        stream,
        required=HEAD,
        known=(*V2, *V1, *_V1_WORDS, *ALSO),
        encoding=config.encoding,
        errors="backslashreplace",
    )
    names = set(table.header)
    if not set(V2) <= names and not set(V1) <= names:
        wide = "price-amount" in names
        missing = sorted(set(V1 if wide else V2) - names)
        raise NeedsDecision(
            "settlement_unreadable",
            f"a settlement {'V1' if wide else 'V2'} without the column {', '.join(missing)}",
            owner="integration",
        )
    yield from _Settlement(table, config, wide=not set(V2) <= names).told()


class _Settlement:
    """One file on its way through: which totals it told, and how its amounts are written."""

    def __init__(self, table: CsvFile, config: AmazonConfig, *, wide: bool) -> None:
        self._table = table
        self._config = config
        self._wide = wide
        self._amounts = Amounts(config.decimal_mark)
        self._seller_tax = frozenset(name.lower() for name in config.seller_tax)
        self._at = {name: table.at(name) for name in (*HEAD, *ALSO)}
        pairs = V1_AMOUNTS if wide else (("amount-type", "amount-description", "amount"),)
        self._pairs = [
            (group, table.at(words) if words else -1, table.at(amount), amount)
            for group, words, amount in pairs
        ]
        self._group = -1 if wide else table.at("amount-type")
        self._heads: dict[str, tuple[str, str]] = {}

    def told(self) -> Iterator[Told]:
        for row in self._table.rows():
            if isinstance(row, Broken):
                yield row
                continue
            n, cells = row
            try:
                yield from self._row(n, cells)
            except (ValueError, MoneyError) as problem:
                yield Broken(n, str(problem))

    def _row(self, n: int, cells: list[str]) -> list[Told]:
        settlement = self._get(cells, "settlement-id")
        if not settlement:
            raise ValueError("the row is of no settlement")
        told: list[Told] = []
        total, currency = self._get(cells, "total-amount"), self._get(cells, "currency").upper()
        if total:
            told += self._head(n, cells, settlement, currency, total)
        currency = currency or self._heads.get(settlement, ("", ""))[1]
        places = exponent(currency)
        told += [
            self._line(n, cells, settlement, currency, places, pair)
            for pair in self._pairs
            if cells[pair[2]].strip()
        ]
        if not told and not total and not self._get(cells, "quantity-purchased"):
            raise ValueError("the row has no amount")
        return told

    def _head(
        self, n: int, cells: list[str], settlement: str, currency: str, total: str
    ) -> list[Told]:
        known = self._heads.get(settlement)
        if known == (total, currency or (known[1] if known else "")):
            return []
        if known:
            raise ValueError(
                f"settlement {settlement} has two totals, {known[0]} {known[1]}"
                f" and {total} {currency}"
            )
        if len(self._heads) >= HEADS_MOST:
            raise ValueError(f"the file has more than {HEADS_MOST} settlements")
        amount = self._amounts.minor(total, exponent(currency))
        self._heads[settlement] = (total, currency)
        return [
            PayoutTold(
                payout=settlement,
                currency=currency,
                amount=amount,
                paid_on=day_of(self._get(cells, "deposit-date"), day_first=self._config.day_first),
                n=n,
            )
        ]

    def _line(
        self,
        n: int,
        cells: list[str],
        settlement: str,
        currency: str,
        places: int,
        pair: tuple[str, int, int, str],
    ) -> SettlementLine:
        group, words_at, amount_at, column = pair
        transaction = self._get(cells, "transaction-type")
        group = cells[self._group].strip() if self._group >= 0 else group
        words = cells[words_at].strip() if words_at >= 0 else ""
        market = self._get(cells, "marketplace-name").lower()
        type_ = type_of(transaction, group, words, seller_tax=market in self._seller_tax)
        amount = self._amounts.minor(cells[amount_at], places)
        order, reference = self._get(cells, self._config.order_column), ""
        if self._config.order_column == "order-id" and not _ORDER.fullmatch(order):
            order, reference = "", order  # a removal, an inbound shipment: no order of ours
        first_day = self._config.day_first
        return SettlementLine(
            line=f"{settlement}#{n}/{column}" if self._wide else "",
            type=type_,
            told="/".join(filter(None, (transaction, group, words))) or column,
            gross=amount,
            net=amount,
            currency=currency,
            payout=settlement,
            reference=self._get(cells, "adjustment-id") or reference,
            order=order,
            at=instant_of(self._get(cells, "posted-date-time"), day_first=first_day)
            or instant_of(self._get(cells, "posted-date"), day_first=first_day),
            n=n,
            extra=self._table.further(cells),
        )

    def _get(self, cells: list[str], name: str) -> str:
        place = self._at[name]
        return cells[place].strip() if place >= 0 else ""
