"""Which locations may serve an order, and in what order they are asked. Pure.

An order that the buyer collects is served by that one place. Any other is served by the channel's
places in the order they are written, or, when the channel says what a kilometre counts for, from
the cheapest on: cost per parcel plus distance to the buyer's postcode area.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Mapping

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.canonical.orders import Order, Place

FAILURES_MOST = 5
"""After so many places failed an order, a person looks for the next one."""
EARTH_KM = 6371
Point = tuple[float, float]  # latitude, longitude in degrees


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What sourcing knows of a location. at: where it is, None when nobody said. cost: of a parcel
    from there, minor units. collects: whether buyers may collect there.
    """

    at: Point | None = None
    cost: int = 0
    collects: bool = True


class Sourcing:
    """Sites by location code, and where postcode areas are."""

    def __init__(
        self,
        sites: Mapping[str, Site] | None = None,
        areas: Mapping[tuple[str, str], Point] | None = None,
    ) -> None:
        """areas: (ISO country, postcode area) -> its middle; an area of "" is the whole country."""
        self._sites = sites or {}
        self._areas = areas or {}
        self._ranked: dict[tuple[tuple[str, ...], int, str, str], tuple[str, ...]] = {}

    def candidates(
        self,
        order: Order,
        places: tuple[str, ...],
        nearest: int | None,
        failed: Collection[str] = (),
    ) -> tuple[str, ...]:
        """Locations to ask, the most preferred first.

        places: the channel's, in its order. nearest: minor units a kilometre counts for, None =
        distance and cost do not matter. failed: places that failed this order already.
        """
        if len(failed) >= FAILURES_MOST:
            return ()
        if order.collect_at:
            site = self._sites.get(order.collect_at, Site())
            places = (order.collect_at,) if site.collects else ()
        elif nearest is not None:
            places = self._from_the_cheapest(places, nearest, order.ship_to)
        if order.ship_from and not order.collect_at:
            places = (order.ship_from, *(place for place in places if place != order.ship_from))
        return tuple(place for place in places if place not in failed) if failed else places

    def _from_the_cheapest(
        self, places: tuple[str, ...], nearest: int, ship_to: Place
    ) -> tuple[str, ...]:
        """Worked out once per area; a place nobody located comes behind those with a distance."""
        asked = (places, nearest, ship_to.country, ship_to.postcode_area)
        known = self._ranked.get(asked)
        if known is None:
            buyer = self._where(ship_to)
            known = tuple(sorted(places, key=lambda place: self._price(place, buyer, nearest)))
            self._ranked[asked] = known
        return known

    def _where(self, ship_to: Place) -> Point | None:
        """Middle of the longest known beginning of the postcode area, else of the country."""
        area = ship_to.postcode_area
        for length in range(len(area), -1, -1):
            found = self._areas.get((ship_to.country, area[:length]))
            if found is not None:
                return found
        return None

    def _price(self, place: str, buyer: Point | None, nearest: int) -> tuple[bool, int]:
        site = self._sites.get(place, Site())
        if buyer is None or nearest == 0:
            return False, site.cost
        if site.at is None:
            return True, site.cost
        return False, site.cost + nearest * kilometres(site.at, buyer)


def kilometres(one: Point, other: Point) -> int:
    """Great-circle distance, whole kilometres."""
    lat_one, lat_other = math.radians(one[0]), math.radians(other[0])
    half = (
        math.sin((lat_other - lat_one) / 2) ** 2
        + math.cos(lat_one)
        * math.cos(lat_other)
        * math.sin(math.radians(other[1] - one[1]) / 2) ** 2
    )
    return round(2 * EARTH_KM * math.asin(math.sqrt(min(half, 1.0))))


def parse_areas(text: str, file: str) -> dict[tuple[str, str], Point]:
    """Postcode areas of a CSV file with the columns country, area, latitude, longitude.

    Raises Refused with file and line.
    """
    found: dict[tuple[str, str], Point] = {}
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for row in reader:
        place = f"{file}:{reader.line_num}"
        try:
            key = (row["country"].strip().upper(), row["area"].strip().upper())
            at = (float(row["latitude"]), float(row["longitude"]))
        except (KeyError, AttributeError, TypeError):
            raise Refused(f"{place}: the columns are country, area, latitude, longitude") from None
        except ValueError as problem:
            raise Refused(f"{place}: {problem}") from None
        if not (-90 <= at[0] <= 90 and -180 <= at[1] <= 180):
            raise Refused(f"{place}: no such point on earth: {at[0]:g}, {at[1]:g}")
        found[key] = at
    return found
