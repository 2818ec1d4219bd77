"""A mapping: what a retailer's own file looks like and which of its columns mean what.

Written as TOML (see README.md), loaded and checked by `loading.py`. Everything here is plain data.
"""

from __future__ import annotations

from collections.abc import Mapping as Table
from typing import Any

import msgspec

from tillbridge.canonical.orders import COLLECTORS, LINE_KINDS
from tillbridge.canonical.payments import CARD_TENDERS, TENDER_KINDS
from tillbridge.canonical.sales import FULFILS
from tillbridge.canonical.stock import CONDITIONS, PICK_FAILURES
from tillbridge.canonical.supply import ASKERS
from tillbridge.connectors.feed.meaning import RETURNS, Meaning

FORMATS = ("csv", "tsv", "jsonl", "fixed")
PAYMENT_KINDS = ("captured", "refunded", "authorized", "voided", "failed", "refund_failed")
CARD_EVENTS = ("issued", "redeemed", "adjusted", "expired")
# Encodings in which a broken byte can be told from a good one and put back unharmed.
ENCODINGS = (
    "ascii", "utf-8", "latin-1", "iso8859-2", "iso8859-9", "iso8859-15", "cp1250", "cp1251",
    "cp1252", "cp1253", "cp1254", "cp1257", "cp437", "cp850", "cp852", "cp037", "cp500", "cp1140",
)  # fmt: skip
EBCDIC = ("cp037", "cp500", "cp1140")


def _line(**more: Meaning) -> dict[str, Meaning]:
    """Fields of a line; one of list, net, gross must be mapped (loading.py sees to it)."""
    return {
        "product": Meaning("text"),
        "quantity": Meaning("quantity", required=True),
        "list": Meaning("amount"),
        "net": Meaning("amount"),
        "gross": Meaning("amount"),
        "discount": Meaning("amount"),
        "tax": Meaning("amount"),
        "tax_code": Meaning("text"),
        "tax_rate": Meaning("number"),
        "collector": Meaning("choice", choices=COLLECTORS),
        "unit": Meaning("text"),
        "kind": Meaning("choice", choices=LINE_KINDS),
        "title": Meaning("text"),
        "department": Meaning("text"),
        "promotion": Meaning("text"),
        **more,
    }


_SALE = {
    "head": {
        "location": Meaning("text", required=True),
        "till": Meaning("text", required=True),
        "sequence": Meaning("text", required=True),
        "day": Meaning("day", required=True),
        "time": Meaning("instant"),
        "currency": Meaning("text"),
        "total": Meaning("amount"),
        "receipt": Meaning("text"),
        "party": Meaning("text"),
        "country": Meaning("text"),
        "region": Meaning("text"),
        "postcode_area": Meaning("text"),
        "order": Meaning("text"),
        "source": Meaning("text"),
    },
    "line": _line(
        direction=Meaning("choice", choices=("sale", "return")),
        card=Meaning("text"),
        fulfil=Meaning("choice", choices=FULFILS),
        place=Meaning("text"),
        original=Meaning("text"),
        original_line=Meaning("text"),
    ),
    "tender": {
        "tender": Meaning("text", required=True),
        "kind": Meaning("choice", required=True, choices=TENDER_KINDS),
        "amount": Meaning("amount", required=True),
        "issuer": Meaning("choice", choices=("own", "other")),
        "card": Meaning("text"),
    },
    "tax": {
        "code": Meaning("text", required=True),
        "amount": Meaning("amount", required=True),
        "base": Meaning("amount"),
        "rate": Meaning("number"),
    },
}
_ORDER = {
    "head": {
        "number": Meaning("text", required=True),
        "placed_at": Meaning("instant", required=True),
        "version": Meaning("instant"),
        "channel": Meaning("text"),
        "currency": Meaning("text"),
        "total": Meaning("amount"),
        "paid": Meaning("amount"),
        "party": Meaning("text"),
        "country": Meaning("text"),
        "region": Meaning("text"),
        "postcode_area": Meaning("text"),
        "location": Meaning("text"),
        "collect_at": Meaning("text"),
        "tender": Meaning("text"),
        "test": Meaning("flag"),
    },
    "person": {
        name: Meaning("text")
        for name in (
            "name", "email", "phone", "company", "street", "street2", "city", "postcode",
            "region", "country",
        )
    },
    "line": _line(line=Meaning("text"), ships=Meaning("flag")),
}  # fmt: skip
_STOCK = {
    "row": {
        "product": Meaning("text", required=True),
        "location": Meaning("text", required=True),
        "quantity": Meaning("quantity", required=True),
        "counted_at": Meaning("instant"),
        "basis": Meaning("choice", choices=("on_hand", "available")),
        "condition": Meaning("choice", choices=CONDITIONS),
        "unit": Meaning("text"),
    }
}


