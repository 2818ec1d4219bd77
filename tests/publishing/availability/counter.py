"""A channel in memory with an honest compare-and-set, a stock book of bare rows, and a clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import psycopg

from tests.publishing.twin import START, NoTransport
from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.atoms.ids import SeededIds
from tillbridge.contract.offers import Offer, Shown
from tillbridge.contract.promises import Connection
from tillbridge.contract.transport import Transport
from tillbridge.durable import accounts
from tillbridge.publishing.availability.plan import Planner
from tillbridge.publishing.availability.publisher import Outlet, Publisher, Report
from tillbridge.publishing.availability.shelf import Channel, Place


class Shelves:
    """Signs PublishesAvailability. answers: product -> outcomes to give before it is honest."""

    offers_max = 250
    offer_step = 1000

    def __init__(self) -> None:
        self.levels: dict[Place, int] = {}
        self.answers: dict[str, list[str]] = {}
        self.away: RetryLater | Refused | Exception | None = None
        self.calls: list[list[Offer]] = []

    def publish(
        self,
        offers: Sequence[Offer],
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> list[Shown]:
        self.calls.append(list(offers))
        if self.away is not None:
            raise self.away
        return [self._one(offer) for offer in offers]

    def _one(self, offer: Offer) -> Shown:
        place = (offer.places[0] if offer.places else "", offer.product)
        scripted = self.answers.get(offer.product)
        if scripted:
            outcome: Any = scripted.pop(0)
            if outcome == "lost":
                outcome, self.levels[place] = "unknown", offer.quantity
            return Shown(operation=offer.operation, outcome=outcome, words=f"said {outcome}")
        actual = self.levels.setdefault(place, 0)
        if actual != offer.previous:
            return Shown(operation=offer.operation, outcome="conflict", actual=actual)
        self.levels[place] = offer.quantity
        return Shown(operation=offer.operation, outcome="applied", reference=f"ref {offer.product}")


def promised(
    connection: psycopg.Connection[Any],
    channel: str,
    products: Sequence[str],
    locations: Sequence[str],
    now: object,
) -> dict[Place, int]:
    """On hand less reserved; a bundle as often as its scarcest part."""
    rows = connection.execute(
        "select s.location, coalesce(c.bundle, s.product),"
        " min((on_hand - reserved) * 1000 / coalesce(c.quantity, 1000))::bigint from stock s"
        " left join item_component c on c.product = s.product and c.bundle = any(%(p)s)"
        " where (s.product = any(%(p)s) or c.bundle is not null) and location = any(%(l)s)"
        " group by 1, 2",
        {"p": list(products), "l": list(locations)},
    )
    return {(location, product): int(quantity) for location, product, quantity in rows}


class Counter:
    """The desk: change stock, plan, publish."""

    def __init__(
        self, connection: psycopg.Connection[Any], locations: Sequence[str] = ("L1",), at: str = ""
    ) -> None:
        self.connection = connection
        self.clock = FixedClock(START)
        self.shelves = Shelves()
        budget = accounts.Budget(rate=1000.0, burst=1000.0)
        dest = accounts.make_dest(connection, "shop", budget)
        self.channel = Channel(
            dest=dest,
            name="shop",
            channel="web",
            locations=tuple(locations),
            step=1000,
            orders="order/shop/",
            at=at,
        )
        self.planner = Planner(connection, [self.channel], promised)
        self.publisher = self.another_publisher(connection)
        self.name("product", "P1", "P2")
        self.name("location", *locations)
        connection.commit()

    def another_publisher(self, connection: psycopg.Connection[Any]) -> Publisher:
        """A publisher of the same channel, in another process, say."""
        far = Connection(name="shop", entity="us", channel="web", currency="USD")
        outlet = Outlet(self.channel, self.shelves, far, {}, NoTransport())
        return Publisher(connection, outlet, self.clock, SeededIds(5))

    def name(self, kind: str, *ours: str) -> None:
        """The shop calls things as we do."""
        for one in ours:
            self.connection.execute(
                "insert into xref (connection, kind, theirs, ours) values ('shop', %s, %s, %s)",
                (kind, one, one),
            )

    def stock(self, product: str, on_hand: int, location: str = "L1", reserved: int = 0) -> None:
        """Pieces on hand, changed now; reserved by nobody in particular."""
        self.connection.execute(
            "insert into stock as s (location, product, on_hand, reserved, changed_at)"
            " values (%s, %s, %s, %s, %s) on conflict (location, product, condition) do update"
            " set on_hand = excluded.on_hand, reserved = excluded.reserved,"
            " changed_at = coalesce(s.changed_at, excluded.changed_at)",
            (location, product, on_hand * 1000, reserved * 1000, self.clock.now()),
        )
        self.connection.commit()

    def orders(self, key: str, product: str, pieces: int, location: str = "L1") -> None:
        """An order of the shop holds so many pieces."""
        self.connection.execute(
            "insert into reservation values (%s, '1', %s, %s, %s)",
            (key, location, product, pieces * 1000),
        )
        self.connection.execute(
            "update stock set reserved = reserved + %s, changed_at = coalesce(changed_at, %s)"
            " where location = %s and product = %s and condition = 'sellable'",
            (pieces * 1000, self.clock.now(), location, product),
        )
        self.connection.commit()

    def plan(self) -> int:
        return self.planner.run_once(self.clock.now())

    def run(self, seconds: float = 1.0) -> list[Report]:
        """Plan, wait, and call until nothing is due."""
        while self.plan():
            pass
        self.clock.sleep(seconds)
        reports = []
        while (report := self.publisher.run_once()).offered:
            reports.append(report)
            self.clock.sleep(0.001)
        return reports

    def shown(self, product: str = "P1", location: str = "L1") -> int:
        """Pieces the shop shows."""
        return self.shelves.levels.get((location, product), 0) // 1000

    def row(self, column: str, product: str = "P1", location: str = "L1") -> Any:
        """A column of a publication row."""
        found = self.connection.execute(
            f"select {column} from publication where product = %s and location = %s".encode(),
            (product, location),
        ).fetchone()
        self.connection.rollback()
        return found[0] if found else None

    def later(self, **span: float) -> None:
        """Time passes."""
        self.clock.sleep(timedelta(**span).total_seconds())
