"""The words of the shop at the hub's API, as docs/api.md has them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.atoms.money import to_text
from tillbridge.connectors.sandbox.assortment import BY_CODE

AVAILABILITY, RESERVE, CONFIRM = "availability", "reserve", "confirm"
RELEASE, CHECK, ORDER = "release", "check", "order"
ROUTES = (AVAILABILITY, RESERVE, CONFIRM, RELEASE, CHECK, ORDER)
GOOD = {AVAILABILITY: 200, RESERVE: 201, CONFIRM: 200, RELEASE: 200, CHECK: 200, ORDER: 202}
"""The answer each route gives when it did what it was asked."""
REFUSED = 409
REFUSALS = {
    RESERVE: b"stock-short",
    CONFIRM: b"reservation-ended",
    RELEASE: b"reservation-ended",
}
"""Routes that may say no, and the type of problem they say it with."""
NEW_YORK = {"country": "US", "region": "NY", "postcode": "10014", "city": "New York"}


def look(product: str) -> str:
    """Address of what the channel may sell of a product."""
    return f"/v1/availability?product={product}"


def cart(product: str, seconds: int) -> bytes:
    """A soft reservation of one piece, wherever the channel sells from."""
    told = {"lines": [_line(product)], "expires_in": seconds}
    return msgspec.json.encode(told)


def confirmation(number: str) -> bytes:
    """The cart becomes an order of this number."""
    return msgspec.json.encode({"order": number})


def reservation_id(told: bytes) -> str:
    """The id out of the answer to `cart`."""
    found: str = msgspec.json.decode(told)["id"]
    return found


def basket(product: str) -> bytes:
    """A basket for checkout/validate."""
    place = {name: NEW_YORK[name] for name in ("country", "region")}
    return msgspec.json.encode({"lines": [_line(product)], "ship_to": place})


def order(number: str, product: str, reservation: str, now: datetime) -> bytes:
    """A paid order that takes a reservation over."""
    amount = to_text(BY_CODE[product].price, "USD")
    line = {**_line(product), "list": amount, "title": BY_CODE[product].name}
    return msgspec.json.encode(
        {
            "number": number,
            "placed_at": now,
            "currency": "USD",
            "total": amount,
            "lines": [line],
            "paid": amount,
            "tender": "card",
            "customer": {"id": number, "name": "A. Buyer", "email": f"{number}@example.com"},
            "ship_to": NEW_YORK,
            "reservation": reservation,
        }
    )


def is_refused(route: str, status: int, told: bytes) -> bool:
    """Whether an answer is a no that buyers of the product on sale must live with: none is left,
    or the cart's piece turned out to be sold at a till, or its time was over.
    """
    words = REFUSALS.get(route)
    return status == REFUSED and words is not None and words in told


def _line(product: str) -> dict[str, str]:
    return {"line": "1", "product": product, "quantity": "1"}
