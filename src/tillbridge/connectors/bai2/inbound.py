"""BAI2 to bank lines and statements, streaming, and every control total held against what it sums.

Amounts are whole minor units without a sign; the type code says whether they were added (100 to
399) or taken off (400 to 699). The totals of accounts, groups and the file add up amounts whatever
their direction; a total that is not so is told, and so is a count of records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import BinaryIO

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import MoneyError, exponent
from tillbridge.canonical.settlement import BankLine, Broken, StatementTold, Told
from tillbridge.connectors.bai2 import wire
from tillbridge.connectors.bai2.config import Bai2Config
from tillbridge.contract.text_lines import lines_of

TEXT_MOST = 1_000
CONTINUED_MOST = 100
STATEMENTS_MOST = 100_000


def read(stream: BinaryIO, config: Bai2Config) -> Iterator[Told]:
    """What the file says. Raises NeedsDecision when it does not begin as BAI2."""
    reading = _Reading(config)
    for line in lines_of(stream):
        if isinstance(line, Broken):
            yield line
            continue
        n, text = line
        if text.strip():
            yield from reading.line(n, text)
    yield from reading.end()


class _Level(msgspec.Struct):
    """File, group or account: what it adds up to so far. total: minor units; parts: below it."""

    total: int = 0
    parts: int = 0
    records: int = 0


class _Account(msgspec.Struct):
    """The open account. told: whether its lines count."""

    n: int
    name: str
    number: str
    currency: str
    told: bool
    balances: dict[str, tuple[int, int | None]] = {}


class _Reading:
    """Where in the file we are: the open levels, and the record that may still go on."""

    def __init__(self, config: Bai2Config) -> None:
        self._config = config
        self._file: _Level | None = None
        self._group: _Level | None = None
        self._sums: _Level | None = None
        self._account: _Account | None = None
        self._status, self._day, self._hour, self._modifier = "", date.min, "", ""
        self._currency = ""
        self._waits: tuple[int, str, str] | None = None
        self._goes_on: list[str] = []
        self._names: set[str] = set()
        self._ended = False
        self._n = 0

    def line(self, n: int, text: str) -> Iterator[Told]:
        """A line of the file."""
        self._n = n
        found = wire.record(text)
        if self._file is None and (found is None or found[0] != wire.FILE):
            raise NeedsDecision(
                "settlement_unreadable",
                f"the file does not begin with a BAI2 file header (01) but with {text[:40]!r}",
                owner="integration",
            )
        if found is None:
            yield Broken(n, f"{text[:60]!r} is no record")
            return
        code, fields = found
        if code != wire.CONTINUED:
            yield from self._close()
            self._waits = (n, code, fields)
        self._count(code)
        if code == wire.CONTINUED:
            if self._waits is None:
                yield Broken(n, "it goes on (88) with nothing")
            elif len(self._goes_on) < CONTINUED_MOST:
                self._goes_on.append(fields)

    def end(self) -> Iterator[Told]:
        """The file is over."""
        yield from self._close()
        if self._file is None:
            raise NeedsDecision("settlement_unreadable", "the file is empty", owner="integration")
        if self._account is not None:
            yield Broken(self._n, f"account {self._account.number} has no trailer (49)")
            yield from self._told_account()
        if not self._ended:
            yield Broken(self._n, "the file ends without its trailer (99): it was cut off")

    def _count(self, code: str) -> None:
        """A record counts in each level that it stands in; a level's first one opens it."""
        if code == wire.FILE:
            self._file = _Level()
        elif code == wire.GROUP:
            self._group = _Level()
        elif code == wire.ACCOUNT:
            self._sums = _Level()
        for level in (self._file, self._group, self._sums):
            if level is not None:
                level.records += 1

    def _close(self) -> Iterator[Told]:
        """The record is whole."""
        if self._waits is None:
            return
        (n, code, text), goes_on = self._waits, self._goes_on
        self._waits, self._goes_on = None, []
        does: dict[str, Callable[[int, list[str]], Iterator[Told]]] = {
            wire.GROUP: self._begin_group,
            wire.ACCOUNT: self._begin_account,
            wire.ACCOUNT_END: self._end_account,
            wire.GROUP_END: self._end_group,
            wire.FILE_END: self._end_file,
        }
        try:
            if code == wire.ENTRY:
                yield from self._entry(n, wire.entry(text.split(","), goes_on))
            elif code in does:
                yield from does[code](n, ",".join((text, *goes_on)).split(","))
        except (ValueError, MoneyError) as problem:
            yield Broken(n, f"{code}: {problem}")

    def _begin_group(self, n: int, fields: list[str]) -> Iterator[Told]:
        fields = [one.strip() for one in fields] + [""] * 7
        self._status, self._hour, self._modifier = fields[2], fields[4], fields[6]
        self._currency = fields[5] or self._config.currency
        self._day = _day(fields[3])
        if self._status in wire.NOT_COUNTED:
            yield Broken(n, f"the group is {wire.NOT_COUNTED[self._status]}; it counts for nothing")

    def _begin_account(self, n: int, fields: list[str]) -> Iterator[Told]:
        if self._account is not None:
            yield Broken(n, f"account {self._account.number} has no trailer (49)")
            yield from self._told_account()
        number, currency = fields[0].strip(), (fields[1:2] or [""])[0].strip() or self._currency
        name = f"{number}/{self._day.isoformat()}"
        if self._modifier in wire.INTERIM:
            name = f"{name}/{self._hour}"
        wanted = not self._config.accounts or number in self._config.accounts
        wanted = wanted and self._status not in wire.NOT_COUNTED
        wanted = wanted and (self._config.interim or self._modifier not in wire.INTERIM)
        self._account = account = _Account(n, name, number, currency, told=False)
        if not number or self._day == date.min:
            raise ValueError("an account without a number, or in a group without a day")
        exponent(currency)
        if wanted and (name in self._names or len(self._names) >= STATEMENTS_MOST):
            yield Broken(n, f"the statement {name} stands in the file twice; counted once")
        elif wanted:
            account.told = True
            self._names.add(name)
        for one in wire.summaries([one.strip() for one in fields[2:]]):
            amount = wire.number(one.amount) if one.amount else 0
            if self._sums is not None:
                self._sums.total += amount
            if one.amount:
                items = wire.count(one.items) if one.items else None
                account.balances = {**account.balances, one.code: (amount, items)}

    def _entry(self, n: int, told: wire.Entry) -> Iterator[Told]:
        account = self._account
        if account is None:
            raise ValueError("a transaction outside of an account")
        amount = wire.number(told.amount) if told.amount else 0
        if self._sums is not None:
            self._sums.total += amount
        code = int(told.code) if told.code.isascii() and told.code.isdigit() else 0
        if code == 890 and not amount:
            return  # a message, no money
        if not 100 <= code < 700 or told.amount[:1] in ("-", "+"):
            raise ValueError(f"type {told.code[:20]!r} with {told.amount[:20]!r} has no direction")
        if account.told:
            yield BankLine(
                line=told.bank,
                statement=account.name,
                amount=amount if code < 400 else -amount,
                currency=account.currency,
                booked_on=self._day,
                value_on=_day(told.value) if told.value else None,
                reference=told.customer[:TEXT_MOST],
                text=" ".join(told.text.split())[:TEXT_MOST],
                told=told.code,
                n=n,
            )

    def _end_account(self, n: int, fields: list[str]) -> Iterator[Told]:
        sums, self._sums = self._sums, None
        if sums is None or self._account is None:
            raise ValueError("a trailer of no account")
        yield from _proven(n, f"account {self._account.number}", fields, sums, parts=False)
        if self._group is not None:
            self._group.total += wire.number(fields[0].strip())
            self._group.parts += 1
        yield from self._told_account()

    def _end_group(self, n: int, fields: list[str]) -> Iterator[Told]:
        group, self._group = self._group, None
        if group is None:
            raise ValueError("a trailer of no group")
        yield from _proven(n, "group", fields, group, parts=True)
        if self._file is not None:
            self._file.total += wire.number(fields[0].strip())
            self._file.parts += 1

    def _end_file(self, n: int, fields: list[str]) -> Iterator[Told]:
        self._ended = True
        if self._file is not None:
            yield from _proven(n, "file", fields, self._file, parts=True)

    def _told_account(self) -> Iterator[Told]:
        account, self._account, self._sums = self._account, None, None
        if account is None or not account.told:
            return
        balances = account.balances
        credits_, debits = balances.get(wire.CREDITS), balances.get(wire.DEBITS)
        counted = [one[1] for one in (credits_, debits) if one is not None and one[1] is not None]
        yield StatementTold(
            statement=account.name,
            account=account.number,
            currency=account.currency,
            opening=balances.get(wire.OPENING, (None,))[0],
            closing=balances.get(wire.CLOSING, (None,))[0],
            lines=sum(counted) if len(counted) == 2 else None,
            credits=credits_[0] if credits_ else None,
            debits=abs(debits[0]) if debits else None,
            first_day=self._day,
            last_day=self._day,
            n=account.n,
        )


def _proven(n: int, what: str, fields: list[str], sums: _Level, *, parts: bool) -> Iterator[Broken]:
    """What a trailer says and what was read differ in: total, number of parts, of records."""
    fields = [*(one.strip() for one in fields), "", "", ""]
    said = wire.number(fields[0])
    if said != sums.total:
        yield Broken(n, f"{what}: its total says {said}, its amounts come to {sums.total}")
    if parts and wire.count(fields[1]) != sums.parts:
        yield Broken(n, f"{what}: it says {fields[1]} parts and holds {sums.parts}")
    records = fields[2] if parts else fields[1]
    if wire.count(records) != sums.records:
        yield Broken(n, f"{what}: it says {records} records and holds {sums.records}")


def _day(text: str) -> date:
    if not (len(text) == 6 and text.isascii() and text.isdigit()):
        raise ValueError(f"{text[:20]!r} is no day")
    return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
