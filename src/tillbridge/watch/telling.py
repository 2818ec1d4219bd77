"""One record of a story in a few words for people: what happened, to what, how much, where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tillbridge.atoms.money import to_text
from tillbridge.atoms.quantity import to_text as quantity_text
from tillbridge.canonical.cards import masked

Row = dict[str, Any]

# what every record carries, the story's page tells once, or only machines read
_EVERY_RECORD = ("key", "id", "source", "mapping", "occurred_at", "business_date", "entities")
_UNTOLD = frozenset(
    (*_EVERY_RECORD, "currency", "order", "version", "turn", "channel", "party", "locations")
)
_AMOUNTS = frozenset(("amount", "total", "net", "tax", "list", "discount", "price"))
_QUANTITIES = frozenset(("quantity", "wanted", "free"))


def said(record: Row) -> str:
    """The record's type and what of its body people ask for."""
    name, body = str(record["type"]), record["body"]
    tell = _TELLERS.get(name)
    words = tell(body) if tell is not None else _any(body)
    return f"{name} {words}".rstrip()


def _money(amount: int, body: Row) -> str:
    """An amount in the record's currency; in minor units when it names none."""
    currency = body.get("currency", "")
    return f"{to_text(amount, currency)} {currency}" if currency else f"{amount} minor units"


def _any(body: Row) -> str:
    """Every field that says something, in the order of the record; of a marker, where it was."""
    if "room" in body:
        return f"in {body['room']}"
    parts = []
    for name, value in body.items():
        if name in _UNTOLD or value is False or value in (None, "", [], {}):
            continue
        if name in _AMOUNTS and isinstance(value, int):
            parts.append(_money(value, body))
        elif name in _QUANTITIES and isinstance(value, int):
            parts.append(f"{name} {quantity_text(value)}")
        elif isinstance(value, list):
            parts += _list(name, value, body)
        elif isinstance(value, Mapping):
            continue
        elif name == "card":
            parts.append(f"card {masked(str(value))}")
        else:
            parts.append(name if value is True else f"{name} {value}")
    return ", ".join(parts)


def _list(name: str, rows: list[Any], body: Row) -> list[str]:
    if all(isinstance(row, Mapping) and "quantity" in row for row in rows):
        return [_goods(row) for row in rows]
    if all(isinstance(row, Mapping) and "amount" in row for row in rows):
        return [_part(row, body) for row in rows]
    if all(isinstance(row, str) for row in rows):
        return [f"{name} {', '.join(rows)}"]
    return [f"{len(rows)} {name}"]


def _goods(row: Mapping[str, Any]) -> str:
    what = row.get("product") or f"line {row.get('line', '')}"
    unit = f" {row['unit']}" if row.get("unit") else ""
    place = f" at {row['location']}" if row.get("location") else ""
    return f"{what} x {quantity_text(row['quantity'])}{unit}{place}"


def _part(row: Mapping[str, Any], body: Row) -> str:
    of = row.get("tender") or row.get("kind") or row.get("jurisdiction") or ""
    return f"{of} {_money(row['amount'], body)}".strip()


def _order(body: Row) -> str:
    order = body["order"]
    words = f"version {order['version']}: {len(order['lines'])} lines"
    words = f"{words}, {to_text(order['total'], order['currency'])} {order['currency']}"
    seen = order.get("presentment")
    if not seen:
        return words
    currency = seen["currency"]
    total, tax = to_text(seen["total"], currency), to_text(seen["tax"], currency)
    return f"{words}; the buyer saw {total} {currency}, {tax} of it tax"


def _sum_of_tenders(body: Row) -> str:
    return _money(sum(tender["amount"] for tender in body["tenders"]), body)


def _worth(body: Row) -> str:
    return f"{_money(sum(one['amount'] for one in body['goods']), body)} in the inventory"


def _value(body: Row) -> str:
    net = sum(line["list"] - line.get("discount", 0) for line in body["lines"])
    return _money(net + sum(tax["tax"] for tax in body.get("taxes", ())), body)


def _tax(body: Row) -> str:
    taxes = [tax["amount"] for line in body["lines"] for tax in line.get("taxes", ())]
    return f"{body['subject']}: {_money(sum(taxes), body)}"


def _accepted(body: Row) -> str:
    """With what was said to it, where somebody was asked for something."""
    said = [body[name] for name in ("answer", "words") if body.get(name)]
    return ": ".join([f"{body['kind']} {body['number']}", *said])


_TELLERS: Mapping[str, Callable[[Row], str]] = {
    "Received": lambda body: f"{body['topic']} from {body['connection']}",
    "OrderPlaced": _order,
    "OrderChanged": _order,
    "OrderCancelled": _order,
    "RefundIssued": lambda body: str(body["refund"]),
    "SubmitDocument": lambda body: f"{body['kind']} to {body.get('connection') or body['entity']}",
    "DocumentAccepted": _accepted,
    "DocumentRefused": lambda body: f"{body['kind']}: {body['words']}",
    "DepositReceived": _sum_of_tenders,
    "RefundPaid": _sum_of_tenders,
    "CostMoved": _worth,
    "SaleRecognised": _value,
    "SaleReversed": _value,
    "TaxAsked": lambda body: f"{body['subject']} to be {body['goal']} by {body['service']}",
    "TaxCalculated": _tax,
    "TaxRefused": lambda body: f"{body['subject']}: {body['words']}",
    "EntryPosted": lambda body: str(body["entry"]),
}
