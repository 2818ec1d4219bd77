"""The turn of an order read again (wire_graphql) into the shape of a webhook payload (wire).

So one translation serves both. A money bag becomes a plain amount and a set at once; enumerations
become lower case; the transactions of a refund are named there and told on the order.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tillbridge.connectors.shopify import wire
from tillbridge.connectors.shopify.wire import Amount, Id
from tillbridge.connectors.shopify.wire_graphql import (
    Address,
    Allocation,
    Bag,
    Fulfillment,
    LineItem,
    Order,
    Reference,
    Refund,
    ShippingLine,
    TaxLine,
    Tracking,
    Transaction,
)
from tillbridge.contract.wire import convert


def as_webhook(order: Order) -> wire.Order:
    """The order in the shape of a webhook payload; raises WireError on values it may not have."""
    found = {
        **_header(order),
        **_totals(order),
        "line_items": [_line(line) for line in order.line_items.nodes],
        "shipping_lines": [_shipping(line) for line in order.shipping_lines.nodes],
        "fulfillments": [_fulfillment(one) for one in order.fulfillments],
        "transactions": [_transaction(one) for one in order.transactions],
        "refunds": [_refund(one, order) for one in order.refunds],
        "tax_lines": _taxes(order.tax_lines),
    }
    return convert(wire.Order, found, where="order read again")


def _header(order: Order) -> dict[str, Any]:
    customer = None
    if order.customer is not None:
        customer = {"email": order.email, "phone": order.phone, **_fields(order.customer)}
    return {
        "id": order.id,
        "name": order.name,
        "currency": order.currency_code,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
        "processed_at": order.processed_at,
        "cancelled_at": order.cancelled_at,
        "cancel_reason": _lower(order.cancel_reason),
        "test": order.test,
        "financial_status": _lower(order.display_financial_status),
        "source_name": order.source_name,
        "location_id": _id(order.retail_location),
        "email": order.email,
        "phone": order.phone,
        "customer": customer,
        "shipping_address": _address(order.shipping_address),
        "billing_address": _address(order.billing_address),
        "payment_gateway_names": order.payment_gateway_names,
        "taxes_included": order.taxes_included,
        "duties_included": order.duties_included,
    }


def _totals(order: Order) -> dict[str, Any]:
    rounding = order.total_cash_rounding_adjustment
    return {
        **_amount("total_price", order.total_price_set),
        **_amount("total_tax", order.total_tax_set),
        **_amount("total_discounts", order.total_discounts_set),
        "total_outstanding": _plain(order.total_outstanding_set),
        "total_tip_received": _plain(order.total_tip_received_set) or "0",
        "total_cash_rounding_payment_adjustment_set": rounding and _bag(rounding.payment_set),
        "original_total_duties_set": _set(order.original_total_duties_set),
        "original_total_additional_fees_set": _set(order.original_total_additional_fees_set),
    }


def _line(line: LineItem) -> dict[str, Any]:
    return {
        **_fields(line, "id", "quantity", "title", "variant_title", "sku", "taxable"),
        **_amount("price", line.original_unit_price_set),
        "requires_shipping": line.requires_shipping,
        "gift_card": line.is_gift_card,
        "variant_id": _id(line.variant),
        "discount_allocations": _allocations(line.discount_allocations),
        "tax_lines": _taxes(line.tax_lines),
        "duties": [
            {"id": duty.id, **_bag(duty.price), "tax_lines": _taxes(duty.tax_lines)}
            for duty in line.duties
        ],
    }


def _shipping(line: ShippingLine) -> dict[str, Any]:
    discounted = line.discounted_price_set
    return {
        "id": line.id,
        "title": line.title,
        **_amount("price", line.original_price_set),
        **(_amount("discounted_price", discounted) if discounted else {}),
        "discount_allocations": _allocations(line.discount_allocations),
        "tax_lines": _taxes(line.tax_lines),
    }


def _fulfillment(one: Fulfillment) -> dict[str, Any]:
    tracking = one.tracking_info[0] if one.tracking_info else Tracking()
    return {
        **_fields(one, "id", "created_at", "updated_at"),
        "status": one.status.lower(),
        "location_id": _id(one.location),
        "tracking_company": tracking.company,
        "tracking_number": tracking.number,
        "line_items": [
            {"id": line.line_item.id, "quantity": line.quantity}
            for line in one.fulfillment_line_items.nodes
        ],
    }


def _transaction(one: Transaction) -> dict[str, Any]:
    return {
        **_fields(one, "id", "created_at", "processed_at", "payment_id"),
        **_fields(one, "authorization_expires_at"),
        "receipt": one.receipt_json,
        **_amount("amount", one.amount_set),
        "kind": one.kind.lower(),
        "status": one.status.lower(),
        "gateway": one.gateway or "",
        "currency": one.amount_set.shop_money.currency_code,
        "parent_id": _id(one.parent_transaction),
    }


def _refund(one: Refund, order: Order) -> dict[str, Any]:
    named = {wire.number(found.id) for found in one.transactions.nodes}
    return {
        **_fields(one, "id", "created_at"),
        "order_id": order.id,
        "refund_line_items": [
            {
                "line_item_id": line.line_item.id,
                "quantity": line.quantity,
                **_amount("subtotal", line.subtotal_set),
                **_amount("total_tax", line.total_tax_set),
                "restock_type": line.restock_type.lower(),
                "location_id": _id(line.location),
            }
            for line in one.refund_line_items.nodes
        ],
        "order_adjustments": [
            {**_amount("amount", found.amount_set), **_amount("tax_amount", found.tax_amount_set)}
            for found in one.order_adjustments.nodes
        ],
        "refund_shipping_lines": [
            {
                "subtotal_amount_set": _bag(found.subtotal_amount_set),
                "tax_amount_set": _bag(found.tax_amount_set),
            }
            for found in one.refund_shipping_lines.nodes
        ],
        "transactions": [
            _transaction(found) for found in order.transactions if wire.number(found.id) in named
        ],
    }


def _taxes(lines: list[TaxLine]) -> list[dict[str, Any]]:
    return [
        {**_fields(line, "title", "rate", "channel_liable"), **_amount("price", line.price_set)}
        for line in lines
    ]


def _allocations(found: list[Allocation]) -> list[dict[str, Any]]:
    return [_amount("amount", one.allocated_amount_set) for one in found]


def _address(found: Address | None) -> dict[str, Any] | None:
    if found is None:
        return None
    fields = _fields(found)
    return {**fields, "country_code": fields.pop("country_code_v2")}


def _fields(found: msgspec.Struct, *names: str) -> dict[str, Any]:
    """Fields of a record by our spelling (no names: all of them)."""
    return {name: getattr(found, name) for name in names or found.__struct_fields__}


def _amount(name: str, bag: Bag | None) -> dict[str, Any]:
    """An amount as plain number and as set; nothing when there is no bag."""
    if bag is None:
        return {}
    return {name: bag.shop_money.amount, f"{name}_set": _bag(bag)}


def _bag(found: Bag) -> dict[str, Any]:
    """A money bag as a webhook spells a set."""
    told = {"shop_money": found.shop_money, "presentment_money": found.presentment_money}
    return {
        name: {"amount": money.amount, "currency_code": money.currency_code}
        for name, money in told.items()
        if money is not None
    }


def _plain(bag: Bag | None) -> Amount | None:
    return None if bag is None else bag.shop_money.amount


def _set(bag: Bag | None) -> dict[str, Any] | None:
    return None if bag is None else _bag(bag)


def _id(found: Reference | None) -> Id | None:
    return None if found is None else found.id


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()
