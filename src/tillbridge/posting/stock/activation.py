"""Which availability rules are in force: those kept in the database, whatever the file says.

An edited file changes no promise until it is activated, with a second person where the hub asks
for one. The log tells it, and who decides by rules in the flow holds them until its transaction
ends: so the log has a decision and a change of rules in the order in which they happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tillbridge.canonical.markers import AvailabilityRulesChanged
from tillbridge.durable import log
from tillbridge.durable.activation import Activated, Activation
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.stock.items import Items
from tillbridge.posting.stock.rules import Labels, Rules, Terms, parse_rules

QUERIES = load(
    "tillbridge.posting.stock",
    "activation.sql",
    "in_force",
    "lock",
    "activate",
    "seen",
    "held",
)


_KEPT = Activation(QUERIES, "stock.rules", lambda text: parse_rules(text).hash)


def in_force(connection: Connection) -> Activated | None:
    """The rules in force; None in a database that met none yet: nothing is kept back."""
    return _KEPT.in_force(connection)


def activate(connection: Connection, text: str, by: str, reason: str) -> bool:
    """Put rules in force and tell the log; the caller commits next. False: they are already.

    Raises RulesRefused.
    """
    wanted = _KEPT.activate(connection, text, by, reason)
    if wanted is None:
        return False
    marker = AvailabilityRulesChanged(key="hub/availability", id="", hash=wanted, text=text)
    log.mark(connection, [marker])
    return True


class RulesInForce:
    """The rules in force as one process knows them, read anew only when others are.

    labels: what rules may call the workspace's locations.
    """

    def __init__(self, labels: Labels | None = None) -> None:
        self._labels = labels or {}
        self._hash = b""
        self._rules = Rules()

    def seen(self, connection: Connection) -> Rules:
        """The rules in force now, for who reads or writes facts of what was decided."""
        return self._known(connection.execute(QUERIES.seen, {"known": self._hash}, binary=True))

    def held(self, connection: Connection) -> Rules:
        """The rules in force until this transaction ends, for who decides in the flow."""
        return self._known(connection.execute(QUERIES.held, {"known": self._hash}, binary=True))

    def _known(self, rows: Iterable[tuple[bytes, str | None]]) -> Rules:
        for found, text in rows:
            if text is not None:
                self._rules = parse_rules(text, labels=self._labels)
                self._hash = bytes(found)
            return self._rules
        return Rules()


class Bounds:
    """What has to stay at a place, for the length of one transaction.

        bounds = Bounds(connection, rules_in_force, items, hold=True)
        bounds.load()                                        # one query a transaction
        free = level.free - bounds.safety(channel, location, product)

    hold: nobody changes the rules before the transaction ends (the flow, whose log is replayed).
    A product has to be loaded in items.
    """

    def __init__(
        self, connection: Connection, rules: RulesInForce, items: Items, *, hold: bool = False
    ) -> None:
        """Nothing is read before somebody asks."""
        self._connection = connection
        self._source = rules
        self._items = items
        self._hold = hold
        self._rules: Rules | None = None

    def load(self) -> Rules:
        """The rules this transaction goes by; before its first stock row is locked."""
        if self._rules is None:
            read = self._source.held if self._hold else self._source.seen
            self._rules = read(self._connection)
        return self._rules

    def safety(self, channel: str, location: str, product: str) -> int:
        """Safety stock, thousandths: no reservation of any kind goes below it."""
        return self._terms(channel, location, product).safety_stock

    def kept_back(
        self,
        channel: str,
        location: str,
        product: str,
        heard_at: datetime | None,
        now: datetime,
    ) -> int:
        """Safety stock and the buffer of a place whose newest word is old: for an ask whose buyer
        can still be told no.
        """
        terms = self._terms(channel, location, product)
        return terms.safety_stock + terms.buffer(heard_at, now)

    def _terms(self, channel: str, location: str, product: str) -> Terms:
        return self.load().terms(channel, location, product, self._items[product].category)
