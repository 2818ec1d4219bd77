"""Invoices and credit notes: the papers that carry what was earned or taken back. Pure.

Every step of value is told, also one that sums to nothing: free goods that left, or value that went
from one line, tax or product to another. So the papers of a line sum to what is booked of it.
"""

from __future__ import annotations

import msgspec

from tillbridge.canonical.documents import (
    CreditNoteDocument,
    DocumentLine,
    InvoiceDocument,
    SubmitDocument,
)
from tillbridge.canonical.orders import Order
from tillbridge.canonical.registry import Body
from tillbridge.orchestration.orders.on_account import is_on_account, issued, ours
from tillbridge.orchestration.orders.state import GONE, GOODS, DocumentSeen, LineValue, OrderState
from tillbridge.orchestration.orders.stock import SUPPLIED
from tillbridge.orchestration.orders.substitution import whole_substitute
from tillbridge.orchestration.orders.value import SEP, line_of, minus
from tillbridge.orchestration.orders.valuing import When
from tillbridge.orchestration.policies import ChannelPolicy

DEPOSITS = "customer-deposits"
"""Where the chart keeps what buyers paid; an invoice that is paid by the hub is paid from there."""
_OURS = f"{SEP}seller"

Values = dict[str, LineValue]


class Row(msgspec.Struct, frozen=True):
    """A step of value as papers tell it: of which line, under which product."""

    line: str
    product: str
    value: LineValue


def named(
    state: OrderState,
    policy: ChannelPolicy,
    target: Values,
    booked: Values,
    steps: list[tuple[str, LineValue]],
    *,
    back: bool = False,
) -> list[Row]:
    """The steps with their products. What stands on papers under another product than its line has
    by now leaves whole under that one; a line that is gone keeps the product it was told with.

    back: of what was taken back, whose keys name the refund.
    """
    if not _written(state, policy):
        return []
    changed = _changed(state, target, booked, back=back) if state.invoiced else {}
    rows = []
    for key, product in changed.items():
        rows.append(Row(line_of(key), state.invoiced[key], opposite(booked[key])))
        rows.append(Row(line_of(key), product, target[key]))
        state.invoiced[key] = product
    for key, value in steps:
        if key not in changed:
            product = _product(state, key, back=back) or state.invoiced.get(key, "")
            rows.append(Row(line_of(key), product, value))
            if product:
                state.invoiced[key] = product
    return rows


def _changed(state: OrderState, target: Values, booked: Values, *, back: bool) -> dict[str, str]:
    """Products by key where it is another one than papers say."""
    found = {}
    for key in booked.keys() & target.keys() & state.invoiced.keys():
        product = _product(state, key, back=back)
        if product not in ("", state.invoiced[key]):
            found[key] = product
    return dict(sorted(found.items()))


def _product(state: OrderState, key: str, *, back: bool) -> str:
    """The product a key is about: a substitute that it names or that served the whole line, else
    what was ordered; "" when the order has no such line any more.
    """
    *before, name = key.split(SEP)
    product = before[2:] if back else before
    if product and product[0]:
        return product[0]
    line = state.line(name)
    return "" if line is None else whole_substitute(state, line) or line.product


def opposite(value: LineValue) -> LineValue:
    """The value with its signs turned, where it was booked."""
    return msgspec.structs.replace(
        value,
        quantity=-value.quantity,
        list=-value.list,
        discount=-value.discount,
        taxes={key: -amount for key, amount in value.taxes.items()},
    )


def _told(policy: ChannelPolicy) -> bool:
    """Whether the ERP books sales by the hub's papers."""
    return bool(policy.erp) and policy.gl == "documents"


def _written(state: OrderState, policy: ChannelPolicy) -> bool:
    """Whether anybody has invoices of it: the ERP, or the buyer who pays by them."""
    return _told(policy) or is_on_account(state)


def _joined(rows: list[Row]) -> list[Row]:
    """One row for what papers do not tell apart: they know of no departments and promotions."""
    found: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        where = (row.line, row.product, row.value.kind)
        known = found.get(where)
        value = row.value if known is None else minus(known.value, opposite(row.value))
        found[where] = row if known is None else msgspec.structs.replace(row, value=value)
    return list(found.values())