def _goods(*required: str, line: tuple[str, ...] = (), **more: Meaning) -> dict[str, Any]:
    """A paper about goods: a numbered head with a time, and lines of products."""
    head = {name: Meaning("text", required=True) for name in ("number", *required)}
    pieces = {
        **{name: Meaning("text", required=True) for name in ("product", *line)},
        "quantity": Meaning("quantity", required=True),
        "unit": Meaning("text"),
        "condition": Meaning("choice", choices=CONDITIONS),
    }
    return {"head": {**head, "at": Meaning("instant", required=True), **more}, "line": pieces}


_PLACES = ("transfer", "origin", "destination")
_BEFORE = Meaning("choice", required=True, choices=CONDITIONS)
_ITEM = {
    "head": {
        "product": Meaning("text", required=True),
        "version": Meaning("text", required=True),
        "title": Meaning("text"),
        "unit": Meaning("text"),
        "step": Meaning("quantity"),
        "category": Meaning("text"),
        "sellable": Meaning("flag"),
    },
    "pack": {
        "unit": Meaning("text", required=True),
        "quantity": Meaning("quantity", required=True),
    },
    "component": {
        "product": Meaning("text", required=True),
        "quantity": Meaning("quantity", required=True),
    },
}
_TRANSFER = {
    "head": {
        **{name: Meaning("text", required=True) for name in (*_PLACES, "version")},
        "due_at": Meaning("instant"),
        "asked": Meaning("choice", choices=ASKERS),
        "cancelled": Meaning("flag"),
        "reason": Meaning("text"),
    },
    "line": {
        "product": Meaning("text", required=True),
        "quantity": Meaning("quantity", required=True),
        "unit": Meaning("text"),
    },
}
_PICK_FAILURE = {
    "head": {
        "number": Meaning("text", required=True),
        "order": Meaning("text", required=True),
        "source": Meaning("text"),
        "location": Meaning("text", required=True),
        "reason": Meaning("choice", required=True, choices=PICK_FAILURES),
        "at": Meaning("instant", required=True),
    },
    "line": {
        "line": Meaning("text", required=True),
        "quantity": Meaning("quantity"),
    },
}
_SUPPLY = {
    "head": {
        "supply": Meaning("text", required=True),
        "version": Meaning("text", required=True),
        "location": Meaning("text", required=True),
        "due_at": Meaning("instant", required=True),
        "closed": Meaning("flag"),
    },
    "line": {
        "product": Meaning("text", required=True),
        "quantity": Meaning("quantity", required=True),
        "unit": Meaning("text"),
    },
}
_PRODUCT = {
    "row": {
        "product": Meaning("text", required=True),
        "title": Meaning("text", required=True),
        "version": Meaning("text", required=True),
        "price": Meaning("amount"),
        "currency": Meaning("text"),
        "gtin": Meaning("text"),
        "unit": Meaning("text"),
        "department": Meaning("text"),
        "removed": Meaning("flag"),
    }
}
_PAYMENT = {
    "row": {
        "reference": Meaning("text", required=True),
        "tender": Meaning("text", required=True),
        "amount": Meaning("amount", required=True),
        "at": Meaning("instant", required=True),
        "currency": Meaning("text"),
        "order": Meaning("text"),
        "parent": Meaning("text"),
        "refund": Meaning("text"),
        "kind": Meaning("choice", choices=PAYMENT_KINDS),
        "intent": Meaning("text"),
        "until": Meaning("instant"),
        "card": Meaning("text"),
    }
}
_CARD = {
    "row": {
        **{name: Meaning("text", required=True) for name in ("reference", "card")},
        "event": Meaning("choice", required=True, choices=CARD_EVENTS),
        "amount": Meaning("amount", required=True),
        "at": Meaning("instant", required=True),
        "kind": Meaning("choice", choices=CARD_TENDERS),
        **{name: Meaning("text") for name in ("currency", "order", "tender", "reason")},
    }
}
# kind -> section -> field -> meaning
SCHEMA: dict[str, dict[str, dict[str, Meaning]]] = {
    "sale": _SALE,
    "order": _ORDER,
    "stock": _STOCK,
    "product": _PRODUCT,
    "payment": _PAYMENT,
    "card": _CARD,
    "item": _ITEM,
    "adjustment": _goods(line=("location",), reason=Meaning("text", required=True)),
    "condition": _goods(line=("location",), before=_BEFORE, reason=Meaning("text")),
    "receipt": _goods(line=("location",), supply=Meaning("text")),
    "transfer": _TRANSFER,
    "dispatch": _goods(*_PLACES, complete=Meaning("flag")),
    "arrival": _goods(*_PLACES, complete=Meaning("flag")),
    "supply": _SUPPLY,
    "pick_failure": _PICK_FAILURE,
    "returns": RETURNS,
}
KINDS = tuple(SCHEMA)
# sections that may stand several times ([[line]]); every kind needs those of NEEDED
REPEATED = ("line", "tender", "tax", "pack", "component")
ROWS = ("stock", "product", "payment", "card")
"""Kinds with one row for each; the rows of the others belong together by their identity."""
NEEDED = {
    **dict.fromkeys(ROWS, ("row",)),
    "sale": ("head", "line", "tender"),
    "item": ("head",),
    "order": ("head", "line"),
    "adjustment": ("head", "line"),
    "condition": ("head", "line"),
    "receipt": ("head", "line"),
    "transfer": ("head", "line"),
    "dispatch": ("head", "line"),
    "arrival": ("head", "line"),
    "supply": ("head", "line"),
    "pick_failure": ("head",),
    "returns": ("head",),
}


