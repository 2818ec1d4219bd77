"""PayPal's settlement report to settlement lines and payouts. Pure, streaming.

A day of an account in one currency is a settlement: what it began with, its transactions, and what
it ended with come to what was withdrawn to the bank. Both balances are `carried` lines, which the
footer tells; its totals are held against the rows here, the counts of the file by the hub.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import BinaryIO

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import MoneyError, exponent
from tillbridge.canonical.settlement import Broken, FileTotal, PayoutTold, SettlementLine, Told
from tillbridge.connectors.paypal import wire
from tillbridge.connectors.paypal.config import PaypalConfig
from tillbridge.contract.csv_files import records_of, text_of

_MARKS = ",\t;|"
_ENCODER = msgspec.json.Encoder()


def read(stream: BinaryIO, config: PaypalConfig) -> Iterator[Told]:
    """What the file says. Raises NeedsDecision when it is no settlement report."""
    text = text_of(stream)
    first = text.readline(4096)
    mark = max(_MARKS, key=first.count)
    report = _Report(config)
    try:
        cells = next(csv.reader([first], delimiter=mark), [])
        if cells[:1] != [wire.REPORT]:
            raise _unreadable("the file does not begin with a report header (RH)")
        for row in records_of(csv.reader(text, delimiter=mark, strict=True), 1):
            if isinstance(row, Broken):
                yield row
            elif any(row[1]):
                yield from _told(report, *row)
        yield from report.end()
    finally:
        text.detach()


def _told(report: _Report, n: int, cells: list[str]) -> Iterator[Told]:
    try:
        yield from report.record(n, list(map(str.strip, cells)))
    except (ValueError, MoneyError) as problem:
        yield Broken(n, f"{cells[0][:20]}: {problem}")


class _Sums(msgspec.Struct):
    """What the rows of a section in one currency came to, as the file counts; withdrawn: signed."""

    credits: int = 0
    debits: int = 0
    fee_credits: int = 0
    fee_debits: int = 0
    withdrawn: int = 0
    withdrawn_on: date | None = None


class _Report:
    """Where in the file we are: the open section, its columns and sums."""

    def __init__(self, config: PaypalConfig) -> None:
        self._config = config
        self._order = " ".join(config.order_column.lower().split())
        self._account = ""
        self._day = ""
        self._at: dict[str, int] = {}
        self._width = 0
        self._others: list[tuple[int, str]] = []
        self._sums: dict[str, _Sums] = {}
        self._rows = 0
        self._carried = 0
        self._open = False
        self._ended = False
        self._n = 1

    def record(self, n: int, cells: list[str]) -> Iterator[Told]:
        """A record of the file."""
        self._n = n
        kind, rest = cells[0], cells[1:]
        match kind:
            case wire.SECTION:
                yield from self._begin(n, rest)
            case wire.COLUMNS:
                self._columns(rest)
            case wire.BODY:
                self._rows += 1
                if self._wanted:
                    yield self._line(n, rest)
            case wire.SECTION_END:
                if self._wanted:
                    yield from self._footer(n, wire.footer(rest))
            case wire.SECTION_COUNT:
                yield from self._count(n, rest)
            case wire.FILE_END:
                self._ended = True
                yield from self._file_end(rest)
            case _ if kind not in wire.RECORDS:
                yield Broken(n, f"{kind[:20]!r} is no record of a settlement report")
            case _:
                pass

    def end(self) -> Iterator[Told]:
        """The file is over."""
        yield from self._close(self._n)
        if not self._ended:
            yield Broken(self._n, "the file ends without its footer (FF): it was cut off")

    @property
    def _wanted(self) -> bool:
        return not self._config.accounts or self._account in self._config.accounts

    def _begin(self, n: int, cells: list[str]) -> Iterator[Told]:
        yield from self._close(n)
        self._account = self._day = ""
        if len(cells) < 3 or not cells[2]:
            raise ValueError("the section is of no account")
        self._account, self._day = cells[2], _instant(cells[1]).date().isoformat()
        self._open, self._rows, self._at, self._sums = True, 0, {}, {}

    def _columns(self, cells: list[str]) -> None:
        names = [" ".join(one.lower().split()) for one in cells]
        missing = [name for name in wire.WANTED if name not in names]
        if missing:
            raise _unreadable(f"the section has no column {', '.join(missing)}")
        if any(name in names for name in wire.OTHERS):
            raise _unreadable(
                "this is the transaction detail report; the settlement report is read"
            )
        self._at = {name: place for place, name in enumerate(names) if name}
        self._width = len(cells) if cells[-1] else len(cells) - 1
        asked = {*wire.WANTED, *wire.ALSO, self._order}
        self._others = [(place, name) for name, place in self._at.items() if name not in asked]

    def _line(self, n: int, cells: list[str]) -> SettlementLine:
        if not self._at or not self._day:
            raise ValueError("a row before the head of its section or its columns (SH, CH)")
        if len(cells) < self._width or any(cells[self._width :]):
            raise ValueError(f"the row has {len(cells)} cells, its columns are {self._width}")
        code, direction = (
            self._get(cells, "transaction event code"),
            self._get(cells, wire.WANTED[2]),
        )
        currency = self._get(cells, "gross transaction currency").upper()
        gross = wire.signed(self._get(cells, "gross transaction amount"), direction)
        fee_direction = self._get(cells, "fee debit or credit")
        fee = -wire.signed(self._get(cells, "fee amount"), fee_direction)
        fee_currency = self._get(cells, "fee currency").upper()
        if fee and fee_currency and fee_currency != currency:
            raise ValueError(f"a fee in {fee_currency} on an amount in {currency}")
        gross_minor, fee_minor = self._minor(gross, currency), self._minor(fee, currency)
        transaction = self._get(cells, "transaction id")
        done = self._get(cells, "transaction completion date")
        at = _instant(done) if done else None
        type_ = wire.type_of(code, direction)
        self._add(currency, gross, fee, at if type_ == "payout" else None)
        if type_ == "payout":
            self._sums[currency].withdrawn += gross_minor - fee_minor
        named = f"{transaction}/{code}/{direction}/{currency}"
        further = {name: cells[place] for place, name in self._others if cells[place]}
        return SettlementLine(
            line=named if transaction else "",
            type=type_,
            told=code or "no code",
            gross=gross_minor,
            fee=fee_minor,
            net=gross_minor - fee_minor,
            currency=currency,
            payout=self._payout(currency),
            reference=transaction,
            parent=self._get(cells, "paypal reference id"),
            order=self._get(cells, self._order),
            at=at.astimezone(UTC) if at else None,
            n=n,
            extra=_ENCODER.encode(further).decode() if further else "",
        )

    def _add(self, currency: str, gross: int, fee: int, withdrawn_at: datetime | None) -> None:
        sums = self._sums.setdefault(currency, _Sums())
        sums.credits += max(gross, 0)
        sums.debits += max(-gross, 0)
        sums.fee_credits += max(-fee, 0)
        sums.fee_debits += max(fee, 0)
        sums.withdrawn_on = withdrawn_at.date() if withdrawn_at else sums.withdrawn_on

    def _footer(self, n: int, told: wire.Footer) -> Iterator[Told]:
        if not self._day:
            raise ValueError("a footer of no section")
        sums = self._sums.pop(told.currency, None) or _Sums()
        come = (sums.credits, sums.debits, sums.fee_credits, sums.fee_debits)
        said = tuple(
            map(wire.number, (told.credits, told.debits, told.fee_credits, told.fee_debits))
        )
        for what, one, other in zip(
            ("credits", "debits", "credits of fees", "debits of fees"), said, come, strict=True
        ):
            if one != other:
                words = f"its {what} say {one}, its rows come to {other}"
                yield Broken(n, f"{self._payout(told.currency)}: {words}")
        if told.balances:
            begins, ends = (wire.signed(amount, way) for way, amount in told.balances)
            if begins + said[0] - said[1] + said[2] - said[3] != ends:
                words = f"it begins with {begins}, ends with {ends}, and its totals are not between"
                yield Broken(n, f"{self._payout(told.currency)}: {words}")
            yield from self._balance(n, told.currency, "beginning", begins)
            yield from self._balance(n, told.currency, "ending", -ends)
        yield self._head(n, told.currency, sums, -sums.withdrawn)

    def _balance(self, n: int, currency: str, what: str, amount: int) -> Iterator[Told]:
        if amount:
            self._carried += 1
            minor = self._minor(amount, currency)
            yield SettlementLine(
                line=f"{self._payout(currency)}/{what}",
                type="carried",
                told=f"{what} balance",
                gross=minor,
                net=minor,
                currency=currency,
                payout=self._payout(currency),
                n=n,
            )

    def _head(self, n: int, currency: str, sums: _Sums, amount: int | None) -> PayoutTold:
        return PayoutTold(
            payout=self._payout(currency),
            currency=currency,
            amount=amount,
            paid_on=sums.withdrawn_on,
            n=n,
        )

    def _close(self, n: int) -> Iterator[Told]:
        """The section is over; a currency without a footer has no total."""
        for currency, sums in self._sums.items():
            yield Broken(n, f"{self._payout(currency)} has no footer (SF)")
            yield self._head(n, currency, sums, None)
        if self._open:
            yield Broken(n, f"the section of {self._account} has no count (SC)")
        self._open, self._sums = False, {}

    def _count(self, n: int, cells: list[str]) -> Iterator[Told]:
        self._open = False
        yield from self._close(n)
        said = wire.number(cells[0] if cells else "")
        if said != self._rows:
            yield Broken(n, f"the section says {said} rows and holds {self._rows}")

    def _file_end(self, cells: list[str]) -> Iterator[Told]:
        said = cells[0] if cells else ""
        if said.isascii() and said.isdigit() and self._wanted and not self._config.accounts:
            yield FileTotal(lines=int(said) + self._carried)

    def _payout(self, currency: str) -> str:
        return f"{self._account}/{currency}/{self._day}"

    def _minor(self, amount: int, currency: str) -> int:
        """Minor units of an amount as the report counts it."""
        places = exponent(currency)
        more = self._config.places.get(currency, places) - places
        if more <= 0:
            return amount * int(10**-more)
        if amount % 10**more:
            raise ValueError(f"{amount} of {currency} is no whole number of its smallest coin")
        return int(amount // 10**more)

    def _get(self, cells: list[str], name: str) -> str:
        place = self._at.get(name, -1)
        return cells[place] if 0 <= place < len(cells) else ""


def _instant(text: str) -> datetime:
    """`2026/03/03 23:59:59 -0800`; raises ValueError."""
    return datetime.strptime(text, "%Y/%m/%d %H:%M:%S %z")


def _unreadable(words: str) -> NeedsDecision:
    return NeedsDecision("settlement_unreadable", words, owner="integration")
