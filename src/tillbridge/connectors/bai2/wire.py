"""What a bank writes: the records of BAI2, their fields, their control totals.

Source: Cash Management Balance Reporting Specifications, version 2 (BAI), and ANSI X9.121 (BTRS),
which follows it. A record is a code of two digits, fields parted by commas and a slash at its end;
some banks leave the slash out and end the record with its line. 88 goes on with the record before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

FILE, GROUP, ACCOUNT, ENTRY = "01", "02", "03", "16"
CONTINUED, ACCOUNT_END, GROUP_END, FILE_END = "88", "49", "98", "99"
_RECORD = re.compile(r"(01|02|03|16|49|88|98|99)(?:,(.*))?", re.DOTALL)
OPENING, CLOSING, CREDITS, DEBITS = "010", "015", "100", "400"
# group status: 1 update, 2 deletion, 3 correction, 4 test only
NOT_COUNTED = {"2": "a deletion", "4": "a test"}
INTERIM = ("3", "4")
"""As-of modifiers of the same day; 1 and 2 are of the day before."""
_AMOUNT = re.compile(r"[+-]?\d+")
_COUNT = re.compile(r"\d{1,9}")


class Summary(msgspec.Struct, frozen=True):
    """A status or summary of an account: type code, amount as written, items, "" = not told."""

    code: str
    amount: str
    items: str


class Entry(msgspec.Struct, frozen=True):
    """A transaction as written. value: YYMMDD, "" = not told."""

    code: str
    amount: str
    value: str
    bank: str
    customer: str
    text: str


def is_statement(head: bytes) -> bool:
    """Whether the first record is a BAI2 file header."""
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
    return re.match(rb"01,[^,\n]{0,30},[^,\n]{0,30},\d{6},", first) is not None


def record(line: str) -> tuple[str, str] | None:
    """Code and fields of a line, None = it is no record."""
    found = _RECORD.fullmatch(line.rstrip().removesuffix("/"))
    return (found[1], found[2] or "") if found else None


def number(text: str) -> int:
    """A signed whole number; raises ValueError."""
    if not _AMOUNT.fullmatch(text) or len(text) > 18:
        raise ValueError(f"{text[:40]!r} is no amount")
    return int(text)


def count(text: str) -> int:
    """A number of records; raises ValueError."""
    if not _COUNT.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no number of records")
    return int(text)


def summaries(fields: list[str]) -> Iterator[Summary]:
    """The statuses of an account record, after number and currency; raises ValueError."""
    place = 0
    while place < len(fields):
        code, amount, items = [*fields[place : place + 3], "", ""][:3]
        after = _after_funds(fields, place + 3)
        if code:
            yield Summary(code, amount, items)
        elif amount:
            raise ValueError(f"an amount {amount[:20]!r} of no type")
        place = after


def entry(fields: list[str], goes_on: list[str]) -> Entry:
    """A transaction; raises ValueError. goes_on: its continuation records."""
    if len(fields) < 2:
        raise ValueError("a transaction without an amount")
    after = _after_funds(fields, 2)
    value = fields[3] if fields[2:3] == ["V"] and len(fields) > 3 else ""
    bank, customer, *text = [*fields[after:], "", ""]
    words = ",".join(text).strip(", ")
    return Entry(
        fields[0],
        fields[1],
        value,
        bank.strip(),
        customer.strip(),
        " ".join(filter(None, (words, *goes_on))),
    )


def _after_funds(fields: list[str], place: int) -> int:
    """Where the fields go on behind a funds type and what belongs to it."""
    kind = fields[place] if place < len(fields) else ""
    match kind:
        case "S":
            return place + 4
        case "V":
            return place + 3
        case "D":
            days = fields[place + 1] if place + 1 < len(fields) else ""
            return place + 2 + 2 * count(days)
        case "" | "0" | "1" | "2" | "Z":
            return place + 1
        case _:
            raise ValueError(f"{kind[:20]!r} is no type of funds")
