"""The comparison of one connection's stock with the book: page by page, then place by place.

A source is asked first and the book is read after it, in one snapshot; no transaction is open while
the source is asked. What differs is explained by named movements, or is a case of whoever keeps
that place, until a later comparison finds it gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from tillbridge.atoms.clock import Clock
from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.atoms.ids import key_of
from tillbridge.atoms.quantity import to_text
from tillbridge.contract.levels import StockPage
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import TellsStock
from tillbridge.contract.transport import Transport
from tillbridge.durable import accounts
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.mapping.names import NameTables
from tillbridge.posting.stock import availability
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.reconciliation.asking import asked
from tillbridge.reconciliation.findings import settle
from tillbridge.reconciliation.stock.explain import Difference, Unseen, explain
from tillbridge.reconciliation.stock.rules import CompareRules

QUERIES = load("tillbridge.reconciliation.stock", "comparison.sql")
GRACE = timedelta(minutes=5)
"""What was answered or moved just before the source told may or may not be in its figure."""
AGAIN = timedelta(minutes=10)
KEPT = timedelta(days=35)
CASES_MOST = 50
"""With more products differing at a place, the place itself is one case."""
_log = structlog.get_logger("stock_comparison")


class Plan(msgspec.Struct, frozen=True):
    """What a comparison goes by. stores: locations whose people answer for their stock. in_force:
    for what a channel may show.
    """

    rules: CompareRules
    stores: frozenset[str]
    in_force: RulesInForce


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One finished comparison of a place. differences: explained ones too."""

    connection: str
    location: str
    basis: str
    as_of: datetime
    at: datetime
    products: int
    differences: tuple[Difference, ...]

    @property
    def differing(self) -> int:
        """How many products differ by what nothing explains."""
        return sum(1 for one in self.differences if one.rest)

    def counts(self) -> dict[str, object]:
        """The figures, for a line of the log."""
        return {
            "connection": self.connection,
            "location": self.location,
            "as_of": self.as_of.isoformat(),
            "products": self.products,
            "explained": len(self.differences) - self.differing,
            "differing": self.differing,
        }


