"""camt.053 and camt.054 to bank lines, streaming: an entry is read and forgotten. Pure.

Amounts are always positive in the file; `CdtDbtInd` is the direction as it was booked, also of a
reversal (`RvslInd`), which is not turned a second time. Only booked entries count. An entry of
another currency than its account is broken.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import BinaryIO

import msgspec
from lxml import etree

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import MoneyError, exponent
from tillbridge.canonical.settlement import BankLine, Broken, StatementTold, Told
from tillbridge.connectors.camt.config import CamtConfig
from tillbridge.connectors.camt.wire import (
    ADVICE,
    BALANCE,
    BOOKED,
    CLOSING,
    ENTRY,
    NOT_PROVIDED,
    OPENING,
    REPORT,
    STATEMENT,
    child,
    children,
    named,
    text,
    texts,
)
from tillbridge.contract.csv_files import minor_of

TEXT_MOST = 1_000
_HEADS = ("Id", "ElctrncSeqNb", "LglSeqNb", "CpyDplctInd", "FrToDt", "Acct", BALANCE, "TxsSummry")


class _Head(msgspec.Struct):
    """A statement as far as it was read; elements come in the order of the schema."""

    name: str = ""
    account: str = ""
    currency: str = ""
    opening: int | None = None
    closing: int | None = None
    lines: int | None = None
    credits: int | None = None
    debits: int | None = None
    first_day: date | None = None
    last_day: date | None = None
    copy: bool = False
    wanted: bool = True
    read: int = 0


def read(stream: BinaryIO, config: CamtConfig) -> Iterator[Told]:
    """What the file says. Raises NeedsDecision when it is no XML or holds no statement."""
    reading = _Reading(config)
    events = etree.iterparse(
        stream,
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    try:
        for event, element in events:
            if event == "start":
                reading.begin(named(element))
            else:
                yield from reading.end(element, named(element))
    except etree.XMLSyntaxError as problem:
        if not reading.found:
            raise _unreadable(f"this is no XML: {problem.msg}") from None
        yield Broken(reading.n, f"the file breaks off: {problem.msg}")
    if not reading.found:
        raise _unreadable("the file holds no statement (Stmt)")


class _Reading:
    """Where in the file we are."""

    def __init__(self, config: CamtConfig) -> None:
        self.config = config
        self.head = _Head()
        self.n = 0
        self.found = False

    def begin(self, name: str) -> None:
        """An element begins."""
        if name == STATEMENT or (name == ADVICE and self.config.advices):
            self.head, self.found = _Head(), True
        elif name in (ADVICE, REPORT):
            raise _unreadable(
                "this is no statement (camt.053) but an advice or a report (camt.054, camt.052),"
                " whose entries the statement tells again; `advices = true` takes advices of a bank"
                " that sends no statements"
            )

    def end(self, element: etree._Element, name: str) -> Iterator[Told]:
        """An element is whole."""
        parent = element.getparent()
        if name == ENTRY:
            self.n += 1
            if self.head.wanted:
                yield from _entry(element, self.head, self.n)
            _forget(element)
        elif name in _HEADS and parent is not None and named(parent) in (STATEMENT, ADVICE):
            try:
                _take(element, name, self.head, self.config)
            except (ValueError, MoneyError) as problem:
                yield Broken(self.n, f"{name}: {problem}")
        elif name in (STATEMENT, ADVICE) and self.head.wanted:
            yield _statement(self.head, self.n)
            _forget(element)


def _take(element: etree._Element, name: str, head: _Head, config: CamtConfig) -> None:
    match name:
        case "Id":
            head.name = (element.text or "").strip()
        case "CpyDplctInd":
            head.copy = (element.text or "").strip() in ("DUPL", "CODU")
        case "FrToDt":
            head.first_day = _day(text(element, "FrDtTm") or text(element, "FrDt"))
            head.last_day = _day(text(element, "ToDtTm") or text(element, "ToDt"))
        case "Acct":
            head.account = text(element, "Id", "IBAN") or text(element, "Id", "Othr", "Id")
            head.currency = text(element, "Ccy")
            head.wanted = not config.accounts or head.account in config.accounts
        case "Bal":
            _balance(element, head)
        case "TxsSummry":
            _summary(element, head)
        case _:
            pass


def _balance(element: etree._Element, head: _Head) -> None:
    code = text(element, "Tp", "CdOrPrtry", "Cd")
    amount = child(element, "Amt")
    if amount is None or code not in (*OPENING, *CLOSING):
        return
    currency = amount.get("Ccy", "")
    head.currency = head.currency or currency
    value = minor_of((amount.text or "").strip(), exponent(currency))
    value = -value if text(element, "CdtDbtInd") == "DBIT" else value
    if code in CLOSING:
        head.closing = value
        head.last_day = _day(text(element, "Dt", "Dt") or text(element, "Dt", "DtTm"))
    elif head.opening is None or code == OPENING[0]:
        head.opening = value


def _summary(element: etree._Element, head: _Head) -> None:
    count = text(element, "TtlNtries", "NbOfNtries")
    head.lines = int(count) if count.isdigit() else None
    places = exponent(head.currency) if head.currency else 2
    credits_, debits = text(element, "TtlCdtNtries", "Sum"), text(element, "TtlDbtNtries", "Sum")
    head.credits = minor_of(credits_, places) if credits_ else None
    head.debits = minor_of(debits, places) if debits else None


def _entry(element: etree._Element, head: _Head, n: int) -> Iterator[Told]:
    state = text(element, "Sts", "Cd") or text(element, "Sts")
    if state not in BOOKED:
        return
    try:
        yield _line(element, head, n)
        head.read += 1
        for details in children(element, "NtryDtls"):
            yield from _batch(details, n)
    except (ValueError, MoneyError) as problem:
        yield Broken(n, f"entry {n}: {problem}")


def _batch(details: etree._Element, n: int) -> Iterator[Broken]:
    """What a batch says of its payments and is not so; one that lists none says nothing wrong."""
    payments = list(children(details, "TxDtls"))
    count, total = text(details, "Btch", "NbOfTxs"), child(details, "Btch", "TtlAmt")
    if payments and count.isdigit() and int(count) != len(payments):
        yield Broken(n, f"entry {n}: its batch says {count} payments and lists {len(payments)}")
    amounts = [amount for one in payments if (amount := child(one, "Amt")) is not None]
    if total is None or not payments or len(amounts) != len(payments):
        return
    currency = total.get("Ccy", "")
    if any(one.get("Ccy") != currency for one in amounts):
        return
    said, *each = [
        minor_of((one.text or "").strip(), exponent(currency)) for one in (total, *amounts)
    ]
    if said != sum(each):
        words = f"its batch says {said}, its payments come to {sum(each)} (minor units)"
        yield Broken(n, f"entry {n}: {words}")


def _line(element: etree._Element, head: _Head, n: int) -> BankLine:
    amount = child(element, "Amt")
    if amount is None:
        raise ValueError("it has no amount")
    currency = amount.get("Ccy", "")
    head.currency = head.currency or currency
    if currency != head.currency:
        raise ValueError(f"it is in {currency}, the account in {head.currency}")
    value = minor_of((amount.text or "").strip(), exponent(currency))
    direction = text(element, "CdtDbtInd")
    if direction not in ("CRDT", "DBIT"):
        raise ValueError(f"{direction!r} is neither credit nor debit")
    booked = _day(text(element, "BookgDt", "Dt") or text(element, "BookgDt", "DtTm"))
    if booked is None:
        raise ValueError("it has no booking date")
    details = child(element, "NtryDtls")
    told = [text(element, "AddtlNtryInf"), *texts(details, "Ustrd"), *texts(details, "Ref")]
    told += [*texts(details, "Nm"), *texts(details, "AddtlTxInf")]
    ends = [one for one in texts(details, "EndToEndId") if one != NOT_PROVIDED]
    ends += [text(element, "NtryRef")]
    code = child(element, "BkTxCd")
    words = [*texts(code, "Cd"), *texts(code, "SubFmlyCd")]
    return BankLine(
        line=text(element, "AcctSvcrRef"),
        statement=head.name,
        amount=-value if direction == "DBIT" else value,
        currency=currency,
        booked_on=booked,
        value_on=_day(text(element, "ValDt", "Dt") or text(element, "ValDt", "DtTm")),
        reference=" ".join(dict.fromkeys(one for one in ends if one))[:TEXT_MOST],
        text=" ".join(dict.fromkeys(one for one in told if one))[:TEXT_MOST],
        told="/".join(words),
        reversal=text(element, "RvslInd") == "true",
        n=n,
    )


def _statement(head: _Head, n: int) -> Told:
    if not head.name or not head.currency:
        return Broken(n, "the statement has no id, or neither account nor line tells its currency")
    return StatementTold(
        statement=head.name,
        account=head.account,
        currency=head.currency,
        opening=head.opening,
        closing=head.closing,
        lines=head.lines,
        credits=head.credits,
        debits=head.debits,
        first_day=head.first_day,
        last_day=head.last_day,
        copy=head.copy,
        n=n,
    )


def _forget(element: etree._Element) -> None:
    """Free what was read, and what stands before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _day(written: str) -> date | None:
    return datetime.fromisoformat(written).date() if written else None


def _unreadable(words: str) -> NeedsDecision:
    return NeedsDecision("settlement_unreadable", words, owner="integration")
