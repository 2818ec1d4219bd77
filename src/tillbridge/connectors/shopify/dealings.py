"""What is asked of the Admin API about one order's goods and money, and what is changed there.

Goods are fulfilled against fulfilment orders: what is to be sent from one place. A fulfilment has
no idempotency key, so the order is read before it is made. A refund has one (`@idempotent`, from
2026-04 on required), and carries our mark in its note.
Source: shopify.dev, fulfillmentCreate, fulfillmentOrderMove, fulfillmentEventCreate,
fulfillmentTrackingInfoUpdate, fulfillmentCancel, fulfillmentOrderLineItemsPreparedForPickup,
refundCreate, orderCancel (API 2026-10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.connectors.shopify.client import AdminApi
from tillbridge.connectors.shopify.inventory import IDEMPOTENT_SINCE
from tillbridge.connectors.shopify.queries import LINES_PAGE, LIST_MAX
from tillbridge.contract import wire

_ORDERS_MAX = 10
_ERRORS = "userErrors { field message }"
_BAG = "{ shopMoney { amount currencyCode } }"
_TRANSACTION = f"{{ id kind status gateway amountSet {_BAG} parentTransaction {{ id }} }}"
GOODS = (
    "query ($id: ID!) { order(id: $id) { id cancelledAt"
    f" fulfillmentOrders(first: {_ORDERS_MAX}) {{ nodes {{ id status"
    " assignedLocation { location { id } } deliveryMethod { methodType }"
    f" lineItems(first: {LINES_PAGE}) {{ nodes {{ id remainingQuantity lineItem {{ id }} }}"
    " pageInfo { hasNextPage } } } pageInfo { hasNextPage } }"
    f" fulfillments(first: {LIST_MAX // 2}) {{ id status displayStatus"
    " trackingInfo(first: 1) { company number }"
    f" fulfillmentLineItems(first: {LINES_PAGE}) {{ nodes {{ quantity lineItem {{ id }} }} }} }}"
    " } }"
)
MONEY = (
    "query ($id: ID!) { order(id: $id) { id cancelledAt currencyCode presentmentCurrencyCode"
    f" transactions(first: {LIST_MAX}) {_TRANSACTION}"
    f" refunds(first: {LIST_MAX}) {{ id note }} }} }}"
)
REFUND = (
    "query ($id: ID!) { node(id: $id) { ... on Refund {"
    f" transactions(first: {LINES_PAGE}) {{ nodes {_TRANSACTION} }} }} }} }}"
)
FULFIL = (
    "mutation ($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment)"
    f" {{ fulfillment {{ id }} {_ERRORS} }} }}"
)
MOVE = (
    "mutation ($id: ID!, $to: ID!, $lines: [FulfillmentOrderLineItemInput!]) {"
    " fulfillmentOrderMove(id: $id, newLocationId: $to, fulfillmentOrderLineItems: $lines)"
    f" {{ movedFulfillmentOrder {{ id }} {_ERRORS} }} }}"
)
TRACK = (
    "mutation ($id: ID!, $tracking: FulfillmentTrackingInput!, $notify: Boolean) {"
    " fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $tracking,"
    f" notifyCustomer: $notify) {{ fulfillment {{ id }} {_ERRORS} }} }}"
)
EVENT = (
    "mutation ($event: FulfillmentEventInput!) { fulfillmentEventCreate(fulfillmentEvent: $event)"
    f" {{ fulfillmentEvent {{ id }} {_ERRORS} }} }}"
)
TAKE_BACK = (
    "mutation ($id: ID!) { fulfillmentCancel(id: $id)"
    f" {{ fulfillment {{ id status }} {_ERRORS} }} }}"
)
READY = (
    "mutation ($input: FulfillmentOrderLineItemsPreparedForPickupInput!) {"
    f" fulfillmentOrderLineItemsPreparedForPickup(input: $input) {{ {_ERRORS} }} }}"
)
_MADE = (
    f"{{ refund {{ id transactions(first: {LINES_PAGE}) {{ nodes {_TRANSACTION} }} }} {_ERRORS} }}"
)
GIVE_BACK = (
    "mutation ($input: RefundInput!, $operation: String!) {"
    f" refundCreate(input: $input) @idempotent(key: $operation) {_MADE} }}"
)
GIVE_BACK_BEFORE_2026_04 = (
    f"mutation ($input: RefundInput!) {{ refundCreate(input: $input) {_MADE} }}"
)
CANCEL = (
    "mutation ($id: ID!, $reason: OrderCancelReason!, $refund: OrderCancelRefundMethodInput!,"
    " $note: String) { orderCancel(orderId: $id, reason: $reason, refundMethod: $refund,"
    " restock: false, notifyCustomer: false, staffNote: $note)"
    " { job { id } orderCancelUserErrors { field message code } } }"
)


class ToSend(msgspec.Struct):
    """A fulfilment order. lines: line item -> (id here, pieces left). place: global id."""

    id: str
    status: str
    place: str
    method: str
    lines: dict[str, tuple[str, int]]


class Sent(msgspec.Struct):
    """A fulfilment of the shop. lines: line item -> pieces."""

    id: str
    status: str
    shown: str
    tracking: str
    lines: dict[str, int]


class Goods(msgspec.Struct):
    """What of an order is to be sent, and what was."""

    cancelled: bool
    to_send: list[ToSend]
    sent: list[Sent]


class Transaction(msgspec.Struct):
    """A movement of money. amount: decimal text of the shop's currency."""

    id: str
    kind: str
    status: str
    gateway: str
    amount: str
    parent: str = ""


