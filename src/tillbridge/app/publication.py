"""Publication put together: who shows our availability, and what the stock book lets them show."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from tillbridge.app import registry
from tillbridge.app.hub import Hub
from tillbridge.atoms.errors import Refused
from tillbridge.contract.promises import PublishesAvailability
from tillbridge.durable import jobs, schedules
from tillbridge.durable.rooms import Connection
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.posting.stock.availability import available, read
from tillbridge.publishing.availability.plan import Planner
from tillbridge.publishing.availability.publisher import Outlet, Publisher
from tillbridge.publishing.availability.rules import PublishRules
from tillbridge.publishing.availability.shelf import QUERIES, Channel, Place, Promised
from tillbridge.reconciliation import publication as shown

CHORE = "publication"
LOOK_AFTER_SECONDS = 60
AGAIN = timedelta(minutes=10)
LOOK_SECONDS = 0.2
REST_MOST_SECONDS = 0.5
REST_LEAST_SECONDS = 0.05


def promised_by(rules: RulesInForce) -> Promised:
    """What the stock book promises under the rules in force."""

    def promised(
        connection: Connection,
        channel: str,
        products: Sequence[str],
        locations: Sequence[str],
        now: datetime,
    ) -> dict[Place, int]:
        in_force = rules.seen(connection)
        asked = read(connection, products, locations)
        return {
            (location, product): one.available
            for product, what in asked.items()
            for location, one in available(what, in_force, channel, now).items()
        }

    return promised


def outlets(hub: Hub, connection: Connection) -> list[Outlet]:
    """Connections whose settings say that they publish, with what it takes to call them. Raises
    Refused for one that cannot.
    """
    settings = hub.workspace.settings
    wanted = {name: one for name, one in settings.connection.items() if one.publish is not None}
    if not wanted:
        return []
    hub.destinations(connection)  # makes the rows of what the hub calls
    dests = jobs.dests(connection)
    connection.rollback()
    everywhere = tuple(place.code for place in settings.location)
    found = []
    for name, one in wanted.items():
        connector = registry.connector(one.connector)
        rules = one.publish or PublishRules()
        if not isinstance(connector, PublishesAvailability):
            raise Refused(f"connection {name}: {one.connector} publishes no availability")
        channel = Channel(
            dest=dests[name],
            name=name,
            channel=one.channel,
            locations=rules.chosen(everywhere),
            step=connector.offer_step,
            orders=f"order/{name}/",
            at=rules.total_at,
            gather=timedelta(seconds=rules.gather_seconds),
            believe=timedelta(minutes=rules.believe_minutes),
        )
        way = hub.transport(name)
        found.append(Outlet(channel, connector, hub.sources[name], hub.secrets(name), way))
    return found


def threads(hub: Hub, stop: threading.Event) -> dict[str, Callable[[], None]]:
    """What a worker has to run for publication: thread names and their bodies; none where nobody
    publishes.
    """
    with hub.connect() as connection:
        found = outlets(hub, connection)
    if not found:
        return {}
    publishing = [outlet.channel for outlet in found]
    bodies = {f"publish {one.channel.name}": partial(_publish, hub, one, stop) for one in found}
    return {"publication": partial(_plan, hub, publishing, stop), **bodies}


def _plan(hub: Hub, publishing: Sequence[Channel], stop: threading.Event) -> None:
    """Plan what changes, and look after the rest once a minute, in one process at a time."""
    with hub.connect() as connection:
        schedules.make(connection, {CHORE: LOOK_AFTER_SECONDS})
        connection.commit()
        work = Planner(connection, publishing, promised_by(hub.availability_rules))
        while not stop.is_set():
            now = hub.agreed_clock.now()
            changed = work.run_once(now)
            if schedules.begin(connection, CHORE, now, AGAIN):
                connection.commit()
                words = look_after(connection, work, publishing, now)
                schedules.done(connection, CHORE, now, words)
            connection.commit()
            if not changed:
                stop.wait(LOOK_SECONDS)


def look_after(
    connection: Connection, work: Planner, publishing: Sequence[Channel], now: datetime
) -> str:
    """What rules and age change by themselves, and drift. In transactions of its own."""
    differing = work.refresh(now)
    words = shown.settle(connection, publishing, now)
    connection.commit()
    return f"{differing} figures differ; {words}"


def _publish(hub: Hub, outlet: Outlet, stop: threading.Event) -> None:
    with hub.connect() as connection:
        work = Publisher(connection, outlet, hub.agreed_clock, hub.ids, hub.leases)
        while not stop.is_set():
            if not work.run_once().offered:
                stop.wait(_rest(hub, connection, outlet.channel))


def _rest(hub: Hub, connection: Connection, channel: Channel) -> float:
    """Seconds until something could be due."""
    row = connection.execute(QUERIES.next_due, {"dest": channel.dest}).fetchone()
    connection.rollback()
    if row is None or row[0] is None:
        return REST_MOST_SECONDS
    due = max(row[0], row[1]) if row[1] is not None else row[0]
    left: float = (due - hub.agreed_clock.now()).total_seconds()
    return min(max(left, REST_LEAST_SECONDS), REST_MOST_SECONDS)


class Hand:
    """Publication in one hand, for `drain` and for tests: nothing runs beside."""

    def __init__(self, hub: Hub, connection: Connection) -> None:
        self._hub = hub
        self._connection = connection
        found = outlets(hub, connection)
        self.channels = [outlet.channel for outlet in found]
        self.dests = [channel.dest for channel in self.channels]
        self._planner = Planner(connection, self.channels, promised_by(hub.availability_rules))
        self.publishers = {
            outlet.channel.name: Publisher(
                connection, outlet, hub.agreed_clock, hub.ids, hub.leases
            )
            for outlet in found
        }

    def plan(self) -> int:
        """Plan for everything that changed; gives how many rows had."""
        changed = 0
        while found := self._planner.run_once(self._hub.agreed_clock.now()):
            changed += found
        return changed

    def look_after(self) -> str:
        """What the worker does once a minute."""
        now = self._hub.agreed_clock.now()
        return look_after(self._connection, self._planner, self.channels, now)

    def publish(self) -> int:
        """One round of calls; gives how many offers were made."""
        return sum(publisher.run_once().offered for publisher in self.publishers.values())
