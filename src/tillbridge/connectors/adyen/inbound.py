"""Adyen's settlement details report to settlement lines and payouts. Pure, streaming.

A batch of a merchant account is a settlement, in each currency it pays out in. Its rows come to
nothing together with the payout (`MerchantPayout`) and what is carried to another batch
(`Balancetransfer`); the payout is told when the file ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import BinaryIO

import msgspec

from tillbridge.atoms.money import MoneyError, exponent
from tillbridge.canonical.settlement import (
    COST_TYPES,
    UNKNOWN,
    Broken,
    PayoutTold,
    SettlementLine,
    Told,
)
from tillbridge.connectors.adyen.config import AdyenConfig
from tillbridge.connectors.adyen.wire import ALSO, COLUMNS, FEES, NAMED, TYPES
from tillbridge.contract.csv_files import CsvFile, header_of, minor_of
from tillbridge.contract.zones import in_utc

BATCHES_MOST = 10_000
_TRANSFER = re.compile(r"TX\w+XT")


def is_ours(head: bytes) -> bool:
    """Whether the header is that of the report."""
    return set(COLUMNS) <= header_of(head)


def read(stream: BinaryIO, config: AdyenConfig) -> Iterator[Told]:
    """What the file says. Raises NeedsDecision when it lacks a column."""
    order = " ".join(config.order_column.lower().split())
    known = tuple(dict.fromkeys((*COLUMNS, *ALSO, *filter(None, [order]))))
    table = CsvFile(stream, required=COLUMNS, known=known, errors="backslashreplace")
    report = _Report(table, config, order)
    for row in table.rows():
        if isinstance(row, Broken):
            yield row
            continue
        n, cells = row
        try:
            yield from report.row(n, cells)
        except (ValueError, MoneyError) as problem:
            yield Broken(n, str(problem))
    yield from report.payouts()


class _Batch(msgspec.Struct):
    """A batch in one currency. sent: minor units on their way to the bank, None = none were told.
    carried: something of it went to or came from another batch.
    """

    currency: str
    sent: int | None = None
    carried: bool = False
    paid_on: date | None = None
    reference: str = ""
    n: int = 0


class _Report:
    """One report on its way through: its columns and its batches."""

    def __init__(self, table: CsvFile, config: AdyenConfig, order: str) -> None:
        self._table = table
        self._config = config
        self._order = order
        self._at = {name: table.at(name) for name in (*COLUMNS, *ALSO, *filter(None, [order]))}
        self._batches: dict[str, _Batch] = {}

    def row(self, n: int, cells: list[str]) -> Iterator[Told]:
        """A row of the report."""
        merchant, batch = self._get(cells, "merchant account"), self._get(cells, "batch number")
        if self._config.merchants and merchant not in self._config.merchants:
            return
        if not merchant or not batch:
            raise ValueError("the row is of no merchant account or of no batch")
        kind = self._get(cells, "type")
        currency = self._get(cells, "net currency").upper()
        places = exponent(currency)
        type_ = TYPES.get(kind, UNKNOWN)
        net = self._signed(cells, "net", "nc", places)
        if net is None:
            raise ValueError("the row has no net amount")
        payout = f"{merchant}/{batch}/{currency}"
        at = self._instant(cells)
        self._add(n, payout, currency, type_, net, at, self._get(cells, "modification reference"))
        yield self._line(n, cells, (payout, kind, type_, currency, places, net), at)

    def payouts(self) -> Iterator[Told]:
        """What each batch sends, when its rows are read."""
        for payout, one in self._batches.items():
            amount = one.sent if one.sent is not None or not one.carried else 0
            yield PayoutTold(
                payout=payout,
                currency=one.currency,
                amount=amount,
                paid_on=one.paid_on,
                bank_reference=one.reference,
                n=one.n,
            )

    def _add(
        self,
        n: int,
        payout: str,
        currency: str,
        type_: str,
        net: int,
        at: datetime | None,
        reference: str,
    ) -> None:
        batch = self._batches.get(payout)
        if batch is None:
            if len(self._batches) >= BATCHES_MOST:
                raise ValueError(f"the file has more than {BATCHES_MOST} batches")
            batch = self._batches[payout] = _Batch(currency, n=n)
        if type_ == "payout":
            found = _TRANSFER.search(reference)
            batch.sent = (batch.sent or 0) - net
            batch.paid_on = at.date() if at else None
            batch.reference = found[0] if found else reference
            batch.n = n
        batch.carried = batch.carried or type_ == "carried"

    def _line(
        self,
        n: int,
        cells: list[str],
        about: tuple[str, str, str, str, int, int],
        at: datetime | None,
    ) -> SettlementLine:
        payout, kind, type_, currency, places, net = about
        fees = [self._get(cells, name) for name in FEES]
        fee = sum(minor_of(one, places) for one in fees if one)
        seen_in = self._get(cells, "gross currency").upper()
        seen = self._signed(cells, "gross", "gc", exponent(seen_in)) if seen_in else None
        same = seen is not None and seen_in == currency
        if type_ in COST_TYPES and same and seen == net:
            fee = 0  # a fee of its own, which some accounts repeat among the columns of fees
        psp, modified = (
            self._get(cells, "psp reference"),
            self._get(cells, "modification reference"),
        )
        method = self._get(cells, "payment method")
        other = not same and seen is not None
        return SettlementLine(
            line=f"{payout}/{kind}/{psp}/{modified}" if kind in NAMED and psp else "",
            type=type_,
            told=kind or "no type",
            gross=seen if same and seen is not None else net + fee,
            fee=fee,
            net=net,
            currency=currency,
            payout=payout,
            reference=modified or psp,
            parent=psp,
            order=self._get(cells, self._order) if self._order else "",
            tender=self._config.tenders.get(method, ""),
            presented=seen if other else None,
            presented_currency=seen_in if other else "",
            rate=self._get(cells, "exchange rate") if other else "",
            at=at,
            n=n,
            extra=self._table.further(cells),
        )

    def _signed(self, cells: list[str], what: str, unit: str, places: int) -> int | None:
        """Credit less debit, None = neither is there."""
        debit = self._get(cells, f"{what} debit ({unit})")
        credit = self._get(cells, f"{what} credit ({unit})")
        if not debit and not credit:
            return None
        return minor_of(credit or "0", places) - minor_of(debit or "0", places)

    def _instant(self, cells: list[str]) -> datetime | None:
        for day, zone in (("booking date", "booking date timezone"), ("creation date", "timezone")):
            text = self._get(cells, day)
            if text:
                return in_utc(
                    datetime.fromisoformat(text).replace(tzinfo=None), self._get(cells, zone)
                )
        return None

    def _get(self, cells: list[str], name: str) -> str:
        place = self._at[name]
        return cells[place].strip() if place >= 0 else ""
