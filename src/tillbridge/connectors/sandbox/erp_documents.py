"""The sandbox ERP's own idea of documents: their shape, its rules, and the move each one books.

Amounts are decimal strings of the document's currency, quantities decimal strings. What breaks a
rule raises Refusal with words a person over there would see.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from tillbridge.atoms.money import MoneyError, to_minor, to_text
from tillbridge.atoms.quantity import QuantityError, to_thousandths

# kind -> prefix of its numbers
PREFIXES = {
    "sales_order": "SO",
    "sales_order_change": "SOC",
    "sales_order_cancel": "SOX",
    "delivery": "DEL",
    "customer_return": "RET",
    "stock_move": "TRF",
    "invoice": "INV",
    "credit_note": "CN",
    "journal": "JRN",
    "purchase_proposal": "PP",
}
# kinds about an order, which has to be there
OF_ORDERS = ("sales_order_change", "sales_order_cancel", "delivery", "customer_return")
TRANSIT = "TRANSIT"
"""Where goods stand that are on the way; as a location's code."""


class Refusal(Exception):
    """The ERP says no to one document; nothing of it was applied."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the ERP knows and enforces; changed over the control endpoint.

    products: known codes, None = all. unknown_products: refused in any case. closed_through: last
    day of the closed periods. unique_external_ids: native idempotency, off as with most ERPs.
    require_orders: an invoice must name a sales order that is there. requests_per_second, burst,
    concurrent: limits. latency_seconds: how long a call takes at least.
    """

    products: tuple[str, ...] | None = None
    unknown_products: tuple[str, ...] = ()
    closed_through: date | None = None
    unique_external_ids: bool = False
    require_orders: bool = False
    requests_per_second: float = 100.0
    burst: float = 200.0
    concurrent: int = 16
    batch_max: int = 20
    latency_seconds: float = 0.0


class TaxAmount(msgspec.Struct, frozen=True):
    """A tax of a line."""

    code: str
    amount: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order, invoice or credit note; amount without tax."""

    line: str
    type: str
    quantity: str
    amount: str
    product: str = ""
    description: str = ""
    taxes: tuple[TaxAmount, ...] = ()


class GoodsLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a delivery, customer return or stock move."""

    line: str
    quantity: str
    product: str
    description: str = ""


class AccountLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a journal."""

    account: str
    debit: str = "0"
    credit: str = "0"
    item: str = ""


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A document as the API takes it; `lines` are read by kind.

    moves_goods: whether an invoice takes its goods out of the location's stock. destination: of a
    stock move from `location`; "" on either side = outside of the house. paid_from: the account an
    invoice or credit note is paid from as soon as it is booked.
    """

    kind: str
    external_id: str
    company: str
    currency: str
    date: date
    lines: list[msgspec.Raw]
    total: str = "0"
    number_at_customer: str = ""
    channel: str = ""
    location: str = ""
    customer: str = ""
    customer_name: str = ""
    order_external_id: str = ""
    narration: str = ""
    entries: int = 1
    moves_goods: bool = True
    destination: str = ""
    paid_from: str = ""


