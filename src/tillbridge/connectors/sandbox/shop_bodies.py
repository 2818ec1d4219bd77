"""The order resource of the example shop as its webhooks carry it (Shopify Admin REST shape)."""

from __future__ import annotations

from tillbridge.atoms.money import to_text
from tillbridge.connectors.sandbox.shop_line_bodies import (
    Json,
    fulfillment_body,
    instant,
    line_body,
    money_set,
    refund_body,
    tax_lines,
)
from tillbridge.connectors.sandbox.shop_orders import ShopOrder, State, TaxCharged


def financial_status(order: ShopOrder, state: State) -> str:
    """The shop's word for how far an order is paid."""
    if not state.paid:
        return "pending"
    if state.refunded >= order.total:
        return "refunded"
    return "partially_refunded" if state.refunded else "paid"


def fulfillment_status(order: ShopOrder, state: State) -> str | None:
    """The shop's word for how far an order is shipped; gift cards need no shipping."""
    left = {line.id: line.quantity for line in order.lines if not line.gift_card}
    if not state.shipped:
        return None
    for shipment in state.shipped:
        for line, quantity in shipment.lines if shipment.status == "SUCCESS" else ():
            left[line] -= quantity
    return "partial" if any(left.values()) else "fulfilled"


def order_body(order: ShopOrder, state: State) -> Json:
    """The order resource as it stands in a state."""
    body = _order_head(order, state)
    body.update(_order_amounts(order, state))
    body["billing_address"] = body["shipping_address"] = _address(order)
    body["customer"] = _customer(order)
    body["discount_codes"] = _codes(order)
    body["discount_applications"] = _applications(order)
    body["line_items"] = [line_body(order, state, line) for line in order.lines]
    body["shipping_lines"] = _shipping_lines(order)
    body["fulfillments"] = [fulfillment_body(order, state, s) for s in state.shipped]
    body["refunds"] = [refund_body(order, state, refund) for refund in state.refunds]
    return body


def _order_head(order: ShopOrder, state: State) -> Json:
    cancelled = state.cancelled_at
    token = f"{order.id:032x}"
    return {
        "id": order.id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order.id}",
        "app_id": 580111,
        "browser_ip": "192.0.2.10",
        "buyer_accepts_marketing": False,
        "cancel_reason": "customer" if cancelled else None,
        "cancelled_at": instant(cancelled) if cancelled else None,
        "cart_token": token,
        "checkout_id": order.id + 11,
        "closed_at": None,
        "confirmed": True,
        "contact_email": order.buyer.email,
        "created_at": instant(order.placed_at),
        "currency": order.currency,
        "customer_locale": "en",
        "email": order.buyer.email,
        "estimated_taxes": False,
        "financial_status": financial_status(order, state),
        "fulfillment_status": fulfillment_status(order, state),
        "location_id": None,
        "name": f"#{order.number}",
        "note": None,
        "note_attributes": [],
        "number": order.number - 1000,
        "order_number": order.number,
        "payment_gateway_names": [order.gateway],
        "phone": None,
        "presentment_currency": order.currency,
        "processed_at": instant(order.placed_at),
        "source_name": "web",
        "tags": "",
        "tax_exempt": False,
        "taxes_included": False,
        "test": False,
        "token": token,
        "updated_at": instant(state.at),
        "user_id": None,
    }


def _order_amounts(order: ShopOrder, state: State) -> Json:
    money = order.currency
    given_back = sum(line.net for refund in state.refunds for line in refund.lines)
    tax_back = sum(
        refund.shipping_tax + sum(line.tax for line in refund.lines) for refund in state.refunds
    )
    amounts = {
        "current_subtotal_price": order.subtotal - given_back,
        "current_total_price": order.total - state.refunded,
        "current_total_tax": order.tax - tax_back,
        "subtotal_price": order.subtotal,
        "total_discounts": order.discount,
        "total_line_items_price": order.subtotal + order.discount,
        "total_price": order.total,
        "total_tax": order.tax,
    }
    body: Json = {}
    for name, minor in amounts.items():
        body[name] = to_text(minor, money)
        body[f"{name}_set"] = money_set(minor, money)
    body["total_shipping_price_set"] = money_set(order.shipping, money)
    body["total_outstanding"] = to_text(0 if state.paid else order.total, money)
    body["total_tip_received"] = "0.00"
    body["total_weight"] = sum(line.grams * line.quantity for line in order.lines)
    body["tax_lines"] = tax_lines(_by_title(order), money)
    return body


def _address(order: ShopOrder) -> Json:
    buyer, place = order.buyer, order.buyer.destination
    return {
        "first_name": buyer.first_name,
        "last_name": buyer.last_name,
        "name": f"{buyer.first_name} {buyer.last_name}",
        "address1": buyer.street,
        "address2": None,
        "company": None,
        "city": place.city,
        "province": place.state,
        "province_code": place.state_code,
        "zip": place.postcode,
        "country": "United States",
        "country_code": "US",
        "phone": f"+1555{buyer.id % 10**7:07d}",
        "latitude": None,
        "longitude": None,
    }


def _customer(order: ShopOrder) -> Json:
    buyer = order.buyer
    return {
        "id": buyer.id,
        "admin_graphql_api_id": f"gid://shopify/Customer/{buyer.id}",
        "email": buyer.email,
        "first_name": buyer.first_name,
        "last_name": buyer.last_name,
        "phone": None,
        "state": "disabled",
        "note": None,
        "tags": "",
        "tax_exempt": False,
        "verified_email": True,
        "currency": order.currency,
        "created_at": instant(order.placed_at),
        "updated_at": instant(order.placed_at),
    }


def _codes(order: ShopOrder) -> list[Json]:
    if not order.code:
        return []
    amount = to_text(order.discount, order.currency)
    return [{"code": order.code, "amount": amount, "type": "percentage"}]


def _applications(order: ShopOrder) -> list[Json]:
    if not order.code:
        return []
    return [
        {
            "target_type": "line_item",
            "type": "discount_code",
            "value": f"{order.code_percent}.0",
            "value_type": "percentage",
            "allocation_method": "across",
            "target_selection": "all",
            "code": order.code,
        }
    ]


def _shipping_lines(order: ShopOrder) -> list[Json]:
    money = order.currency
    title = "Standard" if order.shipping else "Free Shipping"
    return [
        {
            "id": order.id + 3,
            "carrier_identifier": None,
            "code": title,
            "discounted_price": to_text(order.shipping, money),
            "discounted_price_set": money_set(order.shipping, money),
            "is_removed": False,
            "phone": None,
            "price": to_text(order.shipping, money),
            "price_set": money_set(order.shipping, money),
            "requested_fulfillment_service_id": None,
            "source": "shopify",
            "title": title,
            "tax_lines": tax_lines(order.shipping_taxes, money),
            "discount_allocations": [],
        }
    ]


def _by_title(order: ShopOrder) -> list[TaxCharged]:
    """The order's taxes, one row per title."""
    found: dict[tuple[str, int], int] = {}
    rows = [tax for line in order.lines for tax in line.taxes] + list(order.shipping_taxes)
    for tax in rows:
        place = (tax.title, tax.rate_ppm)
        found[place] = found.get(place, 0) + tax.amount
    return [TaxCharged(title, rate, amount) for (title, rate), amount in found.items()]
