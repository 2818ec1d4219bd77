"""What a bank writes: the fields of MT940 and MT942, and how each is spelt.

Source: SWIFT category 9, MT940 and MT942 field specifications; where banks overflow the lengths
(references of 18 letters and more, details of seven lines) the overflow is taken.
"""

from __future__ import annotations

import re

import msgspec

# A line that begins with one of these tags is a field; any other goes on with the field before it.
FIELD = re.compile(
    r":(13D|20|21|25P?|28C?|34F|60[FM]|61|62[FM]|64|65|86|90[CD]|NS):(.*)", re.DOTALL
)
END = re.compile(r"-(?:\}.*|X{0,3})\s*")
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})(\d*,?\d*)\s*")
_LINE = re.compile(
    r"(?P<value>\d{6})(?P<entry>\d{4}|\s{4})?(?P<mark>R?[CD])[A-Z]?\s?(?P<amount>\d+,?\d*|,\d+)"
    r"(?![\d.,])"
    r"(?P<type>[A-Z][A-Z0-9 ]{3})?(?P<reference>.*?)(?://(?P<bank>.*))?"
)
_SUM = re.compile(r"(\d{1,5})([A-Z]{3})(\d*,?\d*)\s*")
_FLOOR = re.compile(r"([A-Z]{3})[CD]?\d*,?\d*\s*")
_STATEMENT = re.compile(rb"^:(?:28C?|60[FM]|61|34F):", re.MULTILINE)
_CODED = re.compile(r"(\d{3})\?")
_PART = re.compile(r"\?(\d\d)")
_END_TO_END = re.compile(
    r"(?:EREF\+|/EREF/)\s*(.+?)\s*(?=(?:MREF|CRED|DEBT|SVWZ|KREF|ABWA|ABWE|IBAN|BIC)\+|/[A-Z]{4}/|$)"
)
PART_LETTERS = 27
NOTHING = ("NONREF", "NOTPROVIDED", "")


class Balance(msgspec.Struct, frozen=True):
    """A balance as written: debit or credit, day as YYMMDD, currency, amount with a comma."""

    debit: bool
    day: str
    currency: str
    amount: str


class Entry(msgspec.Struct, frozen=True):
    """A statement line as written. value: YYMMDD; entry: MMDD or ""; mark: C, D, RC, RD."""

    value: str
    entry: str
    mark: str
    amount: str
    type: str
    reference: str
    bank: str


class Details(msgspec.Struct, frozen=True):
    """Information to the account owner, put together. code: business code of German banks."""

    code: str
    text: str
    end_to_end: str


def is_statement(head: bytes) -> bool:
    """Whether the first bytes hold the fields of a statement."""
    return b":20:" in head and b":25" in head and _STATEMENT.search(head) is not None


def balance(text: str) -> Balance:
    """A balance field; raises ValueError."""
    found = _BALANCE.fullmatch(text)
    if not found:
        raise ValueError(f"{text[:60]!r} is no balance")
    return Balance(found[1] == "D", found[2], found[3], found[4])


def entry(text: str) -> Entry:
    """The first line of a statement line; raises ValueError."""
    found = _LINE.fullmatch(text)
    if not found:
        raise ValueError(f"{text[:60]!r} is no statement line")
    return Entry(
        found["value"],
        (found["entry"] or "").strip(),
        found["mark"],
        found["amount"],
        found["type"] or "",
        found["reference"].strip(),
        (found["bank"] or "").strip(),
    )


def entries(text: str) -> tuple[int, str, str]:
    """Number, currency and sum of entries (MT942); raises ValueError."""
    found = _SUM.fullmatch(text)
    if not found:
        raise ValueError(f"{text[:60]!r} is no number and sum of entries")
    return int(found[1]), found[2], found[3]


def floor_currency(text: str) -> str:
    """Currency of a floor limit (MT942), "" = it cannot be read."""
    found = _FLOOR.fullmatch(text)
    return found[1] if found else ""


def details(lines: list[str]) -> Details:
    """Free text, or numbered parts as German banks write them: 20 to 29 and 60 to 63 the purpose,
    32 and 33 the other side, 00 what it is. Words cut at the end of a part are one again.
    """
    whole = "".join(lines)
    coded = _CODED.match(whole)
    if not coded:
        text = " ".join(" ".join(lines).split())
        return Details("", text, _end_to_end(text))
    parts = _PART.split(whole[coded.end() - 1 :])
    told = dict.fromkeys(("purpose", "name", "what"), "")
    for number, words in zip(parts[1::2], parts[2::2], strict=True):
        match number[0], number:
            case (_, "00"):
                told["what"] += words
            case (_, "32" | "33"):
                told["name"] += words
            case ("2" | "6", _):
                told["purpose"] += words if len(words) == PART_LETTERS else f"{words} "
            case _:
                pass
    text = " ".join(" ".join(words.split()) for words in told.values() if words.strip())
    return Details(coded[1], text, _end_to_end(told["purpose"]))


def _end_to_end(text: str) -> str:
    found = _END_TO_END.search(text)
    return "" if not found or found[1] in NOTHING else found[1]
