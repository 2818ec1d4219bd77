"""What the sandbox shop asks of a refund before it makes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tillbridge.atoms.money import split, to_minor
from tillbridge.connectors.sandbox.graphql_query import QueryError
from tillbridge.connectors.sandbox.shop_graph import gid
from tillbridge.connectors.sandbox.shop_orders import Returned, ShopOrder, State

Arguments = Mapping[str, Any]


class Refusal(Exception):
    """What goes into userErrors."""


def returned(row: Arguments, order: ShopOrder, state: State, new_id: int) -> Returned:
    """A line of a refund, worth its pieces' share of what was paid for the line. Raises Refusal."""
    number = int(str(row["lineItemId"]).rpartition("/")[2])
    line = next((line for line in order.lines if line.id == number), None)
    if line is None:
        raise Refusal("Line item does not exist.")
    before = sum(b.quantity for r in state.refunds for b in r.lines if b.line == number)
    much, restock = int(row["quantity"]), str(row["restockType"]).lower()
    if restock not in ("cancel", "return", "no_restock"):
        raise QueryError(f"{restock!r} is no RefundLineItemRestockType")
    if much < 1 or before + much > line.quantity:
        raise Refusal("Quantity cannot refund more items than were purchased")
    gone = sum(
        pieces
        for parcel in state.shipped
        if parcel.status == "SUCCESS"
        for name, pieces in parcel.lines
        if name == number
    )
    if restock == "cancel" and before + much > line.quantity - gone:
        raise Refusal("Quantity cannot be cancelled: items were fulfilled")
    pieces = [1] * line.quantity

    def share(amount: int) -> int:
        return sum(split(amount, pieces)[before : before + much])

    return Returned(
        id=new_id,
        line=number,
        quantity=much,
        net=share(line.net),
        tax=sum(share(tax.amount) for tax in line.taxes),
        restock=restock,
        location=str(row.get("locationId") or "").rpartition("/")[2],
    )


def given_back(rows: Iterable[Arguments], order: ShopOrder, state: State) -> int:
    """Money of a refund's transactions, minor units; the shop keeps one transaction a refund.

    Raises Refusal for what has no payment to go back to, or exceeds it.
    """
    sale = gid("OrderTransaction", order.id + 7)
    left = (order.total if state.paid else 0) - state.refunded
    given = 0
    for row in rows:
        if row["kind"] != "REFUND" or row["orderId"] != gid("Order", order.id):
            raise Refusal("Transaction kind is not valid for a refund")
        if row["parentId"] != sale or row["gateway"] != order.gateway:
            raise Refusal("Transaction parent does not exist or has another gateway")
        given += to_minor(str(row["amount"]), order.currency)
    if given > left:
        raise Refusal("Refund amount cannot be more than what is left of the transaction")
    return given