def _charged(row: Row) -> Row:
    """Without the tax that a marketplace collects and remits: it is neither ours nor owed to us."""
    taxes = row.value.taxes
    if all(key.endswith(_OURS) for key in taxes):
        return row
    ours = {key: amount for key, amount in taxes.items() if key.endswith(_OURS)}
    return msgspec.structs.replace(row, value=msgspec.structs.replace(row.value, taxes=ours))


def _says(value: LineValue) -> bool:
    goods = value.quantity if value.kind == GOODS else 0
    return bool(goods or value.list != value.discount or any(value.taxes.values()))


def charge(
    state: OrderState, order: Order, policy: ChannelPolicy, when: When, rows: list[Row]
) -> list[Body]:
    """The invoice (or credit note, when the sum is negative) for a step: where the ERP books it,
    and where the buyer owes it.
    """
    if not rows or not _written(state, policy):
        return []
    rows = [row for row in map(_charged, _joined(rows)) if _says(row.value)]
    if not rows:
        return []
    total = sum(r.value.list - r.value.discount + sum(r.value.taxes.values()) for r in rows)
    sign = -1 if (total or sum(row.value.quantity for row in rows)) < 0 else 1
    titles = {line.line: line.title for line in order.lines}
    lines = tuple(
        DocumentLine(
            line=row.line,
            kind=row.value.kind,
            product=row.product,
            quantity=sign * row.value.quantity,
            net=sign * (row.value.list - row.value.discount),
            taxes=tuple(
                (tax.split(SEP)[0], sign * amount)
                for tax, amount in sorted(row.value.taxes.items())
            ),
            title=titles.get(row.line, ""),
        )
        for row in rows
    )
    kind = "invoice" if sign > 0 else "credit_note"
    operation = f"{state.key}/{kind}/{state.step(kind)}"
    shape = InvoiceDocument if sign > 0 else CreditNoteDocument
    body = shape(
        order=f"{state.key}/sales_order",
        number=order.number,
        channel=order.channel,
        currency=order.currency,
        invoice_date=when.business_date,
        total=sign * total,
        lines=lines,
        party=order.party,
        location=_ships_from(state, policy),
        paid_from=DEPOSITS if policy.pays_papers else "",
    )
    told = _submitted(state, policy, operation, body, rows) if _told(policy) else []
    owed = sum(ours(row.value) for row in rows)
    if not owed or not is_on_account(state):
        return told
    return [*told, *issued(state, order, when, operation, lines, owed)]


def _submitted(
    state: OrderState,
    policy: ChannelPolicy,
    operation: str,
    body: InvoiceDocument | CreditNoteDocument,
    rows: list[Row],
) -> list[Body]:
    """The paper on its way to the ERP."""
    entity = state.entities.selling
    kind = "invoice" if isinstance(body, InvoiceDocument) else "credit_note"
    state.documents[operation] = DocumentSeen(kind, "owed")
    if isinstance(body, InvoiceDocument):
        moves_goods = not policy.tells_goods and not _only_supplied(state, rows)
        body = msgspec.structs.replace(body, moves_goods=moves_goods)
        return [SubmitDocument(key=state.key, id=operation, kind=kind, entity=entity, invoice=body)]
    return [SubmitDocument(key=state.key, id=operation, kind=kind, entity=entity, credit_note=body)]


def _ships_from(state: OrderState, policy: ChannelPolicy) -> str:
    """Where the newest shipment left from; before any, where the buyer collects, else the first
    place of the channel.
    """
    gone = [shipment for shipment in state.shipments.values() if shipment.state in GONE]
    if gone:
        return max(gone, key=lambda shipment: (shipment.version, shipment.location)).location
    collected = "" if state.order is None else state.order.collect_at
    return collected or (policy.fulfil_from[0] if policy.fulfil_from else "")


def _only_supplied(state: OrderState, rows: list[Row]) -> bool:
    """Whether all goods of an invoice came from suppliers, and none from our shelves."""
    places = [place.split(SEP) for place in state.moved]
    supplied = {name for name, _, _, kind, *_ in places if kind == SUPPLIED}
    names = {row.line for row in rows if row.value.kind == GOODS}
    return bool(names) and names <= supplied
