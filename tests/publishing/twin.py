"""An ERP in memory that answers as it is told, and a destination to reach it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import psycopg

from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.atoms.ids import SeededIds
from tillbridge.canonical.documents import SalesOrderDocument, SubmitDocument
from tillbridge.contract.promises import Assignment, Connection, Directory, Receipt
from tillbridge.contract.transport import Request, Response, Transport
from tillbridge.durable import accounts, jobs
from tillbridge.mapping.names import NameTables
from tillbridge.publishing.dispatch import Dispatcher, Target
from tillbridge.publishing.room import owed_document

# later than any clock of the database, whose `now()` some statements use
START = datetime(2099, 3, 2, 12, tzinfo=UTC)


class NoTransport:
    """Nobody may call out."""

    def send(self, request: Request) -> Response:
        raise AssertionError(f"the twin needs no {request.url}")


class Twin:
    """A connector that delivers to memory. answers: operation -> outcomes to give, in turn; the
    last word of an empty list is `accepted`. away: raised as long as it is set.
    """

    batch_max = 20

    def __init__(self) -> None:
        self.answers: dict[str, list[str]] = {}
        self.away: RetryLater | Refused | None = None
        self.calls: list[list[str]] = []
        self.unknown: list[str] = []
        self.there: list[str] = []

    def deliver(
        self,
        assignments: Sequence[Assignment],
        connection: Connection,
        secrets: Mapping[str, str],
        directory: Directory,
        transport: Transport,
    ) -> list[Receipt]:
        self.calls.append([one.document.id for one in assignments])
        self.unknown += [one.document.id for one in assignments if one.unknown]
        if self.away is not None:
            raise self.away
        return [self._answer(one) for one in assignments]

    def _answer(self, one: Assignment) -> Receipt:
        operation = one.document.id
        planned = self.answers.get(operation, [])
        outcome = planned.pop(0) if planned else "accepted"
        if outcome == "accepted":
            if not (one.unknown and operation in self.there):
                self.there.append(operation)
            number = f"N{self.there.index(operation) + 1}"
            return Receipt(operation=operation, outcome=outcome, remote_id=number, number=number)
        if outcome == "applied but unknown":
            self.there.append(operation)
            return Receipt(operation=operation, outcome="unknown", words="cut off")
        return Receipt(operation=operation, outcome=outcome, words=f"said {outcome}")


class Desk:
    """A dispatcher over a database with a clock that is moved by hand."""

    def __init__(
        self,
        connection: psycopg.Connection,
        budget: accounts.Budget | None = None,
        settle_seconds: float = 0.0,
    ) -> None:
        self.connection = connection
        self.twin = Twin()
        self.clock = FixedClock(START)
        wide = accounts.Budget(rate=1000.0, burst=1000.0, conc=100)
        self.settle_seconds = settle_seconds
        self.dest = accounts.make_dest(
            connection, "erp", budget or wide, settle_seconds=settle_seconds
        )
        # the bucket was made at the wall clock's instant; ours begins here
        connection.execute("update dest set at = %s", (START,))
        connection.commit()
        self.dispatcher = self.another(connection)

    def another(self, connection: psycopg.Connection) -> Dispatcher:
        """One more dispatcher of the same destination."""
        far = Connection(name="erp", entity="us", channel="", currency="USD")
        target = Target(self.dest, self.twin, far, {}, NoTransport(), self.settle_seconds)
        return Dispatcher(connection, target, NameTables(), self.clock, SeededIds(3))

    def owe(self, *operations: str) -> None:
        """Documents named `key/number`, owed in this order."""
        owed = [owed_document(document(op), self.dest, self.clock.now()) for op in operations]
        jobs.enqueue(self.connection, owed, self.clock.now())
        self.connection.commit()

    def run(self, seconds: float = 0.0) -> list[list[str]]:
        """Let time pass, then deliver until nothing is due; gives the calls that were made."""
        self.clock.sleep(seconds)
        before = len(self.twin.calls)
        while self.dispatcher.run_once().claimed:
            pass
        return self.twin.calls[before:]

    def states(self) -> dict[str, str]:
        """State of every document."""
        rows = self.connection.execute("select op, state from document order by op").fetchall()
        self.connection.rollback()
        return dict(rows)

    def facts(self) -> list[tuple[str, str]]:
        """Answers told to the log: (type, id)."""
        rows = self.connection.execute(
            "select type, convert_from(body, 'UTF8')::json ->> 'id' from record order by id"
        ).fetchall()
        self.connection.rollback()
        return [(kind, name) for kind, name in rows]


def document(operation: str) -> SubmitDocument:
    """A sales order of one dollar whose operation is `key/name`."""
    key = operation.rsplit("/", 1)[0]
    body = SalesOrderDocument(
        number=key,
        channel="web",
        currency="USD",
        order_date=date(2026, 3, 2),
        total=100,
        lines=(),
    )
    return SubmitDocument(key=key, id=operation, kind="sales_order", entity="us", sales_order=body)
