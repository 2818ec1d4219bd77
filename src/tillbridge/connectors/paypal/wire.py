"""What PayPal writes: records and columns of the settlement report, and its transaction codes.

Sources: developer.paypal.com/docs/reports/sftp-reports/settlement-report and .../reference/tcodes.
A record begins with its type. Amounts are whole numbers without a sign; CR or DR beside them says
which way they went.
"""

from __future__ import annotations

import re

import msgspec

REPORT, FILE, SECTION, COLUMNS, BODY = "RH", "FH", "SH", "CH", "SB"
SECTION_END, SECTION_COUNT = "SF", "SC"
REPORT_END, REPORT_COUNT, FILE_END = "RF", "RC", "FF"
RECORDS = (
    REPORT, FILE, SECTION, COLUMNS, BODY, SECTION_END, SECTION_COUNT, REPORT_END, REPORT_COUNT,
    FILE_END,
)  # fmt: skip
WANTED = (
    "transaction id", "transaction event code", "transaction debit or credit",
    "gross transaction amount", "gross transaction currency", "fee debit or credit", "fee amount",
)  # fmt: skip
ALSO = ("paypal reference id", "transaction completion date", "fee currency")
OTHERS = ("transactional status", "transaction status")
"""Columns of the transaction detail report, which has the same records and other rows."""

# code -> settlement line type; two letters of it where a whole group means one
CODES = {
    "T0001": "unknown",  # a mass payment: we paid somebody
    "T0008": "shipping_label",
    "T1101": "payout_failed",
    "T1104": "topup",
    "T1105": "reserve",
    "T1106": "chargeback",
    "T1107": "refund",
    "T1108": "fee",
    "T1109": "fee",
    "T1110": "reserve",
    "T1111": "reserve",
    "T1200": "adjustment",
    "T1201": "chargeback",
    "T1202": "chargeback_reversed",
    "T1203": "adjustment",
    "T1205": "reimbursement",
    "T1207": "chargeback",
    "T1208": "chargeback_reversed",
}
GROUPS = {
    "T00": "sale",
    "T01": "fee",
    "T02": "fx",
    "T03": "topup",
    "T04": "payout",
    "T07": "topup",
    "T15": "reserve",
    "T17": "payout",
    "T19": "adjustment",
    "T20": "transfer",
    "T21": "reserve",
}
UNKNOWN = "unknown"
_AMOUNT = re.compile(r"\d{1,17}")
_HEAD = re.compile(rb'\s*"?RH"?\s*[,\t;|]')


class Footer(msgspec.Struct, frozen=True):
    """The end of a section in one currency, as written. balances: beginning and ending, in pairs of
    direction and amount; () = it has none.
    """

    currency: str
    credits: str
    debits: str
    fee_credits: str
    fee_debits: str
    balances: tuple[tuple[str, str], ...]


def is_report(head: bytes) -> bool:
    """Whether the first bytes are those of a settlement report."""
    if not _HEAD.match(head.removeprefix(b"\xef\xbb\xbf")):
        return False
    plain = " ".join(head.decode("utf-8", "replace").lower().split())
    if "transaction event code" not in plain:
        return '"sh"' in plain or '"sf"' in plain
    return "gross transaction amount" in plain and not any(one in plain for one in OTHERS)


def type_of(code: str, direction: str) -> str:
    """The type of a transaction. A payment that went out is none of ours."""
    found = CODES.get(code) or GROUPS.get(code[:3], UNKNOWN)
    return UNKNOWN if found == "sale" and direction != "CR" else found


def number(text: str) -> int:
    """An amount without a sign; raises ValueError. "" is nothing."""
    if text and not _AMOUNT.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no amount: whole numbers without a sign are")
    return int(text or "0")


def signed(text: str, direction: str) -> int:
    """An amount with its direction: CR is positive; raises ValueError."""
    amount = number(text)
    if direction not in ("CR", "DR") and (amount or direction):
        raise ValueError(f"{direction[:20]!r} is neither CR nor DR")
    return -amount if direction == "DR" else amount


def footer(cells: list[str]) -> Footer:
    """A section's footer; raises ValueError. cells: without the record's type."""
    if len(cells) < 5:
        raise ValueError("the footer has no totals")
    pairs = []
    for place in range(5, len(cells) - 1, 2):
        if cells[place] not in ("CR", "DR"):
            break
        pairs.append((cells[place], cells[place + 1]))
    credits_, debits, fee_credits, fee_debits = cells[1:5]
    balances = tuple(pairs[:2]) if len(pairs) > 1 else ()
    return Footer(cells[0].upper(), credits_, debits, fee_credits, fee_debits, balances)