class Step(msgspec.Struct, frozen=True):
    """One named transform with its argument (None for those without)."""

    name: str
    argument: object = None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a field's text comes from: columns (or JMESPath paths), or a constant.

    join: text between several columns. default: what an empty value means (None = nothing).
    numbers: a JSON number is fine where a text is meant (ids that some systems write as numbers).
    """

    columns: tuple[str, ...] = ()
    constant: str | None = None
    join: str = ""
    steps: tuple[Step, ...] = ()
    default: str | None = None
    numbers: bool = False


class Condition(msgspec.Struct, frozen=True):
    """A row counts when its column holds one of the values."""

    column: str
    values: tuple[str, ...]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A section of the mapping: which rows it reads and where each field comes from.

    once: only the first row of a group. each: path to a list inside a JSON row, one part for each
    of its members. unless_empty: the field that makes the part vanish when it is empty or zero.
    """

    section: str
    fields: Table[str, Source]
    when: Condition | None = None
    once: bool = False
    each: str = ""
    unless_empty: str = ""


class Span(msgspec.Struct, frozen=True):
    """A column of a fixed-width row: name, first character (from 1), number of characters."""

    name: str
    start: int
    width: int


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """A control record: the row that says how many rows there are and what they sum up to.

    place: `first` or `last`. starts: the text its line begins with. count, sum: field number (from
    1), or a Span of a fixed-width row. of: the column summed, with its own steps.
    """

    place: str
    starts: str
    count: int | Span | None = None
    sum: int | Span | None = None
    sum_steps: tuple[Step, ...] = ()
    of: str = ""
    of_steps: tuple[Step, ...] = ()


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How the file is written."""

    format: str
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    header: bool = True
    skip: int = 0
    columns: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A whole mapping. version: stands in every fact as `feed/<version>`."""

    name: str
    kind: str
    layout: Layout
    parts: tuple[Part, ...]
    identity: tuple[str, ...] = ()
    version: int = 1
    control: Control | None = None

    def section(self, name: str) -> tuple[Part, ...]:
        """The parts of one section."""
        return tuple(part for part in self.parts if part.section == name)

    def columns_used(self) -> tuple[str, ...]:
        """Every column (or path of a row) that the mapping reads, in order, once."""
        used = dict.fromkeys(self.identity)
        for part in self.parts:
            if part.when is not None:
                used[part.when.column] = None
            for source in part.fields.values():
                if not part.each:
                    used.update(dict.fromkeys(source.columns))
        if self.control is not None and self.control.of:
            used[self.control.of] = None
        return tuple(used)
