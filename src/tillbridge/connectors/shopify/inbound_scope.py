"""What every translation of one payload needs at hand: connection, settings, names, currency."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tillbridge.atoms import ids
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import MoneyError, to_minor
from tillbridge.canonical.fact import Entities
from tillbridge.connectors.shopify import wire
from tillbridge.connectors.shopify.config import ShopifyConfig
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection
from tillbridge.contract.wire import WireError

MAPPING = "shopify/1"


class CurrencyDiffers(Exception):
    """An amount is told in the buyer's currency only; the order read again tells the shop's."""


class Scope:
    """One payload's translation: the currency its facts are in, and the look-ups it may make."""

    def __init__(self, connection: Connection, names: Names, currency: str = "") -> None:
        """currency: the shop's, as the payload says; "" = as configured."""
        self.connection = connection
        self.settings = (
            connection.settings
            if isinstance(connection.settings, ShopifyConfig)
            else ShopifyConfig()
        )
        self.names = names
        self.currency = currency or self.settings.shop_currency or connection.currency
        self.taxes: dict[tuple[str, Decimal | None], tuple[str, int | None]] = {}
        self._zone = ZoneInfo(connection.timezone)

    def order_key(self, order: wire.Id) -> str:
        """Aggregate key of an order."""
        return ids.key_of("order", self.connection.name, wire.number(order))

    def minor(
        self, amount: wire.Amount, found: wire.MoneySet | None, where: str, *, signed: bool = False
    ) -> int:
        """Minor units of an amount; the set's shop money wins. Raises NeedsDecision when it is
        negative (unless `signed`), too fine for its currency or in another one.
        """
        if found is not None:
            amount = found.shop_money.amount
            if found.shop_money.currency_code != self.currency:
                raise NeedsDecision(
                    "currency_differs",
                    f"{where}: shop money in {found.shop_money.currency_code}, the order is in "
                    f"{self.currency}",
                    owner="ecommerce",
                )
        try:
            value = to_minor(wire.decimal(amount), self.currency)
        except MoneyError as problem:
            raise WireError(f"{where}: {problem}") from None
        if value < 0 and not signed:
            raise WireError(f"{where}: {amount} is negative")
        return value

    def set_minor(self, found: wire.MoneySet | None, where: str, *, signed: bool = False) -> int:
        """Minor units of an amount that is told as a set only; 0 when it is left out."""
        return 0 if found is None else self.minor("0", found, where, signed=signed)

    def location(self, found: wire.Id | None, where: str) -> str:
        """Our code of a location; without one the configured default, else the name `default`."""
        if found is not None:
            return self.names.ours("location", wire.number(found), where=where)
        if self.settings.default_location:
            return self.settings.default_location
        return self.names.ours(
            "location", "default", where=where, hint="a fulfilment that names no location"
        )

    def tender(self, gateway: str, where: str) -> str:
        """Our tender code of a payment gateway."""
        return self.names.ours("tender", gateway.strip() or "unnamed", where=where)

    def about(
        self, key: str, ident: str, occurred_at: datetime, location: str = ""
    ) -> dict[str, Any]:
        """The fields every fact has. location: where it was fulfilled, for its legal entity."""
        entity = self.connection.location_entities.get(location, "")
        selling = self.connection.entity
        return {
            "key": key,
            "id": ident,
            "source": self.connection.name,
            "mapping": MAPPING,
            "occurred_at": occurred_at.astimezone(UTC),
            "business_date": self.date(occurred_at),
            "entities": Entities(selling, fulfilling="" if entity == selling else entity),
        }

    def date(self, instant: datetime) -> date:
        """Business date of an instant in the connection's zone."""
        return instant.astimezone(self._zone).date()


def version(*instants: datetime | None) -> str:
    """Sortable text of the latest of some instants: UTC, whole seconds (the vendor's grain)."""
    latest = max(found.astimezone(UTC) for found in instants if found is not None)
    return latest.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def plain_text(text: str | None, longest: int = 120) -> str:
    """One line of printable text: runs of blanks and control characters become one blank."""
    kept = text or ""
    if not kept.isprintable():
        kept = "".join(letter if letter.isprintable() else " " for letter in kept)
    return " ".join(kept.split())[:longest]
