"""Products, locations and parties as outside systems tell them."""

from __future__ import annotations

import msgspec

from tillbridge.canonical.fact import Fact


class ProductChanged(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A sellable product (a variant) as a system describes it; price in minor units or None."""

    product: str
    title: str
    version: str
    unit: str = "EA"
    gtin: str = ""
    price: int | None = None
    currency: str = ""
    department: str = ""
    removed: bool = False


class LocationChanged(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A store or warehouse as a system describes it."""

    location: str
    title: str
    version: str
    active: bool = True


class PartyDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """Personal data of a buyer. Never part of a fact: it goes to the `party` table (the vault),
    facts carry only `party` (the id). Erasing a person blanks that one row.
    """

    party: str
    name: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""
    street: str = ""
    street2: str = ""
    city: str = ""
    postcode: str = ""
    region: str = ""
    country: str = ""
