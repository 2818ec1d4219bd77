"""What a till does beside selling: cash moved, the day closed and counted, numbers used up. Pure.

They stand in one sequence with the sales, so they are known by the same identity.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

from tillbridge.canonical.sales import CashMoved, SaleVoided, TenderCount, TillClosed, TillNoted
from tillbridge.connectors.feed.delivery import Delivery
from tillbridge.connectors.feed.fields import Reading, unreadable
from tillbridge.connectors.feed.transforms import zone_of
from tillbridge.contract.promises import Translation

_INTO_TILL = ("loan", "paid_in")


def cash_movement(delivery: Delivery) -> Translation:
    """CashMoved: the kind says whether it went in or out, whatever sign the file writes."""
    head = delivery.head()
    currency = delivery.currency_of(head)
    head = delivery.head(currency=currency)
    kind = head.choice("kind")
    sign = 1 if kind in _INTO_TILL else -1
    fact = CashMoved(
        **_carried(delivery, head),
        kind=kind,
        tender=delivery.name("tender", head, "tender"),
        amount=sign * abs(head.amount("amount") or 0),
        currency=currency,
        reason=head.text("reason"),
    )
    return Translation(facts=(fact,))


def till_close(delivery: Delivery) -> Translation:
    """TillClosed with a count for each tender told."""
    head = delivery.head()
    currency = delivery.currency_of(head)
    counts = tuple(
        TenderCount(
            delivery.name("tender", part, "tender"), part.amount("counted"), part.amount("expected")
        )
        for part in delivery.parts("count", currency)
    )
    tenders = [part.text("tender") for part in delivery.parts("count", currency)]
    if len(set(tenders)) != len(tenders):
        raise unreadable(delivery.places[0], "a tender is counted twice")
    fact = TillClosed(**_carried(delivery, head), currency=currency, counts=counts)
    return Translation(facts=(fact,))


def till_event(delivery: Delivery) -> Translation:
    """TillNoted: a number that was used up; with `voided`, the sale that it takes back as well."""
    head = delivery.head()
    carried = _carried(delivery, head)
    noted = TillNoted(**carried, kind=head.choice("kind"))
    if not head.has("voided"):
        return Translation(facts=(noted,))
    sale = delivery.key("sale", *head.text("voided").split("/"))
    void = SaleVoided(**{**carried, "key": sale, "id": f"{noted.key}/void"}, voided=sale)
    return Translation(facts=(void, noted))


def _carried(delivery: Delivery, head: Reading) -> dict[str, Any]:
    location = delivery.name("location", head, "location")
    zone = delivery.zone(location)
    day = head.day("day")
    evening = datetime.combine(day, time(23, 59, 59), zone_of(zone)).astimezone(UTC)
    at = head.instant("time", zone) or evening
    key = delivery.key("sale", *delivery.identity())
    return {
        **delivery.carried(key, key, at, day, location),
        "location": location,
        "till": head.text("till"),
        "sequence": head.text("sequence"),
    }


TILLS: dict[str, Callable[[Delivery], Translation]] = {
    "cash_movement": cash_movement,
    "till_close": till_close,
    "till_event": till_event,
}
