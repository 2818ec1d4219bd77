"""Translation: which topic is what. Pure; the parts are in the files beside this one."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tillbridge.connectors.shopify import inbound_privacy, wire, wire_graphql, wire_reread
from tillbridge.connectors.shopify.inbound_catalogue import (
    product_changed,
    stock_counted,
    triggered_at,
)
from tillbridge.connectors.shopify.inbound_orders import order_told
from tillbridge.connectors.shopify.inbound_payments import payments
from tillbridge.connectors.shopify.inbound_refunds import (
    TaxUnclear,
    refund_currency,
    refund_issued,
)
from tillbridge.connectors.shopify.inbound_scope import CurrencyDiffers, Scope
from tillbridge.connectors.shopify.inbound_shipments import goods_shipped
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection, Message, Translation
from tillbridge.contract.wire import WireError, parse

REREAD = "reread/order"


def translate(message: Message, connection: Connection, names: Names) -> Translation:
    """Facts of a message; see contract.promises.Translates."""
    handler = TOPICS.get(message.topic)
    if handler is None:
        return Translation(ignored=_reason(message.topic))
    return handler(message, connection, names)


def gid(order: wire.Id) -> str:
    """Global id of an order, the reference under which it is read again."""
    return f"gid://shopify/Order/{wire.number(order)}"


def _order(message: Message, connection: Connection, names: Names) -> Translation:
    order = parse(wire.Order, message.body)
    scope = Scope(connection, names, order.currency)
    try:
        told = order_told(order, message.topic, scope)
    except CurrencyDiffers:
        return _ask_for(order.id)
    if len(set(order.payment_gateway_names)) > 1 and not order.transactions and scope.settings.url:
        # only its transactions say how a payment by several tenders splits
        return msgspec.structs.replace(told, reread=_ask_for(order.id).reread)
    return told


def _reread(message: Message, connection: Connection, names: Names) -> Translation:
    found = parse(wire_graphql.Reread, message.body)
    order = wire_reread.as_webhook(found.order)
    return order_told(order, message.topic, Scope(connection, names, order.currency))


def _edited(message: Message, _: Connection, __: Names) -> Translation:
    return _ask_for(parse(wire.OrderEdited, message.body).order_edit.order_id)


def _fulfillment(message: Message, connection: Connection, names: Names) -> Translation:
    found = parse(wire.Fulfillment, message.body)
    order = _named(found.order_id, "fulfilment")
    return Translation(facts=(goods_shipped(found, order, Scope(connection, names)),))


def _refund(message: Message, connection: Connection, names: Names) -> Translation:
    found = parse(wire.Refund, message.body)
    order = _named(found.order_id, "refund")
    scope = Scope(connection, names, refund_currency(found))
    try:
        return Translation(facts=(refund_issued(found, order, scope),))
    except (TaxUnclear, CurrencyDiffers):
        return _ask_for(order)


def _transaction(message: Message, connection: Connection, names: Names) -> Translation:
    found = parse(wire.Transaction, message.body)
    order = _named(found.order_id, "transaction")
    shop = found.amount_set.shop_money.currency_code if found.amount_set else ""
    try:
        facts = tuple(payments(found, order, Scope(connection, names, shop), {}))
    except CurrencyDiffers:
        return _ask_for(order)
    if facts:
        return Translation(facts=facts)
    return Translation(ignored=f"a {found.kind} that is {found.status} moved no money")


def _product(message: Message, connection: Connection, names: Names) -> Translation:
    product = parse(wire.Product, message.body)
    facts = tuple(product_changed(product, Scope(connection, names)))
    if facts:
        return Translation(facts=facts)
    return Translation(ignored=f"product {wire.number(product.id)} has no variant")


def _deleted(message: Message, connection: Connection, names: Names) -> Translation:
    """The vendor sends the bare id; a saved product with its variants is taken as well."""
    found = parse(wire.DeletedProduct, message.body)
    if b'"variants"' not in message.body:
        number = wire.number(found.id)
        return Translation(
            ignored=f"product {number} was deleted; the vendor names none of its variants, so no "
            "product of ours is known by it"
        )
    product = parse(wire.Product, message.body)
    scope = Scope(connection, names)
    return Translation(facts=tuple(product_changed(product, scope, removed=True)))


def _level(message: Message, connection: Connection, names: Names) -> Translation:
    found = parse(wire.InventoryLevel, message.body)
    if found.available is None:
        number = wire.number(found.inventory_item_id)
        return Translation(ignored=f"inventory item {number} is not tracked")
    fact = stock_counted(
        found.inventory_item_id,
        found.location_id,
        found.available,
        found.updated_at,
        Scope(connection, names),
    )
    return Translation(facts=(fact,))


def _disconnected(message: Message, connection: Connection, names: Names) -> Translation:
    """Nothing is available any more where an item is no longer stocked."""
    found = parse(wire.DisconnectedLevel, message.body)
    at = triggered_at(message.headers)
    if at is None:
        number = wire.number(found.inventory_item_id)
        return Translation(
            ignored=f"inventory item {number} is no longer stocked at a location; "
            "the delivery does not say since when"
        )
    scope = Scope(connection, names)
    fact = stock_counted(found.inventory_item_id, found.location_id, 0, at, scope)
    return Translation(facts=(fact,))


def _ask_for(order: wire.Id) -> Translation:
    return Translation(reread=(REREAD, gid(order)))


def _named(order: wire.Id | None, what: str) -> wire.Id:
    if order is None:
        raise WireError(f"the {what} names no order (order_id)")
    return order


def _reason(topic: str) -> str:
    """Why a topic has no effect here, in words for the list of ignored messages."""
    kind, _, event = topic.partition("/")
    if topic == "app/uninstalled":
        return "app/uninstalled: the shop took the app away; nothing more will be told"
    if kind == "customers":
        return f"customers/{event[:40]}: buyers are known by their orders"
    if kind in ("carts", "checkouts", "draft_orders"):
        return f"{kind}/{event[:40]}: nothing was ordered yet"
    shown = "".join(letter for letter in topic[:60] if letter.isprintable())
    return f"the topic {shown!r} is not one this connector knows"


Handler = Callable[[Message, Connection, Names], Translation]

TOPICS: dict[str, Handler] = {
    "orders/create": _order,
    "orders/updated": _order,
    "orders/paid": _order,
    "orders/cancelled": _order,
    "orders/edited": _edited,
    REREAD: _reread,
    "fulfillments/create": _fulfillment,
    "fulfillments/update": _fulfillment,
    "fulfillments/cancel": _fulfillment,
    "refunds/create": _refund,
    "order_transactions/create": _transaction,
    "products/create": _product,
    "products/update": _product,
    "products/delete": _deleted,
    "inventory_levels/update": _level,
    "inventory_levels/connect": _level,
    "inventory_levels/disconnect": _disconnected,
    inbound_privacy.DATA: inbound_privacy.asked,
    inbound_privacy.REDACT: inbound_privacy.asked,
    inbound_privacy.SHOP: inbound_privacy.asked,
}
