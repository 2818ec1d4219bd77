"""What happens at a till beside selling: cash moved, drawers counted, people signing on.

Read strictly from ControlTransaction and TenderControlTransaction. Tills name these things in many
ways; the words are matched, the amounts are read like any other.
"""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

from tillbridge.connectors.poslog.fields import Children, Element, attribute, local
from tillbridge.contract.wire import WireError

# kinds of TillNoted and CashMoved by what element names and type codes say; the first that matches
_ACTIONS = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("sign_on", r"sign-?on|log-?on|login"),
        ("sign_off", r"sign-?off|log-?off|logout"),
        ("no_sale", r"no-?sale|draweropen|opendrawer"),
        ("paid_in", r"paid-?in|pay-?in"),
        ("paid_out", r"paid-?out|pay-?out|disbursement"),
        ("loan", r"loan|float"),
        ("pickup", r"pick-?up"),
        (
            "closed",
            r"settle|reconcil|tillcount|businesseod|^eod$|endofday|(?:till|store|shift|day)close",
        ),
        ("deposit", r"deposit|bankdrop"),
        ("open", r"businesssod|^sod$|startofday|(?:till|store|shift|day|workstation)open"),
        ("training", r"training"),
    )
)
CASH_KINDS = ("loan", "pickup", "paid_in", "paid_out", "deposit")
_NOT_ACTIONS = frozenset({"ReasonCode", "SequenceNumber", "TillID", "Amount", "Tender", "Reason"})
_ROWS = frozenset({"Tender", "TenderSummary", "TenderTotal", "TenderCount"})
_COUNTED = ("CountedAmount", "Counted", "ActualAmount", "Actual", "Ending")
_EXPECTED = ("ExpectedAmount", "Expected", "SystemAmount", "System")


class Movement(msgspec.Struct, frozen=True):
    """Cash of one tender, positive as written."""

    tender_type: str
    tender_id: str
    amount: Decimal


class Count(msgspec.Struct, frozen=True):
    """Counted and expected amount of one tender, None where not told."""

    tender_type: str
    tender_id: str
    counted: Decimal | None
    expected: Decimal | None


class Action(msgspec.Struct, frozen=True):
    """What a control transaction is about. kind: see _ACTIONS, `control` for anything else."""

    kind: str
    name: str
    reason: str
    movements: tuple[Movement, ...]
    counts: tuple[Count, ...]


def action_of(body: Element) -> Action:
    """The one action of a control transaction; raises WireError for no amount where one is due."""
    kind, name, element = _find(body)
    movements: tuple[Movement, ...] = ()
    counts: tuple[Count, ...] = ()
    if kind in CASH_KINDS:
        movements = tuple(_movements(element, name))
        if not movements and element is not body:
            movements = tuple(_movements(body, name))
        if not movements:
            raise WireError(f"{name} tells no amount")
    elif kind == "closed":
        rows = [each for each in element.iter() if local(each.tag) in _ROWS]
        counts = tuple(_count(each) for each in rows)
    told = Children(element, name)
    return Action(
        kind=kind,
        name=name,
        reason=told.text("Reason", "ReasonCode") or Children(body, name).text("ReasonCode"),
        movements=movements,
        counts=counts,
    )


def has_amounts(body: Element) -> bool:
    """Whether any amount other than zero stands in it."""
    for each in body.iter():
        if local(each.tag).endswith("Amount") and not len(each):
            digits = (each.text or "").strip(" +-0.\n\t")
            if digits:
                return True
    return False


def _find(body: Element) -> tuple[str, str, Element]:
    """Kind, name and element of the action: by the children, else by the type code."""
    for child in body:
        name = local(child.tag)
        if name in _NOT_ACTIONS:
            continue
        kind = _kind(name)
        if kind:
            return kind, name, child
    code = attribute(body, "TypeCode") or attribute(body, "TransactionType")
    return _kind(code) or "control", code or local(body.tag), body


def _kind(name: str) -> str:
    for kind, pattern in _ACTIONS:
        if name and pattern.search(name):
            return kind
    return ""


def _movements(element: Element, name: str) -> list[Movement]:
    """One per Tender inside, else the amount of the action itself."""
    rows = [each for each in element.iter() if local(each.tag) in _ROWS]
    found = []
    for row in rows or [element]:
        told = Children(row, name)
        value = told.amount("Amount", "TotalAmount")
        if value is None:
            continue
        kind, identifier = _tender(row)
        found.append(Movement(kind, identifier, value))
    return found


def _tender(row: Element) -> tuple[str, str]:
    told = Children(row, "Tender")
    kind = attribute(row, "TenderType") or told.text("TenderType")
    return kind or "Cash", told.text("TenderID") or attribute(row, "TenderID")


def _count(row: Element) -> Count:
    told = Children(row, local(row.tag))
    counted = _either(told, _COUNTED)
    expected = _either(told, _EXPECTED)
    if counted is None:
        counted = told.amount("Amount")
    over, short = _either(told, ("Over",)), _either(told, ("Short",))
    if expected is None and counted is not None and (over is not None or short is not None):
        expected = counted - abs(over or Decimal(0)) + abs(short or Decimal(0))
    kind, identifier = _tender(row)
    return Count(kind, identifier, counted, expected)


def _either(told: Children, names: tuple[str, ...]) -> Decimal | None:
    """An amount that stands as text or in an Amount inside."""
    for name in names:
        for each in told.all(name):
            if len(each):
                return Children(each, name).amount("Amount")
            return told.amount(name)
    return None