class Money(msgspec.Struct):
    """What of an order was paid and given back. refunds: global id -> note."""

    cancelled: bool
    currency: str
    presentment: str
    transactions: list[Transaction]
    refunds: dict[str, str]


class Dealings:
    """One order at one shop. order: its global id."""

    def __init__(self, api: AdminApi, version: str, order: str) -> None:
        self._api = api
        self._version = version
        self._order = order

    def goods(self) -> Goods:
        """Fulfilment orders and fulfilments as they stand."""
        found = self._read(GOODS)
        orders = _nodes(found, "fulfillmentOrders", whole=True)
        sent = wire.convert(list[dict[str, Any]], found.get("fulfillments"), where="fulfillments")
        return Goods(
            bool(found.get("cancelledAt")),
            [_to_send(one) for one in orders],
            [_sent(one) for one in sent],
        )

    def money(self) -> Money:
        """Transactions and refunds as they stand."""
        found = self._read(MONEY)
        rows = wire.convert(list[dict[str, Any]], found.get("transactions"), where="transactions")
        refunds = wire.convert(list[dict[str, Any]], found.get("refunds"), where="refunds")
        return Money(
            bool(found.get("cancelledAt")),
            str(found.get("currencyCode")),
            str(found.get("presentmentCurrencyCode") or found.get("currencyCode")),
            [_transaction(row) for row in rows],
            {str(one.get("id")): str(one.get("note") or "") for one in refunds},
        )

    def transactions_of(self, refund: str) -> list[Transaction]:
        """How a refund was given back."""
        found = self._api.ask(REFUND, id=refund).get("node")
        if not isinstance(found, dict):
            raise wire.WireError(f"the shop shows no refund {refund[:60]}")
        return [_transaction(row) for row in _nodes(found, "transactions")]

    def fulfil(self, fulfilment: Mapping[str, Any]) -> str:
        """Make a fulfilment; gives its global id."""
        made = self._api.ask(FULFIL, fulfillment=fulfilment)["fulfillmentCreate"]
        return _id_of(made, "fulfillment")

    def move(self, order: str, place: str, lines: Sequence[Mapping[str, Any]]) -> None:
        """Have lines of a fulfilment order sent from another place."""
        self._api.ask(MOVE, id=order, to=place, lines=lines)

    def track(self, fulfilment: str, tracking: Mapping[str, Any], *, notify: bool) -> None:
        """Change the tracking of a fulfilment."""
        self._api.ask(TRACK, id=fulfilment, tracking=tracking, notify=notify)

    def happened(self, event: Mapping[str, Any]) -> None:
        """Tell an event of a fulfilment."""
        self._api.ask(EVENT, event=event)

    def take_back(self, fulfilment: str) -> None:
        """Cancel a fulfilment: its goods are to be sent again."""
        self._api.ask(TAKE_BACK, id=fulfilment)

    def ready(self, orders: Sequence[str]) -> None:
        """The buyer may collect what these fulfilment orders hold."""
        told = [{"fulfillmentOrderId": one} for one in orders]
        self._api.ask(READY, input={"lineItemsByFulfillmentOrder": told})

    def give_back(self, refund: Mapping[str, Any], key: str) -> tuple[str, list[Transaction]]:
        """Make a refund; gives its global id and its transactions."""
        if self._version >= IDEMPOTENT_SINCE:
            answer = self._api.ask(GIVE_BACK, input=refund, operation=key)
        else:
            answer = self._api.ask(GIVE_BACK_BEFORE_2026_04, input=refund)
        made = answer["refundCreate"]
        name = _id_of(made, "refund")
        return name, [_transaction(row) for row in _nodes(made["refund"], "transactions")]

    def cancel(self, reason: str, note: str) -> None:
        """Cancel the order without a refund; what is only held is let go over there."""
        back = {"originalPaymentMethodsRefund": False}
        words = {"reason": reason, "refund": back, "note": note}
        answer = self._api.ask(CANCEL, id=self._order, **words)["orderCancel"]
        errors = answer.get("orderCancelUserErrors") if isinstance(answer, dict) else None
        if errors:
            said = msgspec.json.encode(errors).decode()[:300]
            raise Refused(f"orderCancel: {self._api.safe(said)}", code="user_error")

    def _read(self, query: str) -> dict[str, Any]:
        found = self._api.ask(query, id=self._order).get("order")
        if not isinstance(found, dict):
            raise Refused(f"the shop knows no order {self._order[:60]}", code="not_found")
        return found