class StockComparison:
    """Compares one connection. The database connection given stands outside of a transaction."""

    def __init__(
        self,
        connector: TellsStock,
        source: Source,
        secrets: Mapping[str, str],
        transport: Transport,
        *,
        clock: Clock,
        plan: Plan,
        leases: accounts.Leases | None = None,
    ) -> None:
        """leases: those of the process, which somebody renews."""
        self._connector = connector
        self._source = source
        self._secrets = secrets
        self._transport = transport
        self._clock = clock
        self._rules = plan.rules
        self._stores = plan.stores
        self._in_force = plan.in_force
        self._leases = leases or accounts.Leases()
        self._names = NameTables()
        self._not_before: datetime | None = None

    def run_due(self, connection: Connection) -> list[Compared]:
        """Compare when the time has come; a failure is told and tried again later."""
        now = self._clock.now()
        row = connection.execute(QUERIES.last_at, (self._source.name,)).fetchone()
        connection.rollback()
        last = row[0] if row else None
        waits = self._not_before is not None and now < self._not_before
        rest = timedelta(hours=self._rules.hours)
        if not rest or waits or (last is not None and now < last + rest):
            return []
        failed: dict[str, NeedsDecision] = {}
        key, done = f"stock/{self._source.name}", []
        try:
            done = self.run(connection)
        except RetryLater as later:
            wait = AGAIN if later.after_seconds is None else timedelta(seconds=later.after_seconds)
            self._not_before = now + wait
            _log.warning("comparison_waits", connection=self._source.name, why=later.words)
            return []
        except (Refused, NeedsDecision) as problem:
            self._not_before = now + AGAIN
            words = f"stock of {self._source.name} cannot be compared: {problem.words}"
            failed[key] = NeedsDecision("stock_comparison_failed", words)
        settle(connection, "stock_comparison_failed", failed, now, checked={key})
        connection.commit()
        return done

    def run(self, connection: Connection) -> list[Compared]:
        """Compare every place. Raises RetryLater, Refused and NeedsDecision as the source does;
        what was compared before stays kept.
        """
        accounts.make_missing(connection, self._source.name)
        self._names.refresh(connection)
        connection.commit()
        return [self._place(connection, location) for location in self._rules.locations]

    def _place(self, connection: Connection, location: str) -> Compared:
        as_of, theirs = self._told(connection, location)
        if self._connector.stock_basis == "on_hand":
            ours = dict(connection.execute(QUERIES.on_hand, (location,)).fetchall())
        else:
            ours = self._promised(connection, location, list(theirs))
        differing = [
            product
            for product in sorted(ours.keys() | theirs.keys())
            if ours.get(product, 0) != theirs.get(product, 0)
        ]
        unseen = self._unseen(connection, location, differing, as_of)
        if self._connector.stock_basis == "available":
            self._add_published(
                connection, location, {p: ours.get(p, 0) for p in differing}, unseen
            )
        differences = tuple(
            explain(p, ours.get(p, 0), theirs.get(p, 0), unseen.get(p, ())) for p in differing
        )
        compared = Compared(
            connection=self._source.name,
            location=location,
            basis=self._connector.stock_basis,
            as_of=as_of,
            at=self._clock.now(),
            products=len(ours.keys() | theirs.keys()),
            differences=differences,
        )
        self._keep(connection, compared)
        return compared

    def _told(self, connection: Connection, location: str) -> tuple[datetime, dict[str, int]]:
        """What the source has at a place by our product codes, and the instant that is of."""
        place = self._names.theirs(self._source.name, "location", location) or location
        names = self._names.of(self._source.name)
        as_of = self._clock.now()
        told: dict[str, int] = {}
        cursor, more = "", True
        while more:
            page = self._page(connection, place, cursor)
            as_of = min(as_of, page.as_of or as_of)
            for held in page.held:
                found = (names.ours("product", name, where=place) for name in held.products)
                product = next(filter(None, found), "")
                if not product and self._connector.stock_basis == "available":
                    continue  # the channel's own assortment is no stock of ours
                product = product or held.products[0]
                told[product] = told.get(product, 0) + held.quantity
            more, cursor = page.more and page.cursor != cursor, page.cursor
        return as_of, told

    def _page(self, connection: Connection, place: str, cursor: str) -> StockPage:
        def told(transport: Transport) -> StockPage:
            return self._connector.stock(place, cursor, self._source, self._secrets, transport)

        what = f"stock of {place}"
        way_out = (self._transport, self._clock, self._leases)
        return asked(connection, self._source.name, what, *way_out, told)

    def _promised(
        self, connection: Connection, location: str, products: Sequence[str]
    ) -> dict[str, int]:
        """What the rules let this channel promise at a place."""
        rules, now = self._in_force.seen(connection), self._clock.now()
        found = availability.read(connection, products, [location])
        return {
            product: availability.total(
                availability.available(one, rules, self._source.channel, now)
            )
            for product, one in found.items()
        }

    def _unseen(
        self, connection: Connection, location: str, products: list[str], as_of: datetime
    ) -> dict[str, list[Unseen]]:
        if not products:
            return {}
        values = {
            "connection": self._source.name,
            "location": location,
            "products": products,
            "settled": as_of - GRACE,
            "late": as_of - timedelta(minutes=self._rules.late_minutes) - GRACE,
        }
        found: dict[str, list[Unseen]] = {}
        for product, what, quantity, at, why in connection.execute(QUERIES.unseen, values):
            found.setdefault(product, []).append(Unseen(what, quantity, at, why))
        return found

    def _add_published(
        self,
        connection: Connection,
        location: str,
        ours: Mapping[str, int],
        unseen: dict[str, list[Unseen]],
    ) -> None:
        """A channel shows what it was last told, less what it sold meanwhile: what is on the way to
        it explains the difference instead of the movements behind it.
        """
        values = {"connection": self._source.name, "location": location, "products": list(ours)}
        for product, untold, since, shown, at in connection.execute(QUERIES.published, values):
            unseen[product] = []
            if untold:
                words = "sold there and not told yet"
                unseen[product].append(Unseen(words, untold, since or at, "certain"))
            if shown is not None and ours[product] - untold != shown:
                way = ours[product] - untold - shown
                unseen[product].append(Unseen("publication under way", way, at, "certain"))

    def _keep(self, connection: Connection, compared: Compared) -> None:
        """The evidence and the cases, at once."""
        differing, found = compared.differing, compared.differences
        row = connection.execute(
            QUERIES.add_comparison,
            (
                compared.connection,
                compared.location,
                compared.basis,
                compared.as_of,
                compared.at,
                compared.products,
                len(found) - differing,
                differing,
            ),
        ).fetchone()
        if found and row:
            columns = (
                [one.product for one in found],
                [one.ours for one in found],
                [one.theirs for one in found],
                [one.rest for one in found],
                [msgspec.json.encode(one.named) for one in found],
            )
            connection.execute(QUERIES.add_differences, (row[0], *columns))
        connection.execute(QUERIES.forget, (compared.at - KEPT,))
        found_cases = cases(compared, in_store=compared.location in self._stores)
        place = _key(compared)
        open_now = connection.execute(QUERIES.open_keys, (place, f"{place}/")).fetchall()
        checked = {key for (key,) in open_now}
        settle(connection, "stock_difference", found_cases, compared.at, checked=checked)
        connection.commit()


def _key(compared: Compared, *product: str) -> str:
    return key_of("stock", compared.connection, compared.location, *product)


def cases(compared: Compared, *, in_store: bool) -> dict[str, NeedsDecision]:
    """One case per product whose difference nothing explains, or one of the whole place when
    there are too many of them. in_store: whether people of a store answer for it.
    """
    wrong = [one for one in compared.differences if one.rest]
    if len(wrong) <= CASES_MOST:
        return {_key(compared, one.product): _case(compared, one, in_store) for one in wrong}
    worst = sorted(wrong, key=lambda one: -abs(one.rest))[:5]
    most = ", ".join(f"{one.product} by {to_text(one.rest)}" for one in worst)
    words = f"{len(wrong)} products of {compared.location} differ at {compared.connection}, most: "
    case = NeedsDecision(
        "stock_difference",
        words + most,
        owner="stores" if in_store else "fulfilment",
        remedy=f"tillbridge stock compare --connection {compared.connection} --last",
        details={"finding": f"{len(wrong)} products", "products": len(wrong)},
    )
    return {_key(compared): case}


def _case(compared: Compared, one: Difference, in_store: bool) -> NeedsDecision:  # noqa: FBT001
    named = sum(movement.quantity for movement in one.named)
    told = f"; {to_text(named)} of it are movements it has not seen" if one.named else ""
    return NeedsDecision(
        "stock_difference",
        f"{one.product} at {compared.location}: {to_text(one.ours)} here, {to_text(one.theirs)} "
        f"at {compared.connection}; {to_text(one.rest)} are explained by nothing{told}",
        owner="stores" if in_store else "fulfilment",
        remedy=f"tillbridge stock compare --connection {compared.connection}",
        details={
            "finding": to_text(one.rest),
            "quantity": one.rest,
            "ours": one.ours,
            "theirs": one.theirs,
            "named": [movement.what for movement in one.named],
        },
    )