class MoveLine(msgspec.Struct, frozen=True):
    """A line of the ERP's own ledger: account, signed minor units (debit positive)."""

    account: str
    amount: int
    item: str = ""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A document that keeps every rule, ready to be stored.

    total: minor units. move: what it books ("" moves none: sales orders). move_total: sum of the
    receivable (invoice, credit note) or of the debits (journal), minor units, positive. goods: what
    it moves, (location, product, signed thousandths).
    """

    incoming: Incoming
    total: int
    move: tuple[MoveLine, ...] = ()
    move_total: int = 0
    goods: tuple[tuple[str, str, int], ...] = ()


def examine(document: Incoming, rules: Rules) -> Ready:
    """The document with its totals and its move; raises Refusal."""
    if document.kind not in PREFIXES:
        raise Refusal("kind", f"there are no documents of kind {document.kind!r}")
    if not document.external_id:
        raise Refusal("external_id", "a document needs an external id")
    if not document.lines and document.kind != "sales_order_cancel":
        raise Refusal("empty", f"{document.kind} {document.external_id} has no lines")
    if rules.closed_through is not None and document.date <= rules.closed_through:
        raise Refusal(
            "period_closed",
            f"the period of {document.date} is closed (through {rules.closed_through})",
        )
    try:
        if document.kind == "journal":
            return _journal(document)
        if document.kind == "sales_order_cancel":
            return Ready(incoming=document, total=0)
        if document.kind in ("delivery", "customer_return", "stock_move"):
            return _goods(document, rules)
        return _trade(document, rules)
    except (MoneyError, QuantityError) as problem:
        raise Refusal("amount", str(problem)) from None
    except msgspec.ValidationError as problem:
        raise Refusal("shape", f"a line cannot be read: {problem}") from None


def _journal(document: Incoming) -> Ready:
    lines = [msgspec.json.decode(raw, type=AccountLine) for raw in document.lines]
    move, debited, credited = [], 0, 0
    for line in lines:
        debit = to_minor(line.debit, document.currency)
        credit = to_minor(line.credit, document.currency)
        if debit < 0 or credit < 0 or (debit and credit):
            raise Refusal("sides", f"account {line.account} needs one side, and no minus")
        debited += debit
        credited += credit
        move.append(MoveLine(line.account, debit - credit, line.item))
    if debited != credited:
        raise Refusal(
            "unbalanced",
            f"journal {document.external_id} is not balanced: debits "
            f"{_text(debited, document)}, credits {_text(credited, document)}",
        )
    return Ready(incoming=document, total=debited, move=tuple(move), move_total=debited)


def _trade(document: Incoming, rules: Rules) -> Ready:
    lines = [msgspec.json.decode(raw, type=Line) for raw in document.lines]
    for line in lines:
        to_thousandths(line.quantity)
        _know_product(line.product, rules)
    total = to_minor(document.total, document.currency)
    nets = [to_minor(line.amount, document.currency) for line in lines]
    taxes = [
        (tax.code, to_minor(tax.amount, document.currency)) for line in lines for tax in line.taxes
    ]
    added = sum(nets) + sum(amount for _, amount in taxes)
    if added != total:
        raise Refusal(
            "total",
            f"the lines of {document.kind} {document.external_id} add up to "
            f"{_text(added, document)}, its total says {_text(total, document)}",
        )
    if document.kind in ("sales_order", "sales_order_change", "purchase_proposal"):
        return Ready(incoming=document, total=total)
    sign = 1 if document.kind == "invoice" else -1
    move = _trade_move(document, lines, nets, taxes, sign * total, sign)
    goods = [
        (document.location, line.product, -to_thousandths(line.quantity))
        for line in lines
        if document.kind == "invoice" and line.type == "goods" and line.product
    ]
    return Ready(
        incoming=document,
        total=total,
        move=move,
        move_total=total,
        goods=tuple(goods if document.location and document.moves_goods else ()),
    )


def _goods(document: Incoming, rules: Rules) -> Ready:
    """What a delivery takes, a customer return brings, a stock move carries."""
    ends = {
        "delivery": (document.location, ""),
        "customer_return": ("", document.location),
        "stock_move": (document.location, document.destination),
    }[document.kind]
    if not any(ends):
        raise Refusal("location", f"{document.kind} {document.external_id} names no location")
    goods: list[tuple[str, str, int]] = []
    for raw in document.lines:
        line = msgspec.json.decode(raw, type=GoodsLine)
        quantity = to_thousandths(line.quantity)
        if quantity <= 0:
            raise Refusal("quantity", f"{line.product}: a quantity of goods is more than nothing")
        _know_product(line.product, rules)
        for place, sign in zip(ends, (-1, 1), strict=True):
            if place:
                goods.append((place, line.product, sign * quantity))
    return Ready(incoming=document, total=0, goods=tuple(goods))


def _trade_move(
    document: Incoming,
    lines: Sequence[Line],
    nets: Sequence[int],
    taxes: Sequence[tuple[str, int]],
    receivable: int,
    sign: int,
) -> tuple[MoveLine, ...]:
    item = document.order_external_id
    move = [MoveLine("receivable", receivable, item)]
    move += [
        MoveLine(f"revenue/{line.type}", -sign * net)
        for line, net in zip(lines, nets, strict=True)
        if net
    ]
    move += [MoveLine(f"tax/{code}", -sign * amount) for code, amount in taxes if amount]
    if document.paid_from:
        move.append(MoveLine("receivable", -receivable, item))
        move.append(MoveLine(document.paid_from, receivable, item))
    return tuple(move)


def _know_product(product: str, rules: Rules) -> None:
    known = not product or rules.products is None or product in rules.products
    if not known or product in rules.unknown_products:
        raise Refusal("product_unknown", f"product {product} is unknown")


def _text(minor: int, document: Incoming) -> str:
    return f"{to_text(minor, document.currency)} {document.currency}"
