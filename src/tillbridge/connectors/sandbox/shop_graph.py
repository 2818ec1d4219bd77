"""The example shop's orders as objects of the Admin GraphQL API: gids, enums, money bags."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from tillbridge.atoms.money import to_text
from tillbridge.connectors.sandbox.graphql_query import Connection
from tillbridge.connectors.sandbox.shop_bodies import financial_status, fulfillment_status
from tillbridge.connectors.sandbox.shop_orders import (
    BoughtLine,
    RefundMade,
    Shipped,
    ShopOrder,
    State,
    TaxCharged,
)

Graph = dict[str, Any]


def gid(kind: str, number: int | str) -> str:
    """A global id."""
    return f"gid://shopify/{kind}/{number}"


def stamp(at: datetime | None) -> str | None:
    """An instant as the API writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def order_graph(order: ShopOrder, state: State) -> Graph:
    """The order as it stands in a state."""
    shipped = fulfillment_status(order, state) or "unfulfilled"
    address = _address(order)
    graph = {
        **_named("Order", order.id),
        "name": f"#{order.number}",
        "currencyCode": order.currency,
        "presentmentCurrencyCode": order.currency,
        "createdAt": stamp(order.placed_at),
        "processedAt": stamp(order.placed_at),
        "updatedAt": stamp(state.at),
        "cancelledAt": stamp(state.cancelled_at),
        "cancelReason": "CUSTOMER" if state.cancelled_at else None,
        "closedAt": None,
        "confirmed": True,
        "test": False,
        "edited": False,
        "displayFinancialStatus": financial_status(order, state).upper(),
        "displayFulfillmentStatus": shipped.upper(),
        "sourceName": "web",
        "retailLocation": None,
        "email": order.buyer.email,
        "phone": None,
        "tags": [],
        "paymentGatewayNames": [order.gateway],
        "taxesIncluded": False,
        "dutiesIncluded": False,
        "customer": _customer(order),
        "shippingAddress": address,
        "billingAddress": address,
        "taxLines": _taxes(
            [tax for line in order.lines for tax in line.taxes] + list(order.shipping_taxes),
            order.currency,
        ),
        "lineItems": Connection([_line(order, state, line) for line in order.lines]),
        "shippingLines": Connection([_shipping(order)]),
        "fulfillments": [_fulfillment(order, state, parcel) for parcel in state.shipped],
        "refunds": [_refund(order, state, refund) for refund in state.refunds],
        "transactions": transactions(order, state),
    }
    graph.update(_amounts(order, state))
    return graph


# what a captured payment of the shop's own gateway leaves open
_OPEN: Graph = {"authorizationExpiresAt": None, "receiptJson": "{}"}


def transactions(order: ShopOrder, state: State) -> list[Graph]:
    """Money movements so far: the sale, then what was given back."""
    if not state.paid:
        return []
    paid_at = stamp(order.placed_at)
    sale = {
        **_named("OrderTransaction", order.id + 7),
        "kind": "SALE",
        "status": "SUCCESS",
        "gateway": order.gateway,
        "formattedGateway": order.gateway.replace("_", " ").title(),
        "amountSet": _bag(order.total, order.currency),
        "createdAt": paid_at,
        "processedAt": paid_at,
        "paymentId": f"c{order.id}.1",
        **_OPEN,
        "parentTransaction": None,
        "test": False,
    }
    return [sale, *(_refund_transaction(order, refund) for refund in state.refunds)]


def _named(kind: str, number: int) -> Graph:
    return {"__typename": kind, "id": gid(kind, number), "legacyResourceId": str(number)}


def _bag(minor: int, currency: str) -> Graph:
    money = {
        "__typename": "MoneyV2",
        "amount": to_text(minor, currency),
        "currencyCode": currency,
    }
    return {"__typename": "MoneyBag", "shopMoney": money, "presentmentMoney": money}


