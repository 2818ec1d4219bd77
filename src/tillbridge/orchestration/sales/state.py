"""State of one till transaction: what was told of it, and whether it was voided."""

from __future__ import annotations

import hashlib
from datetime import date

import msgspec

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.registry import encode
from tillbridge.canonical.sales import SaleVoided
from tillbridge.orchestration.orders.return_state import Return
from tillbridge.orchestration.sales.aisle import Aisle
from tillbridge.orchestration.sales.share_state import Share, Shared


class SaleReturns(msgspec.Struct, frozen=True, omit_defaults=True):
    """Goods that came back. told: keys of the sales and orders that this transaction took goods
    back of. back: what is known of returns of this transaction's own goods, by return id. shared:
    what it sold for partners; booked, tellings: what of that was told to finance, and how often.
    """

    told: tuple[str, ...] = ()
    back: dict[str, Return] = {}
    shared: Shared | None = None
    booked: dict[str, Share] = {}
    tellings: int = 0


class SaleState(msgspec.Struct, omit_defaults=True):
    """A till transaction as told. fact_hash is of its business content, b"" while only a void of
    it is known; pending_void keeps that void until the sale comes. aisle: what it told orders.
    """

    key: str
    type: str = ""
    fact_hash: bytes = b""
    source: str = ""
    location: str = ""
    till: str = ""
    business_date: date | None = None
    sequence: str = ""
    receipt: str = ""
    total: int | None = None
    currency: str = ""
    voided: bool = False
    pending_void: SaleVoided | None = None
    returns: SaleReturns = SaleReturns()
    aisle: Aisle | None = None


def content_hash(body: Fact) -> bytes:
    """SHA-256 of what a till transaction says, without who carried it (source, mapping)."""
    plain = msgspec.structs.replace(body, source="", mapping="")
    return hashlib.sha256(encode(plain)).digest()
