"""The sandbox ERP's rules of what may be told of a sales order after it: changes, cancels, goods.

A cancelled order ships nothing until a change opens it again; it is not cancelled while goods of
it are out; no more of a line comes back than went.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tillbridge.atoms.quantity import QuantityError, to_text, to_thousandths
from tillbridge.connectors.sandbox.erp_documents import Incoming, Refusal


def keep_order(document: Incoming, told: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Raises Refusal when a document contradicts what was told of its order; told: (kind, body),
    oldest first.
    """
    order = document.order_external_id
    states = [kind for kind, _ in told if kind in ("sales_order_change", "sales_order_cancel")]
    cancelled = bool(states) and states[-1] == "sales_order_cancel"
    out = _out(told)
    if document.kind == "delivery" and cancelled:
        raise Refusal("order_cancelled", f"sales order {order} is cancelled")
    if document.kind == "sales_order_cancel":
        if cancelled:
            raise Refusal("order_cancelled", f"sales order {order} is cancelled already")
        if any(out.values()):
            raise Refusal("goods_out", f"goods of sales order {order} are with the buyer")
    if document.kind == "customer_return":
        for line, quantity in _quantities(document.lines).items():
            if quantity > out.get(line, 0):
                words = f"line {line}: {to_text(quantity)} come back"
                raise Refusal("not_out", f"{words}, {to_text(out.get(line, 0))} went")


def _out(told: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, int]:
    """Thousandths per line that are with the buyer."""
    out: dict[str, int] = {}
    for kind, body in told:
        sign = {"delivery": 1, "customer_return": -1}.get(kind, 0)
        if sign:
            for line, quantity in _quantities(body["lines"]).items():
                out[line] = out.get(line, 0) + sign * quantity
    return out


def _quantities(lines: Sequence[Any]) -> dict[str, int]:
    """Thousandths per line; a line that cannot be read is refused where lines are examined."""
    found: dict[str, int] = {}
    for raw in lines:
        line = msgspec.json.decode(raw) if isinstance(raw, msgspec.Raw) else raw
        try:
            name, quantity = str(line["line"]), to_thousandths(line["quantity"])
        except (KeyError, TypeError, QuantityError):
            continue
        found[name] = found.get(name, 0) + quantity
    return found