def _amounts(order: ShopOrder, state: State) -> Graph:
    money = order.currency
    back_net = sum(line.net for refund in state.refunds for line in refund.lines)
    owed = 0 if state.paid else order.total
    bags = {
        "subtotalPriceSet": order.subtotal,
        "currentSubtotalPriceSet": order.subtotal - back_net,
        "totalPriceSet": order.total,
        "originalTotalPriceSet": order.total,
        "currentTotalPriceSet": order.total - state.refunded,
        "totalTaxSet": order.tax,
        "totalDiscountsSet": order.discount,
        "totalShippingPriceSet": order.shipping,
        "totalOutstandingSet": owed,
        "totalReceivedSet": order.total - owed,
        "totalRefundedSet": state.refunded,
        "netPaymentSet": order.total - owed - state.refunded,
        "totalTipReceivedSet": 0,
    }
    graph: Graph = {name: _bag(minor, money) for name, minor in bags.items()}
    graph["originalTotalDutiesSet"] = graph["originalTotalAdditionalFeesSet"] = None
    graph["currentTotalDutiesSet"] = graph["currentTotalAdditionalFeesSet"] = None
    graph["totalCashRoundingAdjustment"] = {
        "__typename": "CashRoundingAdjustment",
        "paymentSet": _bag(0, money),
        "refundSet": _bag(0, money),
    }
    return graph


def _taxes(taxes: Iterable[TaxCharged], currency: str) -> list[Graph]:
    return [
        {
            "__typename": "TaxLine",
            "title": tax.title,
            "rate": tax.rate_ppm / 1_000_000,
            "ratePercentage": tax.rate_ppm / 10_000,
            "channelLiable": False,
            "priceSet": _bag(tax.amount, currency),
        }
        for tax in taxes
    ]


def _line(order: ShopOrder, state: State, line: BoughtLine) -> Graph:
    money = order.currency
    back = sum(r.quantity for refund in state.refunds for r in refund.lines if r.line == line.id)
    allocations = []
    if line.discount:
        application = {"__typename": "DiscountCodeApplication", "code": order.code, "index": 0}
        allocations.append(
            {
                "__typename": "DiscountAllocation",
                "allocatedAmountSet": _bag(line.discount, money),
                "discountApplication": application,
            }
        )
    return {
        **_named("LineItem", line.id),
        "name": f"{line.title} - {line.variant}" if line.variant else line.title,
        "title": line.title,
        "variantTitle": line.variant or None,
        "sku": line.sku,
        "vendor": "Tillbridge Outfitters",
        "quantity": line.quantity,
        "currentQuantity": line.quantity - back,
        "isGiftCard": line.gift_card,
        "requiresShipping": not line.gift_card,
        "taxable": not line.gift_card,
        "originalUnitPriceSet": _bag(line.price, money),
        "originalTotalSet": _bag(line.price * line.quantity, money),
        "variant": {
            **_named("ProductVariant", 4_400_000_000_000 + crc32(line.sku.encode())),
            "sku": line.sku,
        },
        "discountAllocations": allocations,
        "taxLines": _taxes(line.taxes, money),
        "duties": [],
    }


def _shipping(order: ShopOrder) -> Graph:
    title = "Standard" if order.shipping else "Free Shipping"
    return {
        "__typename": "ShippingLine",
        "id": gid("ShippingLine", order.id + 3),
        "title": title,
        "code": title,
        "isRemoved": False,
        "originalPriceSet": _bag(order.shipping, order.currency),
        "discountedPriceSet": _bag(order.shipping, order.currency),
        "currentDiscountedPriceSet": _bag(order.shipping, order.currency),
        "discountAllocations": [],
        "taxLines": _taxes(order.shipping_taxes, order.currency),
    }


def _fulfillment(order: ShopOrder, state: State, parcel: Shipped) -> Graph:
    bought = {line.id: _line(order, state, line) for line in order.lines}
    lines = [
        {
            "__typename": "FulfillmentLineItem",
            "id": gid("FulfillmentLineItem", parcel.id + number),
            "lineItem": bought[line],
            "quantity": quantity,
        }
        for number, (line, quantity) in enumerate(parcel.lines, 1)
    ]
    tracking = {
        "__typename": "FulfillmentTrackingInfo",
        "company": parcel.company,
        "number": parcel.tracking or None,
        "url": f"https://tracking.example.com/{parcel.tracking}",
    }
    return {
        **_named("Fulfillment", parcel.id),
        "name": f"#{order.number}",
        "status": parcel.status,
        "displayStatus": parcel.display,
        "createdAt": stamp(parcel.at),
        "updatedAt": stamp(parcel.updated or parcel.at),
        "location": _location(parcel.location),
        "trackingInfo": [tracking],
        "fulfillmentLineItems": Connection(lines),
    }


