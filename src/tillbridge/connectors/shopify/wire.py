"""The shop's own words: webhook payloads (the REST shapes), exactly the fields that are used.

Types are strict. An amount is a decimal string or a JSON number (both occur in one payload), never
null. Fields that older payloads lack (sets, allocations, current totals) have defaults; the oldest
seen are of 2017. Plain amounts and `shop_money` of the sets are in the shop's currency; the set
wins where both stand. Presentment money (what the buyer saw) is not read.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

# A number, or its text, or a global id; always kept as the number's text (`number`).
Id = (
    Annotated[int, Meta(ge=1)]
    | Annotated[str, Meta(pattern=r"^(gid://shopify/[A-Za-z]+/)?[0-9]{1,20}\Z")]
)
# [0-9], because \d takes digits of any script. More than 15 digits do not survive a double.
Amount = Annotated[str, Meta(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,10})?\Z")] | int | float
Instant = Annotated[datetime, Meta(tz=True)]
Quantity = Annotated[int, Meta(ge=0)]

FINANCIAL = Literal[
    "pending",
    "unpaid",
    "authorized",
    "partially_paid",
    "paid",
    "partially_refunded",
    "refunded",
    "voided",
    "expired",
]


def number(found: Id) -> str:
    """The bare number of an id as text: 5, "5" and "gid://shopify/Order/5" are all "5"."""
    return str(found).rsplit("/", 1)[-1]


def decimal(amount: Amount) -> Decimal:
    """An amount exactly as it was written (a JSON number by its shortest text)."""
    return Decimal(amount if isinstance(amount, str) else repr(amount))


class Money(msgspec.Struct, frozen=True):
    """An amount with its currency."""

    amount: Amount
    currency_code: str


class MoneySet(msgspec.Struct, frozen=True):
    """The same amount in the shop's currency, which is booked, and the buyer's, which is kept."""

    shop_money: Money
    presentment_money: Money | None = None


class TaxLine(msgspec.Struct, frozen=True):
    """A tax; `channel_liable`: a marketplace collects and remits it."""

    price: Amount
    title: str = ""
    rate: Amount | None = None
    price_set: MoneySet | None = None
    channel_liable: bool | None = None


class Allocation(msgspec.Struct, frozen=True):
    """A line's share of a discount."""

    amount: Amount
    amount_set: MoneySet | None = None


class Duty(msgspec.Struct, frozen=True):
    """Import duty on a line."""

    id: Id
    shop_money: Money
    tax_lines: list[TaxLine] = []


class Tip(msgspec.Struct, frozen=True):
    """Marks a line item that is a tip."""

    payment_gateway: str | None = None


class LineItem(msgspec.Struct, frozen=True):
    """A line; `price` is of one unit, includes tax where the order's taxes_included says so."""

    id: Id
    quantity: Quantity
    price: Amount
    title: str = ""
    variant_title: str | None = None
    sku: str | None = None
    variant_id: Id | None = None
    gift_card: bool = False
    requires_shipping: bool = True
    taxable: bool = True
    fulfillment_status: str | None = None
    price_set: MoneySet | None = None
    total_discount: Amount = "0"
    total_discount_set: MoneySet | None = None
    discount_allocations: list[Allocation] = []
    tax_lines: list[TaxLine] = []
    duties: list[Duty] = []
    tip: Tip | None = None


class ShippingLine(msgspec.Struct, frozen=True):
    """A delivery charge; a line that an edit removed is still told, with `is_removed`."""

    id: Id
    price: Amount
    title: str | None = None
    price_set: MoneySet | None = None
    discounted_price: Amount | None = None
    discounted_price_set: MoneySet | None = None
    discount_allocations: list[Allocation] = []
    tax_lines: list[TaxLine] = []
    is_removed: bool = False


class DiscountCode(msgspec.Struct, frozen=True):
    """A code the buyer used; only whether it was for shipping matters (old payloads)."""

    type: str = ""


class Address(msgspec.Struct, frozen=True):
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
    country_code: str | None = None
    phone: str | None = None


class Customer(msgspec.Struct, frozen=True):
    """The buyer as the shop knows them."""

    id: Id | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    default_address: Address | None = None


class FulfilledLine(msgspec.Struct, frozen=True):
    """A line item of a fulfilment: `quantity` is what this fulfilment took of it."""

    id: Id
    quantity: Quantity


class Fulfillment(msgspec.Struct, frozen=True):
    """A fulfilment; told alone it names its order."""

    id: Id
    status: Literal["pending", "open", "success", "cancelled", "error", "failure"]
    created_at: Instant
    updated_at: Instant
    line_items: list[FulfilledLine]
    order_id: Id | None = None
    location_id: Id | None = None
    tracking_company: str | None = None
    tracking_number: str | None = None


class Transaction(msgspec.Struct, frozen=True):
    """A money movement; `amount` is in `currency`, `amount_set` (re-read only) in the shop's.

    payment_id: what authorisation, captures and refunds of one payment share. receipt: whatever the
    gateway says; only the id of a gift card is read.
    """

    id: Id
    kind: Literal[
        "authorization",
        "emv_authorization",
        "capture",
        "sale",
        "change",
        "void",
        "refund",
    ]
    status: Literal["pending", "success", "failure", "error", "unknown", "awaiting_response"]
    amount: Amount
    created_at: Instant
    gateway: str = ""
    currency: str | None = None
    processed_at: Instant | None = None
    parent_id: Id | None = None
    order_id: Id | None = None
    amount_set: MoneySet | None = None
    payment_id: str | None = None
    authorization_expires_at: Instant | None = None
    receipt: Any = None


