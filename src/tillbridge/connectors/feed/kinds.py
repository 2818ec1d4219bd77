"""The kinds of files a feed reads, and the fields of each: what a mapping may map. Plain data."""

from __future__ import annotations

from typing import Any

from tillbridge.canonical.orders import COLLECTORS, LINE_KINDS
from tillbridge.canonical.payments import CARD_TENDERS, TENDER_KINDS
from tillbridge.canonical.returns import DISPOSITIONS
from tillbridge.canonical.sales import FULFILS
from tillbridge.canonical.settlement import LINE_TYPES, PAYOUT_STATES
from tillbridge.canonical.stock import CONDITIONS, PICK_FAILURES
from tillbridge.canonical.supply import ASKERS
from tillbridge.connectors.feed.meaning import Meaning
from tillbridge.connectors.feed.till_fields import TILL_SCHEMA

FULFILMENT_STATES = (
    "open", "allocated", "picked", "packed", "ready", "expired", "shipped", "collected",
    "delivered", "failed", "cancelled",
)  # fmt: skip
PAYMENT_KINDS = ("captured", "refunded", "authorized", "voided", "failed", "refund_failed")
RETURN_STATES = ("authorized", "cancelled", "received", "inspected")
CARD_EVENTS = ("issued", "redeemed", "adjusted", "expired")


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
        "replaces": Meaning("text"),
        "payment_days": Meaning("quantity"),
        "cancelled_at": Meaning("instant"),
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
_FULFILMENT = {
    "head": {
        "number": Meaning("text", required=True),
        "order": Meaning("text", required=True),
        "state": Meaning("choice", required=True, choices=FULFILMENT_STATES),
        "at": Meaning("instant", required=True),
        "source": Meaning("text"),
        "version": Meaning("instant"),
        "location": Meaning("text"),
        "carrier": Meaning("text"),
        "tracking": Meaning("text"),
    },
    "line": {
        "line": Meaning("text", required=True),
        "quantity": Meaning("quantity", required=True),
        "product": Meaning("text"),
    },
}
_SUBSTITUTION = {
    "row": {
        "number": Meaning("text", required=True),
        "order": Meaning("text", required=True),
        "line": Meaning("text", required=True),
        "product": Meaning("text", required=True),
        "quantity": Meaning("quantity", required=True),
        "at": Meaning("instant", required=True),
        "source": Meaning("text"),
        "version": Meaning("instant"),
        "location": Meaning("text"),
        "currency": Meaning("text"),
        "net": Meaning("amount"),
    }
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
_PURCHASE = {
    "head": {
        **_SUPPLY["head"],
        "supplier": Meaning("text", required=True),
        "proposal": Meaning("text"),
    },
    "line": {**_SUPPLY["line"], "due_at": Meaning("instant")},
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
        **{name: Meaning("text") for name in ("by", "approved_by")},
    }
}
_COST = {
    "row": {
        "product": Meaning("text", required=True),
        "cost": Meaning("number", required=True),
        "since": Meaning("day", required=True),
        "currency": Meaning("text"),
        "at": Meaning("instant"),
    }
}
_RETURNS = {
    "head": {
        "number": Meaning("text", required=True),
        "order": Meaning("text", required=True),
        "source": Meaning("text"),
        "state": Meaning("choice", required=True, choices=RETURN_STATES),
        "at": Meaning("instant", required=True),
        "location": Meaning("text"),
        "receipt": Meaning("text"),
        "until": Meaning("day"),
        "reason": Meaning("text"),
    },
    "line": {
        "line": Meaning("text"),
        "product": Meaning("text"),
        "quantity": Meaning("quantity", required=True),
        "disposition": Meaning("choice", choices=DISPOSITIONS),
        "reason": Meaning("text"),
    },
}
_SETTLEMENT = {
    "row": {
        "payout": Meaning("text", required=True),
        "type": Meaning("choice", required=True, choices=LINE_TYPES),
        "gross": Meaning("amount"),
        "fee": Meaning("amount"),
        "net": Meaning("amount"),
        "at": Meaning("instant"),
        **{
            name: Meaning("text")
            for name in ("currency", "line", "told", "reference", "parent", "order", "tender")
        },
    },
    "total": {
        "payout": Meaning("text", required=True),
        "amount": Meaning("amount", required=True),
        "currency": Meaning("text"),
        "paid_on": Meaning("day"),
        "state": Meaning("choice", choices=("", *PAYOUT_STATES)),
        "bank_reference": Meaning("text"),
    },
}
# kind -> section -> field -> meaning
SCHEMA: dict[str, dict[str, dict[str, Meaning]]] = {
    "sale": _SALE,
    "order": _ORDER,
    "stock": _STOCK,
    "product": _PRODUCT,
    "payment": _PAYMENT,
    "card": _CARD,
    "cost": _COST,
    "item": _ITEM,
    "adjustment": _goods(line=("location",), reason=Meaning("text", required=True)),
    "condition": _goods(line=("location",), before=_BEFORE, reason=Meaning("text")),
    "receipt": _goods(line=("location",), supply=Meaning("text"), complete=Meaning("flag")),
    "transfer": _TRANSFER,
    "dispatch": _goods(*_PLACES, complete=Meaning("flag")),
    "arrival": _goods(*_PLACES, complete=Meaning("flag")),
    "supply": _SUPPLY,
    "purchase": _PURCHASE,
    "pick_failure": _PICK_FAILURE,
    "returns": _RETURNS,
    **TILL_SCHEMA,
    "fulfilment": _FULFILMENT,
    "substitution": _SUBSTITUTION,
    "settlement": _SETTLEMENT,
}
KINDS = tuple(SCHEMA)
# sections that may stand several times ([[line]]); every kind needs those of NEEDED
REPEATED = ("line", "tender", "tax", "pack", "component", "count")
ROWS = ("stock", "product", "payment", "card", "cost", "substitution", "settlement")
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
    "purchase": ("head", "line"),
    "pick_failure": ("head",),
    "returns": ("head",),
    **dict.fromkeys(TILL_SCHEMA, ("head",)),
    "fulfilment": ("head",),
}