def _refund(order: ShopOrder, state: State, refund: RefundMade) -> Graph:
    money = order.currency
    bought = {line.id: _line(order, state, line) for line in order.lines}
    lines = [
        {
            "__typename": "RefundLineItem",
            "id": gid("RefundLineItem", back.id),
            "lineItem": bought[back.line],
            "quantity": back.quantity,
            "subtotalSet": _bag(back.net, money),
            "totalTaxSet": _bag(back.tax, money),
            "restockType": back.restock.upper(),
            "restocked": True,
            "location": _location(back.location) if back.location else None,
        }
        for back in refund.lines
    ]
    shipping = []
    if refund.shipping:
        shipping.append(
            {
                "__typename": "RefundShippingLine",
                "id": gid("RefundShippingLine", refund.id + 1),
                "shippingLine": _shipping(order),
                "subtotalAmountSet": _bag(refund.shipping, money),
                "taxAmountSet": _bag(refund.shipping_tax, money),
            }
        )
    return {
        **_named("Refund", refund.id),
        "createdAt": stamp(refund.at),
        "updatedAt": stamp(refund.at),
        "note": refund.note,
        "return": None,
        "totalRefundedSet": _bag(refund.amount, money),
        "refundLineItems": Connection(lines),
        "orderAdjustments": Connection(_adjustments(refund, money)),
        "refundShippingLines": Connection(shipping),
        "duties": [],
        "transactions": Connection([_refund_transaction(order, refund)]),
    }


def _adjustments(refund: RefundMade, money: str) -> list[Graph]:
    differs = refund.worth - refund.amount
    if not differs:
        return []
    return [
        {
            "__typename": "OrderAdjustment",
            "id": gid("OrderAdjustment", refund.id + 2),
            "amountSet": _bag(differs, money),
            "taxAmountSet": _bag(0, money),
            "reason": "REFUND_DISCREPANCY",
        }
    ]


def _refund_transaction(order: ShopOrder, refund: RefundMade) -> Graph:
    return {
        **_named("OrderTransaction", refund.transaction),
        "kind": "REFUND",
        "status": "SUCCESS",
        "gateway": order.gateway,
        "formattedGateway": order.gateway.replace("_", " ").title(),
        "amountSet": _bag(refund.amount, order.currency),
        "createdAt": stamp(refund.at),
        "processedAt": stamp(refund.at),
        "paymentId": f"c{order.id}.2",
        **_OPEN,
        "parentTransaction": _named("OrderTransaction", order.id + 7),
        "test": False,
    }


def node_graph(order: ShopOrder, state: State, wanted: str) -> Graph | None:
    """The order, a fulfilment or a refund of it by global id, or None."""
    if wanted == gid("Order", order.id):
        return order_graph(order, state)
    for parcel in state.shipped:
        if wanted == gid("Fulfillment", parcel.id):
            return _fulfillment(order, state, parcel)
    for refund in state.refunds:
        if wanted == gid("Refund", refund.id):
            return _refund(order, state, refund)
    return None


def _location(number: str) -> Graph:
    return {**_named("Location", int(number)), "name": number}


def _customer(order: ShopOrder) -> Graph:
    buyer = order.buyer
    return {
        **_named("Customer", buyer.id),
        "firstName": buyer.first_name,
        "lastName": buyer.last_name,
        "displayName": f"{buyer.first_name} {buyer.last_name}",
        "email": buyer.email,
        "phone": None,
    }


def _address(order: ShopOrder) -> Graph:
    buyer, place = order.buyer, order.buyer.destination
    return {
        "__typename": "MailingAddress",
        "id": gid("MailingAddress", order.id + 5),
        "firstName": buyer.first_name,
        "lastName": buyer.last_name,
        "name": f"{buyer.first_name} {buyer.last_name}",
        "company": None,
        "address1": buyer.street,
        "address2": None,
        "city": place.city,
        "zip": place.postcode,
        "province": place.state,
        "provinceCode": place.state_code,
        "country": "United States",
        "countryCode": "US",
        "countryCodeV2": "US",
        "phone": f"+1555{buyer.id % 10**7:07d}",
    }
