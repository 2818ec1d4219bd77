"""MT940 to bank lines and statements, streaming: a line is told when the next field begins. Pure.

A message is a statement with balances of its own, a page of a longer one (60M, 62M) too, so each is
proven by itself. It has no id that lasts: account, first day and number name it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import BinaryIO

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import MoneyError, exponent
from tillbridge.canonical.settlement import BankLine, Broken, StatementTold, Told
from tillbridge.connectors.mt940 import wire
from tillbridge.connectors.mt940.config import Mt940Config
from tillbridge.contract.csv_files import minor_of
from tillbridge.contract.text_lines import lines_of

TEXT_MOST = 1_000
FIELD_LINES_MOST = 50
STATEMENTS_MOST = 100_000


def read(stream: BinaryIO, config: Mt940Config) -> Iterator[Told]:
    """What the file says. Raises NeedsDecision when it holds no statement."""
    reading = _Reading(config)
    for line in lines_of(stream):
        if isinstance(line, Broken):
            yield line
        else:
            yield from reading.line(*line)
    yield from reading.end()
    if not reading.found:
        raise NeedsDecision(
            "settlement_unreadable", "the file holds no statement (:20:)", owner="integration"
        )


class _Message(msgspec.Struct):
    """A statement as far as it was read. waits: an entry whose details may still come."""

    n: int
    account: str = ""
    number: str = ""
    name: str = ""
    currency: str = ""
    opening: int | None = None
    closing: int | None = None
    first_day: date | None = None
    last_day: date | None = None
    counts: dict[str, tuple[int, int]] = {}
    interim: bool = False
    taken: bool = True
    waits: tuple[int, wire.Entry, str] | None = None
    details: list[str] = []


class _Reading:
    """Where in the file we are: the open message, and the field that goes on."""

    def __init__(self, config: Mt940Config) -> None:
        self._config = config
        self._message: _Message | None = None
        self._tag = ""
        self._lines: list[str] = []
        self._n = 0
        self._names: set[str] = set()
        self.found = False

    def line(self, n: int, text: str) -> Iterator[Told]:
        """A line of the file."""
        field = wire.FIELD.fullmatch(text)
        if field:
            yield from self._close()
            if field[1] == "20":
                yield from self._end_message()
                self._message, self.found = _Message(n), True
            self._tag, self._lines, self._n = field[1], [field[2]], n
        elif wire.END.fullmatch(text):
            yield from self.end()
        elif self._tag and len(self._lines) < FIELD_LINES_MOST:
            self._lines.append(text)

    def end(self) -> Iterator[Told]:
        """The message is over, and so may be the file."""
        yield from self._close()
        yield from self._end_message()

    def _close(self) -> Iterator[Told]:
        """The field is whole."""
        message, tag, lines, n = self._message, self._tag, self._lines, self._n
        self._tag = ""
        if not tag or message is None:
            return
        try:
            if tag in ("86", "NS"):
                message.details += lines if message.waits else []
                return
            yield from self._entry(message)
            self._field(message, tag, lines, n)
        except (ValueError, MoneyError) as problem:
            yield Broken(n, f":{tag}: {problem}")

    def _field(self, message: _Message, tag: str, lines: list[str], n: int) -> None:
        match tag:
            case "25" | "25P":
                message.account = lines[0].strip()
                wanted = self._config.accounts
                message.taken = not wanted or message.account in wanted
            case "28" | "28C":
                message.number = lines[0].strip()
            case "60F" | "60M" | "62F" | "62M":
                _balance(message, tag, wire.balance(lines[0]))
            case "34F":
                message.interim = message.opening is None
                message.currency = message.currency or wire.floor_currency(lines[0])
            case "13D":
                message.first_day = message.first_day or _day(lines[0][:6])
            case "90C" | "90D":
                count, currency, amount = wire.entries(lines[0])
                message.currency = message.currency or currency
                total = minor_of(amount, exponent(currency), ",")
                message.counts = {**message.counts, tag: (count, total)}
            case "61":
                message.waits = (n, wire.entry(lines[0]), " ".join(lines[1:]).strip())
                message.details = []
            case _:
                pass

    def _entry(self, message: _Message) -> Iterator[Told]:
        """Tell the line that waits; its details are whole."""
        if message.waits is None:
            return
        n, entry, extra = message.waits
        message.waits = None
        if not self._counts(message):
            return
        try:
            yield _line(message, self._name(message), n, entry, extra)
        except (ValueError, MoneyError) as problem:
            yield Broken(n, f":61: {problem}")

    def _end_message(self) -> Iterator[Told]:
        message, self._message = self._message, None
        if message is None:
            return
        yield from self._entry(message)
        if not self._counts(message):
            return
        try:
            yield _statement(message, self._name(message))
        except ValueError as problem:
            yield Broken(message.n, str(problem))

    def _counts(self, message: _Message) -> bool:
        return message.taken and (self._config.interim or not message.interim)

    def _name(self, message: _Message) -> str:
        """Name of the statement; raises ValueError when it has none, or another one has it."""
        if not message.name:
            if not message.account or not message.currency:
                raise ValueError("the statement tells no account, or no balance before its lines")
            day = message.first_day.isoformat() if message.first_day else ""
            name = f"{message.account}/{day}/{message.number}"
            if name in self._names or len(self._names) >= STATEMENTS_MOST:
                message.taken = False
                raise ValueError(f"the statement {name} stands in the file twice; counted once")
            self._names.add(name)
            message.name = name
        return message.name


def _balance(message: _Message, tag: str, told: wire.Balance) -> None:
    if message.currency and told.currency != message.currency:
        raise ValueError(f"a balance in {told.currency} in a statement in {message.currency}")
    amount = minor_of(told.amount, exponent(told.currency), ",")
    message.currency = told.currency
    if tag[:2] == "60":
        message.opening = -amount if told.debit else amount
        message.first_day = _day(told.day)
    else:
        message.closing = -amount if told.debit else amount
        message.last_day = _day(told.day)


def _line(message: _Message, name: str, n: int, entry: wire.Entry, extra: str) -> BankLine:
    value_on = _day(entry.value)
    amount = minor_of(entry.amount, exponent(message.currency), ",")
    told = wire.details(message.details)
    taken_off = entry.mark in ("D", "RC")
    named = "" if entry.reference in wire.NOTHING else entry.reference
    words = " ".join(filter(None, (told.text, extra, named)))
    return BankLine(
        line="" if entry.bank in wire.NOTHING else entry.bank,
        statement=name,
        amount=-amount if taken_off else amount,
        currency=message.currency,
        booked_on=_entered(value_on, entry.entry),
        value_on=value_on,
        reference=(told.end_to_end or named)[:TEXT_MOST],
        text=words[:TEXT_MOST],
        told="/".join(filter(None, (entry.type.strip(), told.code))),
        reversal=entry.mark.startswith("R"),
        n=n,
    )


def _statement(message: _Message, name: str) -> StatementTold:
    credits_, debits = message.counts.get("90C"), message.counts.get("90D")
    both = credits_ is not None and debits is not None
    return StatementTold(
        statement=name,
        account=message.account,
        currency=message.currency,
        opening=message.opening,
        closing=message.closing,
        lines=credits_[0] + debits[0] if both and credits_ and debits else None,
        credits=credits_[1] if credits_ else None,
        debits=debits[1] if debits else None,
        first_day=message.first_day,
        last_day=message.last_day or message.first_day,
        n=message.n,
    )


def _day(text: str) -> date:
    if not (len(text) == 6 and text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is no day")
    year = int(text[:2])
    return date(year + (2000 if year < 80 else 1900), int(text[2:4]), int(text[4:]))


def _entered(value_on: date, month_and_day: str) -> date:
    """The entry date, which has no year: the one nearest to the value date."""
    if not month_and_day:
        return value_on
    month, day = int(month_and_day[:2]), int(month_and_day[2:])
    found = []
    for year in (value_on.year - 1, value_on.year, value_on.year + 1):
        try:
            found.append(date(year, month, day))
        except ValueError:
            continue
    if not found:
        raise ValueError(f"{month_and_day} is no day of any year")
    return min(found, key=lambda one: abs((one - value_on).days))