def _nodes(node: Mapping[str, Any], field: str, *, whole: bool = False) -> list[dict[str, Any]]:
    found = wire.convert(dict[str, Any], node.get(field), where=field)
    if whole and wire.convert(dict[str, Any], found.get("pageInfo"), where=field)["hasNextPage"]:
        raise Refused(f"the order has more {field} than are read", code="too_many")
    return wire.convert(list[dict[str, Any]], found.get("nodes"), where=field)


def _to_send(node: Mapping[str, Any]) -> ToSend:
    place = (node.get("assignedLocation") or {}).get("location") or {}
    return ToSend(
        str(node.get("id")),
        str(node.get("status")),
        str(place.get("id") or ""),
        str((node.get("deliveryMethod") or {}).get("methodType") or ""),
        {
            str(row["lineItem"]["id"]): (str(row["id"]), int(row["remainingQuantity"]))
            for row in _nodes(node, "lineItems", whole=True)
        },
    )


def _sent(node: Mapping[str, Any]) -> Sent:
    lines: dict[str, int] = {}
    for row in _nodes(node, "fulfillmentLineItems"):
        name = str(row["lineItem"]["id"])
        lines[name] = lines.get(name, 0) + int(row["quantity"])
    tracking = node.get("trackingInfo") or [{}]
    return Sent(
        str(node.get("id")),
        str(node.get("status")),
        str(node.get("displayStatus") or ""),
        str(tracking[0].get("number") or ""),
        lines,
    )


def _transaction(node: Mapping[str, Any]) -> Transaction:
    parent = node.get("parentTransaction") or {}
    return Transaction(
        str(node.get("id")),
        str(node.get("kind")),
        str(node.get("status")),
        str(node.get("gateway")),
        str(node["amountSet"]["shopMoney"]["amount"]),
        str(parent.get("id") or ""),
    )


def _id_of(made: Any, field: str) -> str:
    found = made.get(field) if isinstance(made, dict) else None
    if not isinstance(found, dict) or not found.get("id"):
        raise wire.WireError(f"the shop's answer holds no {field}")
    return str(found["id"])