class RefundLine(msgspec.Struct, frozen=True):
    """Part of a line given back; `subtotal` includes tax where the order's prices do. Programs that
    make refunds for the shop leave the tax out.
    """

    line_item_id: Id
    quantity: Quantity
    subtotal: Amount
    total_tax: Amount | UnsetType = UNSET
    subtotal_set: MoneySet | None = None
    total_tax_set: MoneySet | None = None
    restock_type: Literal["no_restock", "cancel", "return", "legacy_restock"] | None = None
    location_id: Id | None = None
    line_item: LineItem | None = None


class OrderAdjustment(msgspec.Struct, frozen=True):
    """A difference between calculated and given back: negative = given back, positive = kept."""

    amount: Amount
    tax_amount: Amount = "0"
    kind: Literal["shipping_refund", "refund_discrepancy"] | None = None
    amount_set: MoneySet | None = None
    tax_amount_set: MoneySet | None = None


class RefundShippingLine(msgspec.Struct, frozen=True):
    """Shipping given back; since 2024-10 the place to read it."""

    subtotal_amount_set: MoneySet
    tax_amount_set: MoneySet | None = None


class Refund(msgspec.Struct, frozen=True):
    """A refund record; money moved only with its successful transactions."""

    id: Id
    created_at: Instant
    refund_line_items: list[RefundLine] = []
    order_adjustments: list[OrderAdjustment] = []
    refund_shipping_lines: list[RefundShippingLine] = []
    transactions: list[Transaction] = []
    order_id: Id | None = None
    processed_at: Instant | None = None
    restock: bool | None = None
    total_duties_set: MoneySet | None = None
    total_additional_fees_set: MoneySet | None = None


class PaymentSchedule(msgspec.Struct, frozen=True):
    """A part of an order sold on terms, and when it is due."""

    due_at: Instant | None = None


class PaymentTerms(msgspec.Struct, frozen=True):
    """By when a business buyer pays: `net` so many days after the order, `fixed` on a day."""

    payment_terms_type: str | None = None
    due_in_days: int | None = None
    payment_schedules: list[PaymentSchedule] = []


class Order(msgspec.Struct, frozen=True):
    """An order, whole, at `updated_at`; amounts in `currency`, the shop's."""

    id: Id
    name: str
    currency: str
    created_at: Instant
    updated_at: Instant
    total_price: Amount
    taxes_included: bool
    line_items: list[LineItem]
    processed_at: Instant | None = None
    cancelled_at: Instant | None = None
    cancel_reason: str | None = None
    test: bool = False
    financial_status: FINANCIAL | None = None
    source_name: str | None = None
    location_id: Id | None = None
    email: str | None = None
    phone: str | None = None
    customer: Customer | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    payment_gateway_names: list[str] = []
    total_price_set: MoneySet | None = None
    total_tax: Amount = "0"
    total_tax_set: MoneySet | None = None
    total_discounts: Amount = "0"
    total_discounts_set: MoneySet | None = None
    total_outstanding: Amount | None = None
    current_total_price: Amount | None = None
    total_tip_received: Amount = "0"
    total_cash_rounding_payment_adjustment_set: MoneySet | None = None
    original_total_duties_set: MoneySet | None = None
    original_total_additional_fees_set: MoneySet | None = None
    duties_included: bool = False
    discount_codes: list[DiscountCode] = []
    tax_lines: list[TaxLine] = []
    shipping_lines: list[ShippingLine] = []
    fulfillments: list[Fulfillment] = []
    refunds: list[Refund] = []
    transactions: list[Transaction] = []
    payment_terms: PaymentTerms | None = None


class OrderEdit(msgspec.Struct, frozen=True):
    """What `orders/edited` says of an edit; the order itself has to be read."""

    order_id: Id


class OrderEdited(msgspec.Struct, frozen=True):
    """Body of `orders/edited`."""

    order_edit: OrderEdit


class Variant(msgspec.Struct, frozen=True):
    """A sellable variant; price in the shop's currency."""

    id: Id
    title: str
    price: Amount
    updated_at: Instant
    sku: str | None = None
    barcode: str | None = None


class Product(msgspec.Struct, frozen=True):
    """A product with its variants."""

    id: Id
    title: str
    updated_at: Instant
    variants: list[Variant]
    status: Literal["active", "archived", "draft", "unlisted"] | None = None


class DeletedProduct(msgspec.Struct, frozen=True):
    """Body of `products/delete`: the product's id and nothing else."""

    id: Id


class InventoryLevel(msgspec.Struct, frozen=True):
    """Stock available at a location: less the shop's own open orders. None: not tracked."""

    inventory_item_id: Id
    location_id: Id
    updated_at: Instant
    available: int | None = None


class DisconnectedLevel(msgspec.Struct, frozen=True):
    """Body of `inventory_levels/disconnect`."""

    inventory_item_id: Id
    location_id: Id


class PrivacyRequest(msgspec.Struct, frozen=True):
    """Body of `customers/data_request`, `customers/redact` and `shop/redact`."""

    customer: Customer | None = None
    orders_requested: list[Id] = []
    orders_to_redact: list[Id] = []
