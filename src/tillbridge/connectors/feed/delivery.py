"""One delivery as its translators see it: rows, names, the connection, and what they all share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import key_of
from tillbridge.atoms.money import MoneyError, exponent, to_text
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.orders import TaxLine
from tillbridge.connectors.feed.config import FeedConfig
from tillbridge.connectors.feed.fields import Reading, identity_of, readings, unreadable
from tillbridge.connectors.feed.mapping import Mapping
from tillbridge.connectors.feed.transforms import WrongValue
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection, Message

PPM = 10_000  # parts per million in one percent


class Amounts(msgspec.Struct, frozen=True):
    """A line's amounts in minor units without tax, as the file says them."""

    list: int
    discount: int
    taxes: tuple[TaxLine, ...]

    @property
    def gross(self) -> int:
        """What the line adds to the total."""
        return self.list - self.discount + sum(tax.amount for tax in self.taxes)


class Delivery(msgspec.Struct, frozen=True):
    """A delivery of a feed on its way to facts."""

    mapping: Mapping
    rows: list[dict[str, Any]]
    places: list[str]
    message: Message
    connection: Connection
    names: Names
    settings: FeedConfig

    def head(self, section: str = "head", currency: str = "") -> Reading:
        """The first row that the section reads; refused when there is none."""
        found = next(self.parts(section, currency), None)
        if found is None:
            raise unreadable(self.places[0], f"no row is a {section}")
        return found

    def parts(self, section: str, currency: str = "") -> Iterator[Reading]:
        """All parts of a section."""
        return readings(self.mapping, self.rows, self.places, section, currency)

    def currency_of(self, head: Reading) -> str:
        """ISO 4217 code of the delivery: mapped, else the connection's."""
        found = head.text("currency") or self.connection.currency
        try:
            exponent(found)
        except MoneyError as problem:
            raise unreadable(head.where("currency"), str(problem)) from None
        return found

    def name(self, table: str, head: Reading, field: str, hint: str = "") -> str:
        """Our name for a field's text; "" for an empty one."""
        theirs = head.text(field)
        return self.names.ours(table, theirs, where=head.where(field), hint=hint) if theirs else ""

    def zone(self, location: str) -> str:
        """IANA zone of a location of ours."""
        return self.connection.location_zones.get(location, self.connection.timezone)

    def entities(self, location: str = "") -> Entities:
        """Selling entity: of the location where it has its own."""
        entity = self.connection.location_entities.get(location, self.connection.entity)
        return Entities(selling=entity)

    def key(self, kind: str, *parts: str) -> str:
        """Aggregate key in the file's own terms."""
        return key_of(kind, self.connection.name, *parts)

    def order_key(self, order: str) -> str:
        """Key of an order a row names: of this connection, or `order/web/1001` of another."""
        return order if order.startswith("order/") else self.key("order", order)

    def identity(self) -> tuple[str, ...]:
        """Values of the identity columns, as `split` took them."""
        # Rows of one delivery share them, so the first one speaks for all.
        try:
            return identity_of(self.mapping, self.rows[0])
        except WrongValue as problem:
            raise unreadable(self.places[0], str(problem)) from None

    def carried(
        self, key: str, fact_id: str, at: datetime, day: date, location: str = ""
    ) -> dict[str, Any]:
        """What every fact carries."""
        return {
            "key": key,
            "id": fact_id,
            "source": self.connection.name,
            "mapping": f"feed/{self.mapping.version}",
            "occurred_at": at,
            "business_date": day,
            "entities": self.entities(location),
        }

    def amounts(self, line: Reading, sign: int = 1) -> Amounts:
        """List, discount and taxes of a line; `sign` -1 turns a return told without sign."""
        discount = sign * (line.amount("discount") or 0)
        taxes = tuple(self._taxes(line, sign))
        tax = sum(found.amount for found in taxes)
        if "gross" in line.part.fields:
            full = sign * self._stated(line, "gross") - tax + discount
        elif "net" in line.part.fields:
            full = sign * self._stated(line, "net") + discount
        else:
            full = sign * self._stated(line, "list")
        return Amounts(full, discount, taxes)

    def tax(self, reading: Reading, code: str, amount: int, base: int, rate: str) -> TaxLine:
        """A tax under our code; jurisdiction is that code (the table `tax` names the payable)."""
        ours = self.name("tax", reading, code)
        percent = reading.decimal(rate)
        ppm = None if percent is None else int(percent * PPM)
        return TaxLine(code=ours, jurisdiction=ours, amount=amount, base=base, rate_ppm=ppm)

    def _taxes(self, line: Reading, sign: int) -> Iterator[TaxLine]:
        amount = line.amount("tax")
        if not amount:
            return
        if not line.has("tax_code"):
            raise unreadable(line.where("tax_code"), f"tax_code is empty beside a tax of {amount}")
        found = self.tax(line, "tax_code", sign * amount, 0, "tax_rate")
        if line.has("collector"):
            found = msgspec.structs.replace(found, collector=line.choice("collector"))
        yield found

    def _stated(self, line: Reading, field: str) -> int:
        found = line.amount(field)
        if found is None:
            raise unreadable(line.where(field), f"{field} is empty")
        return found


def differ(
    first: str, found: int, second: str, stated: int, currency: str, owner: str
) -> NeedsDecision:
    """The case of two sums (minor units) that do not meet; never plugged."""
    gap = stated - found
    words = (
        f"{first} {to_text(found, currency)}, {second} {to_text(stated, currency)} {currency} "
        f"(difference {to_text(gap, currency)})"
    )
    return NeedsDecision("totals_differ", words, owner=owner, amount=abs(gap), currency=currency)
