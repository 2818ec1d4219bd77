"""The sandbox connector: brings documents to the sandbox ERP, reads its stock, looks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tillbridge.atoms.errors import NeedsDecision, RetryLater
from tillbridge.atoms.quantity import QuantityError, to_thousandths
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.connectors.sandbox.client import ErpClient
from tillbridge.connectors.sandbox.config import SECRET_NAME, SandboxSettings
from tillbridge.connectors.sandbox.inbound import ledger_lines
from tillbridge.connectors.sandbox.outbound import accepted, document_of, receipt_of
from tillbridge.connectors.sandbox.wire import ErpDocument
from tillbridge.contract.ledgers import LedgerPage, Span
from tillbridge.contract.levels import Held, StockPage
from tillbridge.contract.promises import Assignment, Connection, Directory, Receipt
from tillbridge.contract.transport import Transport
from tillbridge.contract.wire import WireError, instant


class SandboxConnector:
    """Signs Delivers, TellsStock, TellsLedger and ChecksConnection.

    The ERP has no native idempotency: the operation id is the document's external id, and what is
    about to be created is looked up by it first, in one call per batch.
    """

    name = "sandbox"
    config = SandboxSettings
    batch_max = 20
    stock_basis = "on_hand"

    def check(
        self, connection: Connection, secrets: Mapping[str, str], transport: Transport
    ) -> str:
        """A sentence about the ERP; raises RetryLater, or Refused for a wrong key."""
        client = _client(connection, secrets, transport)
        try:
            status = client.status()
        except WireError as problem:
            raise RetryLater(f"what answers there is no sandbox ERP: {problem}") from None
        return f"{status.name} answers and accepts the key"

    def stock(
        self,
        place: str,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> StockPage:
        """What the ERP has on hand at one of its locations, 200 products to a page."""
        found = _client(connection, secrets, transport).stock(place, cursor)
        try:
            held = tuple(Held((one.product,), to_thousandths(one.quantity)) for one in found.held)
        except QuantityError as problem:
            raise WireError(str(problem)) from None
        last = found.held[-1].product if found.held else cursor
        return StockPage(held=held, as_of=instant(found.at), cursor=last, more=found.more)

    def ledger(
        self,
        span: Span,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> LedgerPage:
        """The moves of the entity's company, 500 documents to a page."""
        settings: SandboxSettings = connection.settings
        company = settings.company or span.entity
        client = _client(connection, secrets, transport)
        found = client.ledger(company, span.first.isoformat(), span.last.isoformat(), cursor)
        last = str(found.moves[-1].document) if found.moves else cursor
        return LedgerPage(lines=ledger_lines(found), cursor=last, more=found.more)

    def deliver(
        self,
        assignments: Sequence[Assignment],
        connection: Connection,
        secrets: Mapping[str, str],
        directory: Directory,
        transport: Transport,
    ) -> list[Receipt]:
        """One receipt per assignment, in order; two calls per `batch_max` documents.

        Raises RetryLater when the ERP is away before anything is known of any assignment.
        """
        delivery = _Delivery(_client(connection, secrets, transport), connection)
        for begin in range(0, len(assignments), self.batch_max):
            tasks = assignments[begin : begin + self.batch_max]
            if delivery.look_up(tasks):
                delivery.send(tasks, directory)
        return [delivery.receipts[task.document.id] for task in assignments]


class _Delivery:
    """One call of `deliver`: what is known so far, by operation id."""

    def __init__(self, client: ErpClient, connection: Connection) -> None:
        self._client = client
        self._settings: SandboxSettings = connection.settings
        self._entity = connection.entity
        self.receipts: dict[str, Receipt] = {}

    def look_up(self, tasks: Sequence[Assignment]) -> bool:
        """Adopt what an earlier attempt left over there; False when it could not be told.

        Raises RetryLater when nothing else is known either; `unknown` stays as it was.
        """
        try:
            found = self._client.find([task.document.id for task in tasks])
        except RetryLater as problem:
            if not self.receipts:
                raise RetryLater(
                    problem.words,
                    after_seconds=problem.after_seconds,
                    unknown=any(task.unknown for task in tasks),
                ) from None
            for task in tasks:
                told = RetryLater(
                    problem.words, after_seconds=problem.after_seconds, unknown=task.unknown
                )
                self.receipts[task.document.id] = self._not_done(task.document, told)
            return False
        for task in tasks:
            if task.document.id in found:
                self.receipts[task.document.id] = accepted(task.document, found[task.document.id])
        return True

    def send(self, tasks: Sequence[Assignment], directory: Directory) -> None:
        """Create what is not there yet in one call and note what became of each."""
        ready: list[tuple[SubmitDocument, ErpDocument]] = []
        for task in tasks:
            command = task.document
            if command.id in self.receipts or any(command.id == sent.id for sent, _ in ready):
                continue  # there already, or twice in one call
            try:
                company = self._settings.company or command.entity or self._entity
                document = document_of(command, company, directory, task.parties)
            except (ValueError, NeedsDecision) as problem:
                self.receipts[command.id] = Receipt(
                    operation=command.id, outcome="refused", words=str(problem)
                )
                continue
            ready.append((command, document))
        if not ready:
            return
        try:
            results = self._client.create([document for _, document in ready])
        except RetryLater as problem:
            if not problem.unknown and not self.receipts:
                raise
            for command, _ in ready:
                self.receipts[command.id] = self._not_done(command, problem)
            return
        for (command, _), result in zip(ready, results, strict=True):
            self.receipts[command.id] = receipt_of(command, result)

    def _not_done(self, command: SubmitDocument, problem: RetryLater) -> Receipt:
        if problem.unknown:
            return self._unknown(command, problem)
        return Receipt(
            operation=command.id,
            outcome="retry",
            words=problem.words,
            after_seconds=problem.after_seconds,
        )

    def _unknown(self, command: SubmitDocument, problem: RetryLater) -> Receipt:
        return Receipt(
            operation=command.id,
            outcome="unknown",
            words=problem.words,
            after_seconds=problem.after_seconds or self._settings.settle_seconds or None,
        )


def _client(connection: Connection, secrets: Mapping[str, str], transport: Transport) -> ErpClient:
    settings: SandboxSettings = connection.settings
    key = secrets.get(SECRET_NAME, "")
    if not key:
        raise RetryLater(f"connection {connection.name} has no secret called {SECRET_NAME}")
    return ErpClient(settings.url, key, transport, settings.timeout_seconds)
