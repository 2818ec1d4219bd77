"""The promises Tryton signs: it takes documents and tells whether it is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from math import isfinite

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.atoms.quantity import SCALE
from tillbridge.connectors.tryton.afterwards import Afterwards
from tillbridge.connectors.tryton.client import Access, Session, TrytonClient
from tillbridge.connectors.tryton.config import TrytonSettings
from tillbridge.connectors.tryton.ledger import LedgerMove, posted_lines, posted_moves
from tillbridge.connectors.tryton.lookups import Lookups
from tillbridge.contract.ledgers import LedgerPage, Span
from tillbridge.contract.levels import Held, StockPage
from tillbridge.contract.promises import Assignment, Connection, Directory, Receipt
from tillbridge.contract.transport import Transport

# A sales order must be there before what refers to it.
_ORDER = {
    kind: place
    for place, kind in enumerate(
        (
            "sales_order",
            "sales_order_change",
            "sales_order_cancel",
            "delivery",
            "customer_return",
            "invoice",
            "credit_note",
            "journal",
            "stock_move",
        )
    )
}


STOCK_PAGE = 500
LEDGER_PAGE = 200


class TrytonConnector:
    """Tryton 8.2. Keeps open sessions by access, nothing else; safe for several threads."""

    name = "tryton"
    config = TrytonSettings
    batch_max = 20
    stock_basis = "on_hand"

    def __init__(self) -> None:
        self._sessions: dict[Access, Session] = {}

    def check(
        self, connection: Connection, secrets: Mapping[str, str], transport: Transport
    ) -> str:
        """Series of the server and that it takes the login; raises RetryLater or Refused."""
        client = self._client(connection, secrets, transport)
        series = client.server_version()
        client.login()
        settings: TrytonSettings = connection.settings
        return f"Tryton {series} answers and takes {settings.user} on {settings.database}"

    def deliver(
        self,
        assignments: Sequence[Assignment],
        connection: Connection,
        secrets: Mapping[str, str],
        directory: Directory,
        transport: Transport,
    ) -> list[Receipt]:
        """Receipts in the order of the assignments. Groups by entity, kind and channel; every
        document is looked up by its operation first, so `unknown` needs no way of its own.
        """
        client = self._client(connection, secrets, transport)
        receipts: dict[str, Receipt] = {}
        try:
            for (entity, kind, _), share in groupby(sorted(assignments, key=_share), key=_share):
                _deliver_share(client, connection, directory, (entity, kind), list(share), receipts)
        finally:
            self._sessions[_access(connection, secrets)] = client.session
        return [receipts[assignment.document.id] for assignment in assignments]

    def stock(
        self,
        place: str,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> StockPage:
        """What is on hand in a warehouse (its code), 500 products to a page."""
        client = self._client(connection, secrets, transport)
        try:
            look = Lookups(client, connection.entity)
            warehouse = look.warehouses().get(place)
            if warehouse is None:
                raise Refused(f"Tryton has no warehouse with code {place!r}", code="setup_missing")
            rows = look.stock(warehouse.id, int(cursor or 0), STOCK_PAGE)
        finally:
            self._sessions[_access(connection, secrets)] = client.session
        held = tuple(Held((code,), _thousandths(quantity)) for _, code, quantity in rows)
        last = str(rows[-1][0]) if rows else cursor
        return StockPage(held=held, cursor=last, more=len(rows) == STOCK_PAGE)

    def ledger(
        self,
        span: Span,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> LedgerPage:
        """What is posted in the entity's general ledger, 200 moves to a page."""
        client = self._client(connection, secrets, transport)
        try:
            look = Lookups(client, span.entity)
            return posted_lines(look, span, int(cursor or 0), LEDGER_PAGE)
        finally:
            self._sessions[_access(connection, secrets)] = client.session

    def ledger_moves(
        self,
        entity: str,
        operations: Sequence[str],
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> list[LedgerMove]:
        """What the entity's general ledger holds for these operations (invoices, credit notes,
        journals), posted moves only. Raises RetryLater, Refused.
        """
        client = self._client(connection, secrets, transport)
        try:
            return posted_moves(Lookups(client, entity), operations)
        finally:
            self._sessions[_access(connection, secrets)] = client.session

    def _client(
        self, connection: Connection, secrets: Mapping[str, str], transport: Transport
    ) -> TrytonClient:
        access = _access(connection, secrets)
        seconds = connection.settings.timeout_seconds
        client = TrytonClient(access, transport, timeout_seconds=seconds)
        client.resume(self._sessions.get(access, Session()))
        return client


def _thousandths(quantity: object) -> int:
    """Tryton keeps quantities as binary fractions rounded to their unit's digits."""
    if not isinstance(quantity, int | float | Decimal) or not isfinite(quantity):
        raise RetryLater(f"Tryton told {str(quantity)[:40]!r} for a quantity")
    return round(quantity * SCALE)


def _access(connection: Connection, secrets: Mapping[str, str]) -> Access:
    settings: TrytonSettings = connection.settings
    password = secrets.get("password", "")
    return Access(settings.url, settings.database, settings.user, password)


def _share(assignment: Assignment) -> tuple[str, int, str]:
    document = assignment.document
    channel = str(getattr(document.body, "channel", ""))
    return document.entity, _ORDER.get(document.kind, len(_ORDER)), channel


def _deliver_share(
    client: TrytonClient,
    connection: Connection,
    directory: Directory,
    share: tuple[str, int],
    assignments: list[Assignment],
    receipts: dict[str, Receipt],
) -> None:
    """Receipts for one entity, kind and channel. RetryLater goes through while none is written."""
    entity, kind = share
    try:
        dispatch = Afterwards(client, connection.settings, directory, entity)
        work: list[Callable[[Sequence[Assignment]], list[Receipt]]] = [
            dispatch.sales,
            dispatch.changes,
            dispatch.changes,
            dispatch.deliveries,
            dispatch.returns,
            dispatch.charges,
            dispatch.charges,
            dispatch.journals,
            dispatch.stock_moves,
        ]
        if kind >= len(work):
            raise Refused(f"Tryton takes no document of kind {assignments[0].document.kind!r}")
        ended = work[kind](assignments)
    except RetryLater as later:
        if not receipts:
            raise
        outcome = "unknown" if later.unknown else "retry"
        ended = [_ended(one, outcome, later.words, later.after_seconds) for one in assignments]
    except Refused as refusal:
        if refusal.code == "login":
            # A wrong password is the connection's trouble; the documents are fine.
            raise RetryLater(refusal.words) from None
        ended = [_ended(one, "refused", refusal.words) for one in assignments]
    receipts.update({receipt.operation: receipt for receipt in ended})


def _ended(
    assignment: Assignment, outcome: str, words: str, after_seconds: float | None = None
) -> Receipt:
    return Receipt(
        operation=assignment.document.id,
        outcome=outcome,
        words=words,
        after_seconds=after_seconds,
    )
