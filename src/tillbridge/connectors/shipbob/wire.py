"""ShipBob's words: what is sent and what is read of what comes back (API 2026-07).

Source: developer.shipbob.com, Create Order, Get Orders, Cancel Order, Status Reference, Webhooks.
"""

from __future__ import annotations

import msgspec

from tillbridge.contract.wire import parse

PROCESSING, COMPLETED, EXCEPTION = "Processing", "Completed", "Exception"
ON_HOLD, CANCELLED = "OnHold", "Cancelled"
STATUSES = ("None", PROCESSING, COMPLETED, EXCEPTION, ON_HOLD, CANCELLED, "CleanSweeped", "Pending")


class Address(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a parcel goes; country: ISO 3166-1 alpha-2."""

    address1: str
    city: str
    country: str
    address2: str = ""
    company_name: str = ""
    state: str = ""
    zip_code: str = ""


class Recipient(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who gets it."""

    name: str
    address: Address
    email: str = ""
    phone_number: str = ""


class Tag(msgspec.Struct, frozen=True):
    """A name and a value kept with an order."""

    name: str
    value: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A product of an order to be made; external_line_id: a number of ours."""

    reference_id: str
    quantity: int
    external_line_id: int


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order to be made. reference_id: ours, once per channel. location_id: the center it shall
    leave from; without one ShipBob chooses.
    """

    reference_id: str
    order_number: str
    shipping_method: str
    recipient: Recipient
    products: list[Wanted]
    tags: list[Tag] = []
    location_id: int | None = None
    type: str = "DTC"


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    """An inventory item of a product in a shipment, whole pieces."""

    quantity: int


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """A product in a shipment; one that is no bundle has one kind of inventory item."""

    reference_id: str
    inventory_items: list[Inside] = []


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """A finer word for a status."""

    name: str


class Tracking(msgspec.Struct, frozen=True, kw_only=True):
    """Of the parcel."""

    carrier: str | None = None
    tracking_number: str | None = None


class Center(msgspec.Struct, frozen=True, kw_only=True):
    """Where a shipment leaves from."""

    id: int


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """A shipment of an order; instants are RFC 3339."""

    id: int
    status: str
    last_update_at: str
    products: list[Packed]
    location: Center | None = None
    status_details: list[Detail] | None = None
    tracking: Tracking | None = None
    delivery_date: str | None = None


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """A product of an order as it was made."""

    reference_id: str
    quantity: int
    external_line_id: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order as ShipBob shows it. reference_id: ours, or another program's."""

    id: int
    reference_id: str
    status: str
    products: list[Ordered]
    shipments: list[Shipment]
    last_update_date: str = ""
    order_number: str = ""
    tags: list[Tag] | None = None


class CancelResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of cancelling one shipment."""

    shipment_id: int
    is_success: bool
    reason: str | None = None


class Cancelled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of cancelling an order."""

    canceled_shipment_results: list[CancelResult]


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel of the account."""

    id: int
    name: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a webhook: which order it is about."""

    order_id: int


def read_order(body: bytes) -> Order:
    """Raises WireError when the answer cannot be believed."""
    return parse(Order, body)


def read_orders(body: bytes) -> list[msgspec.Raw]:
    """Orders of a page, each as its bytes. Raises WireError when it is no list."""
    parse(list[Order], body)
    return msgspec.json.decode(body, type=list[msgspec.Raw])


def read_cancelled(body: bytes) -> Cancelled:
    """Raises WireError when the answer cannot be believed."""
    return parse(Cancelled, body)


def read_channels(body: bytes) -> list[Channel]:
    """Raises WireError when the answer cannot be believed."""
    return parse(list[Channel], body)


def read_told(body: bytes) -> Told:
    """Raises WireError when a webhook names no order."""
    return parse(Told, body)
