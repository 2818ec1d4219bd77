"""Parts of the example shop's webhook bodies: price sets, lines, fulfilments, refunds.

In the shape of the Shopify Admin REST resources. Amounts are decimal strings with a `_set` (shop
and presentment money are the same currency here); ids are JSON numbers; instants carry an offset.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zlib import crc32

from tillbridge.atoms.money import to_text
from tillbridge.connectors.sandbox.shop_orders import (
    BoughtLine,
    RefundMade,
    Returned,
    Shipped,
    ShopOrder,
    State,
    TaxCharged,
)

Json = dict[str, Any]


def money_set(minor: int, currency: str) -> Json:
    """A price set with the same amount in both moneys."""
    money = {"amount": to_text(minor, currency), "currency_code": currency}
    return {"shop_money": money, "presentment_money": money}


def tax_lines(taxes: Iterable[TaxCharged], currency: str) -> list[Json]:
    """Tax lines of a line, of shipping or of the order."""
    return [
        {
            "channel_liable": False,
            "price": to_text(tax.amount, currency),
            "price_set": money_set(tax.amount, currency),
            "rate": tax.rate_ppm / 1_000_000,
            "title": tax.title,
        }
        for tax in taxes
    ]


def line_body(order: ShopOrder, state: State, line: BoughtLine) -> Json:
    """A line item as it stands in a state."""
    money = order.currency
    gone = sum(n for s in state.shipped for number, n in s.lines if number == line.id)
    back = sum(r.quantity for refund in state.refunds for r in refund.lines if r.line == line.id)
    never = sum(
        r.quantity
        for refund in state.refunds
        for r in refund.lines
        if r.line == line.id and r.restock == "cancel"
    )
    allocations = []
    if line.discount:
        allocations.append(
            {
                "amount": to_text(line.discount, money),
                "amount_set": money_set(line.discount, money),
                "discount_application_index": 0,
            }
        )
    return {
        "id": line.id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line.id}",
        "current_quantity": line.quantity - back,
        "fulfillable_quantity": 0 if line.gift_card else line.quantity - gone - never,
        "fulfillment_service": "gift_card" if line.gift_card else "manual",
        "fulfillment_status": "fulfilled" if gone == line.quantity else None,
        "gift_card": line.gift_card,
        "grams": line.grams,
        "name": f"{line.title} - {line.variant}" if line.variant else line.title,
        "price": to_text(line.price, money),
        "price_set": money_set(line.price, money),
        "product_exists": True,
        "product_id": 8_000_000_000_000 + crc32(line.title.encode()),
        "properties": [],
        "quantity": line.quantity,
        "requires_shipping": not line.gift_card,
        "sku": line.sku,
        "taxable": not line.gift_card,
        "title": line.title,
        "total_discount": "0.00",
        "total_discount_set": money_set(0, money),
        "variant_id": 4_400_000_000_000 + crc32(line.sku.encode()),
        "variant_inventory_management": None if line.gift_card else "shopify",
        "variant_title": line.variant or None,
        "vendor": "Tillbridge Outfitters",
        "tax_lines": tax_lines(line.taxes, money),
        "duties": [],
        "discount_allocations": allocations,
    }


def fulfillment_body(order: ShopOrder, state: State, shipment: Shipped) -> Json:
    """A fulfilment; its line items say how many pieces went in this parcel."""
    bought = {line.id: line for line in order.lines}
    items = []
    for number, quantity in shipment.lines:
        items.append({**line_body(order, state, bought[number]), "quantity": quantity})
    at = instant(shipment.at)
    part = next(n for n, one in enumerate(state.shipped, 1) if one.id == shipment.id)
    url = f"https://tracking.example.com/{shipment.tracking}" if shipment.tracking else None
    return {
        "id": shipment.id,
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{shipment.id}",
        "created_at": at,
        "location_id": int(shipment.location),
        "name": f"#{order.number}.{part}",
        "order_id": order.id,
        "origin_address": {},
        "receipt": {},
        "service": "manual",
        "shipment_status": None,
        "status": shipment.status.lower(),
        "tracking_company": shipment.company or None,
        "tracking_number": shipment.tracking or None,
        "tracking_numbers": [shipment.tracking] if shipment.tracking else [],
        "tracking_url": url,
        "tracking_urls": [url] if url else [],
        "updated_at": instant(shipment.updated or shipment.at),
        "line_items": items,
    }


def refund_body(order: ShopOrder, state: State, refund: RefundMade) -> Json:
    """A refund with its lines, adjustments (negative: given back) and its transaction."""
    at = instant(refund.at)
    return {
        "id": refund.id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund.id}",
        "created_at": at,
        "note": refund.note,
        "order_id": order.id,
        "processed_at": at,
        "restock": True,
        "total_duties_set": money_set(0, order.currency),
        "user_id": None,
        "order_adjustments": _adjustments(order, refund),
        "transactions": [_refund_transaction(order, refund)],
        "refund_line_items": [_refund_line(order, state, line) for line in refund.lines],
        "duties": [],
        "additional_fees": [],
    }


def _refund_line(order: ShopOrder, state: State, back: Returned) -> Json:
    bought = next(line for line in order.lines if line.id == back.line)
    money = order.currency
    return {
        "id": back.id,
        "line_item_id": back.line,
        "location_id": int(back.location) if back.location else None,
        "quantity": back.quantity,
        "restock_type": back.restock,
        # Numbers here where strings stand elsewhere: so do the real ones.
        "subtotal": back.net / 100,
        "subtotal_set": money_set(back.net, money),
        "total_tax": back.tax / 100,
        "total_tax_set": money_set(back.tax, money),
        "line_item": line_body(order, state, bought),
    }


def _adjustments(order: ShopOrder, refund: RefundMade) -> list[Json]:
    found = []
    if refund.shipping:
        amounts = (-refund.shipping, -refund.shipping_tax)
        found.append(_adjustment(order, refund, "shipping_refund", "Shipping refund", amounts))
    differs = refund.worth - refund.amount
    if differs:
        words = ("refund_discrepancy", "Refund discrepancy")
        found.append(_adjustment(order, refund, *words, (differs, 0)))
    return found


def _adjustment(
    order: ShopOrder, refund: RefundMade, kind: str, reason: str, amounts: tuple[int, int]
) -> Json:
    net, tax = amounts
    money = order.currency
    return {
        "id": refund.id + 1,
        "amount": to_text(net, money),
        "amount_set": money_set(net, money),
        "kind": kind,
        "order_id": order.id,
        "reason": reason,
        "refund_id": refund.id,
        "tax_amount": to_text(tax, money),
        "tax_amount_set": money_set(tax, money),
    }


def _refund_transaction(order: ShopOrder, refund: RefundMade) -> Json:
    at = instant(refund.at)
    return {
        "id": refund.transaction,
        "admin_graphql_api_id": f"gid://shopify/OrderTransaction/{refund.transaction}",
        "amount": to_text(refund.amount, order.currency),
        "authorization": None,
        "created_at": at,
        "currency": order.currency,
        "gateway": order.gateway,
        "kind": "refund",
        "location_id": None,
        "message": "Refunded",
        "order_id": order.id,
        "parent_id": order.id + 7,
        "payment_id": f"c{order.id}.2",
        "processed_at": at,
        "receipt": {},
        "source_name": "web",
        "status": "success",
        "test": False,
        "user_id": None,
    }


def instant(at: datetime) -> str:
    """An instant with its offset, to the second."""
    return at.isoformat(timespec="seconds")
