"""What the handlers of the API work with, made once per HTTP process."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tillbridge.app.api.group import DeskWork, Placed
from tillbridge.app.api.questions import AvailabilityWork, Question
from tillbridge.app.api.sessions import Sessions
from tillbridge.app.availability_rules import labels
from tillbridge.app.settings import DIRECT
from tillbridge.app.settings_tables import Settings
from tillbridge.app.sources import source_of
from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.ids import Ids, SystemIds
from tillbridge.connectors.direct.config import DirectSettings
from tillbridge.contract.promises import Connection as Source
from tillbridge.durable.agreed_clock import AgreedClock
from tillbridge.durable.group_writer import GroupWriter
from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connect
from tillbridge.inbox.answers import Answer
from tillbridge.inbox.webhooks import Writer
from tillbridge.orchestration.policies import Policies
from tillbridge.orchestration.terms import OrderTerms, Whom
from tillbridge.posting.stock.activation import RulesInForce

STATEMENT_MS = 5_000


class Resources:
    """The workspace's settings, time, sessions for single questions, intake's writer, and the
    groups of the hot paths: `desk` for reservations, `reads` for availability. direct: channel ->
    the connection that takes its orders. labels: kinds and groups of locations, as availability
    rules name them.
    """

    def __init__(
        self,
        url: str,
        settings: Settings,
        intake: Writer,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        policies: Policies | None = None,
    ) -> None:
        """Opens nothing; intake: started and stopped by whoever made it. policies: none written
        when left out.
        """
        self.url = url
        self.settings = settings
        self.intake = intake
        self._agreed = AgreedClock(SystemClock())
        self.clock: Clock = clock or self._agreed
        self.ids = ids or SystemIds()
        self.policies = policies or Policies(tender_kinds=settings.tender_kinds)
        self.sessions = Sessions(url)
        self.direct = _direct(settings)
        self.labels = labels(settings)
        self._places = {place.code for place in settings.location}
        self._channels = settings.channels()
        # asked by every request, and with hundreds of stores too long to work out each time
        self._serve = {code: settings.ships_from(one) for code, one in self._channels.items()}
        self.desk: GroupWriter[Placed, Answer] = GroupWriter(
            self._session,
            lambda: DeskWork(RulesInForce(self.labels), self.clock),
            clock=self.clock,
            name="reservations",
        )
        self.reads: GroupWriter[Question, bytes] = GroupWriter(
            lambda: self._session(autocommit=True),
            lambda: AvailabilityWork(RulesInForce(self.labels), self.clock),
            clock=self.clock,
            name="availability",
        )

    def places_of(self, channel: str) -> tuple[str, ...]:
        """Where a channel is served from, in order of preference; () when nobody says."""
        return self._serve.get(channel, ())

    def split_most(self, channel: str) -> int:
        """Over how many locations an order of a channel may be spread."""
        found = self._channels.get(channel)
        return found.split_most if found else 1

    def tax_places(self, channel: str) -> tuple[str, ...]:
        """Where a channel knows how to tax what it sends; () when nobody says."""
        found = self._channels.get(channel)
        return found.tax_places if found else ()

    def terms_of(self, channel: str, entity: str, day: date) -> OrderTerms:
        """What was agreed for what a channel sells over the counter on a day."""
        brand = self.policies.of(channel, entity).brand
        return self.policies.sale.of(Whom(channel, entity, "", brand, day))

    def till_of(self, location: str) -> tuple[str, str, str]:
        """Channel, entity and currency of the tills at a location."""
        place = next((one for one in self.settings.location if one.code == location), None)
        entity = place.entity if place is not None else self.settings.entity[0].code
        channel = next((c.code for c in self.settings.channel if c.flow == "stores"), "")
        return channel, entity, self.settings.entities()[entity].currency

    def unknown_place(self, places: Iterable[str]) -> str:
        """The first location the workspace does not list; "" when it lists all, or none."""
        return next((at for at in places if self._places and at not in self._places), "")

    def start(self) -> None:
        """Begin to work; called in the process that serves, before the first request."""
        self.desk.start()
        self.reads.start()

    def stop(self) -> None:
        """Finish what is under way and close."""
        self.desk.stop()
        self.reads.stop()
        self.sessions.close()

    def _session(self, *, autocommit: bool = False) -> Connection:
        """A connection; the time goes by the database's, whatever clock this machine has."""
        connection = connect(
            self.url,
            autocommit=autocommit,
            name="tillbridge api",
            statement_timeout_ms=STATEMENT_MS,
        )
        self._agreed.set(connection)
        return connection


def _direct(settings: Settings) -> dict[str, Source]:
    """Where the orders of a channel that hands them in belong; the settings allow one each."""
    return {
        one.channel: source_of(settings, name, DirectSettings())
        for name, one in settings.connection.items()
        if one.connector == DIRECT
    }
