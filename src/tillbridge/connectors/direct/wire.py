"""An order as a program hands it in: one JSON document that is one whole version of it.

Amounts are decimal texts of major units ("10.50"), quantities decimal texts of units ("2",
"0.750"), none of them negative. Codes of products, locations, taxes and departments are the hub's
own; a tender is one of the kinds (`card`, `gift-card`, ...) or a name the hub was given.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

TOPIC = "order"
Text = Annotated[str, msgspec.Meta(max_length=300)]
Code = Annotated[str, msgspec.Meta(max_length=120)]
Named = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Amount = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$")]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Tax(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tax of a line as it was charged. rate: percent. collector: who remits it."""

    code: Named
    amount: Amount
    jurisdiction: Code = ""
    base: Amount | UnsetType = UNSET
    rate: Amount | UnsetType = UNSET
    collector: Literal["seller", "marketplace"] = "seller"


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line; amounts are for the whole line and without tax. list: before discounts. product: ""
    for amounts without goods (shipping, fee, tip). ships: whether goods go out for it.
    """

    line: Named
    quantity: Amount
    list: Amount
    product: Code = ""
    kind: Literal["goods", "service", "shipping", "gift_card", "tip", "fee", "duty"] = "goods"
    discount: Amount = "0"
    taxes: Annotated[tuple[Tax, ...], msgspec.Meta(max_length=20)] = ()
    unit: Code = "EA"
    department: Code = ""
    promotion: Code = ""
    title: Text = ""
    ships: bool = True


class Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the goods go. country: ISO 3166-1 alpha-2. region: ISO 3166-2 without the country."""

    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
    region: Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{0,3}$")] = ""
    postcode: Annotated[str, msgspec.Meta(max_length=20)] = ""
    city: Text = ""
    street: Text = ""
    street2: Text = ""


class Customer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The buyer. id: as the program knows him, "" for a guest."""

    id: Code = ""
    name: Text = ""
    email: Text = ""
    phone: Text = ""
    company: Text = ""


class OrderDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order, whole. number: unique within the connection. updated_at: instant of this version,
    the later one wins; placed_at when left out. total: what the buyer owes with tax, and the sum of
    the lines. paid: so far, left out when it is not known; tender: by what. location: where it
    was sold. collect_at: the one place where the buyer will collect the goods. reservation: id of
    stock held for it, which it takes over. replaces: number of the order that was cancelled for it;
    `paid` counts what was paid for that one too.
    payment_days: sold on account, each invoice due so many days after it.
    tax: `missing` when the program does not know it: no line names any, the total is without it,
    and the hub has it worked out before anything goes out.
    """

    number: Named
    placed_at: Instant
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    total: Amount
    lines: Annotated[tuple[Line, ...], msgspec.Meta(min_length=1, max_length=500)]
    updated_at: Instant | None = None
    cancelled_at: Instant | None = None
    cancel_reason: Literal["customer", "fraud", "inventory", "declined", "staff", "other"] = "other"
    paid: Amount | UnsetType = UNSET
    tender: Code = ""
    customer: Customer = Customer()
    ship_to: Address | None = None
    location: Code = ""
    collect_at: Code = ""
    reservation: Code = ""
    replaces: Code = ""
    test: bool = False
    tax: Literal["told", "missing"] = "told"
    payment_days: Annotated[int, msgspec.Meta(ge=0, le=365)] | None = None
