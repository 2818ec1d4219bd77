"""Fields of what a till does beside selling."""

from __future__ import annotations

from tillbridge.canonical.sales import CASH_KINDS, NOTED_KINDS
from tillbridge.connectors.feed.meaning import Meaning

_TILL = {
    "location": Meaning("text", required=True),
    "till": Meaning("text", required=True),
    "sequence": Meaning("text", required=True),
    "day": Meaning("day", required=True),
    "time": Meaning("instant"),
}
_CASH_MOVEMENT = {
    "head": {
        **_TILL,
        "kind": Meaning("choice", required=True, choices=CASH_KINDS),
        "tender": Meaning("text", required=True),
        "amount": Meaning("amount", required=True),
        "currency": Meaning("text"),
        "reason": Meaning("text"),
    }
}
_TILL_CLOSE = {
    "head": {**_TILL, "currency": Meaning("text")},
    "count": {
        "tender": Meaning("text", required=True),
        "counted": Meaning("amount", required=True),
        "expected": Meaning("amount"),
    },
}
_TILL_EVENT = {
    "head": {
        **_TILL,
        "kind": Meaning("choice", required=True, choices=NOTED_KINDS),
        "voided": Meaning("text"),
    }
}
TILL_SCHEMA = {
    "cash_movement": _CASH_MOVEMENT,
    "till_close": _TILL_CLOSE,
    "till_event": _TILL_EVENT,
}
TILL_KINDS = ("sale", *TILL_SCHEMA)
"""Kinds that stand in a till's sequence: their identity is one, `sale/...`."""
