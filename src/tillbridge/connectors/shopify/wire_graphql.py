"""The shop's words again, as the GraphQL Admin API says them of one order.

An order is read again whole: the client loops every nested connection and stores one document
`{"order": {...}}` whose connections are plain lists under `nodes`. Amounts are money bags.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from tillbridge.connectors.shopify.wire import Amount, Id, Instant, Quantity

T = TypeVar("T")


class Nodes(msgspec.Struct, Generic[T], frozen=True):
    """A connection, all of its pages together."""

    nodes: list[T]


class Money(msgspec.Struct, frozen=True, rename="camel"):
    """An amount with its currency."""

    amount: Amount
    currency_code: str


class Bag(msgspec.Struct, frozen=True, rename="camel"):
    """A money bag; the buyer's side is asked of an order's totals alone."""

    shop_money: Money
    presentment_money: Money | None = None


class Reference(msgspec.Struct, frozen=True):
    """Another object, by id."""

    id: Id


class TaxLine(msgspec.Struct, frozen=True, rename="camel"):
    """A tax."""

    price_set: Bag
    title: str = ""
    rate: Amount | None = None
    channel_liable: bool | None = None


class Allocation(msgspec.Struct, frozen=True, rename="camel"):
    """A line's share of a discount."""

    allocated_amount_set: Bag


class Duty(msgspec.Struct, frozen=True, rename="camel"):
    """Import duty on a line."""

    id: Id
    price: Bag
    tax_lines: list[TaxLine] = []


class LineItem(msgspec.Struct, frozen=True, rename="camel"):
    """A line; `original_unit_price_set` includes tax where the order's taxesIncluded says so."""

    id: Id
    quantity: Quantity
    original_unit_price_set: Bag
    is_gift_card: bool
    requires_shipping: bool
    title: str = ""
    variant_title: str | None = None
    sku: str | None = None
    taxable: bool = True
    variant: Reference | None = None
    discount_allocations: list[Allocation] = []
    tax_lines: list[TaxLine] = []
    duties: list[Duty] = []


class ShippingLine(msgspec.Struct, frozen=True, rename="camel"):
    """A delivery charge."""

    id: Id
    original_price_set: Bag
    title: str | None = None
    discounted_price_set: Bag | None = None
    discount_allocations: list[Allocation] = []
    tax_lines: list[TaxLine] = []


class Address(msgspec.Struct, frozen=True, rename="camel"):
    """A postal address."""

    first_name: str | None = None
    last_name: str | None = None
    name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    zip: str | None = None
    province: str | None = None
    province_code: str | None = None
    country_code_v2: str | None = None
    phone: str | None = None


class Tracking(msgspec.Struct, frozen=True):
    """Who carries a parcel, under which number."""

    company: str | None = None
    number: str | None = None


class FulfilledLine(msgspec.Struct, frozen=True, rename="camel"):
    """A line of a fulfilment."""

    line_item: Reference
    quantity: Quantity


class Fulfillment(msgspec.Struct, frozen=True, rename="camel"):
    """A fulfilment."""

    id: Id
    status: str
    created_at: Instant
    updated_at: Instant
    fulfillment_line_items: Nodes[FulfilledLine]
    location: Reference | None = None
    tracking_info: list[Tracking] = []


class Transaction(msgspec.Struct, frozen=True, rename="camel"):
    """A money movement."""

    id: Id
    kind: str
    status: str
    amount_set: Bag
    created_at: Instant
    gateway: str | None = None
    processed_at: Instant | None = None
    parent_transaction: Reference | None = None
    payment_id: str | None = None
    authorization_expires_at: Instant | None = None
    receipt_json: str | None = None


class RefundLine(msgspec.Struct, frozen=True, rename="camel"):
    """Part of a line given back."""

    line_item: Reference
    quantity: Quantity
    subtotal_set: Bag
    total_tax_set: Bag
    restock_type: str
    location: Reference | None = None


class OrderAdjustment(msgspec.Struct, frozen=True, rename="camel"):
    """A difference between calculated and given back; never shipping here."""

    amount_set: Bag
    tax_amount_set: Bag


class RefundShippingLine(msgspec.Struct, frozen=True, rename="camel"):
    """Shipping given back."""

    subtotal_amount_set: Bag
    tax_amount_set: Bag


class Refund(msgspec.Struct, frozen=True, rename="camel"):
    """A refund record."""

    id: Id
    created_at: Instant
    refund_line_items: Nodes[RefundLine]
    order_adjustments: Nodes[OrderAdjustment]
    refund_shipping_lines: Nodes[RefundShippingLine]
    transactions: Nodes[Reference]


class CashRounding(msgspec.Struct, frozen=True, rename="camel"):
    """What cash payments were rounded by."""

    payment_set: Bag


class Contact(msgspec.Struct, frozen=True, rename="camel"):
    """The buyer; mail and phone stand on the order."""

    id: Id
    first_name: str | None = None
    last_name: str | None = None


class Order(msgspec.Struct, frozen=True, rename="camel"):
    """An order, whole."""

    id: Id
    name: str
    currency_code: str
    created_at: Instant
    updated_at: Instant
    total_price_set: Bag
    taxes_included: bool
    line_items: Nodes[LineItem]
    shipping_lines: Nodes[ShippingLine]
    fulfillments: list[Fulfillment]
    refunds: list[Refund]
    transactions: list[Transaction]
    processed_at: Instant | None = None
    cancelled_at: Instant | None = None
    cancel_reason: str | None = None
    test: bool = False
    display_financial_status: str | None = None
    source_name: str | None = None
    retail_location: Reference | None = None
    email: str | None = None
    phone: str | None = None
    customer: Contact | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    payment_gateway_names: list[str] = []
    total_tax_set: Bag | None = None
    total_discounts_set: Bag | None = None
    total_outstanding_set: Bag | None = None
    total_tip_received_set: Bag | None = None
    total_cash_rounding_adjustment: CashRounding | None = None
    original_total_duties_set: Bag | None = None
    original_total_additional_fees_set: Bag | None = None
    duties_included: bool = False
    tax_lines: list[TaxLine] = []


class Reread(msgspec.Struct, frozen=True):
    """Body of topic `reread/order`."""

    order: Order
