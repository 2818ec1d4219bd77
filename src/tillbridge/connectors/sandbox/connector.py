"""The sandbox connector: brings documents to the sandbox ERP and says whether it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tillbridge.atoms.errors import NeedsDecision, RetryLater
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.connectors.sandbox.client import ErpClient
from tillbridge.connectors.sandbox.config import SECRET_NAME, SandboxSettings
from tillbridge.connectors.sandbox.outbound import accepted, document_of, receipt_of
from tillbridge.connectors.sandbox.wire import ErpDocument
from tillbridge.contract.promises import Assignment, Connection, Directory, Receipt
from tillbridge.contract.transport import Transport
from tillbridge.contract.wire import WireError


class SandboxConnector:
    """Signs Delivers and ChecksConnection.

    The ERP has no native idempotency: the operation id is the document's external id, and a
    document whose earlier attempt is unknown is looked up before it is sent again.
    """

    name = "sandbox"
    config = SandboxSettings
    batch_max = 20

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

    def deliver(
        self,
        assignments: Sequence[Assignment],
        connection: Connection,
        secrets: Mapping[str, str],
        directory: Directory,
        transport: Transport,
    ) -> list[Receipt]:
        """One receipt per assignment, in order; in calls of at most `batch_max` documents.

        Raises RetryLater when the ERP is away before anything is known of any assignment.
        """
        delivery = _Delivery(_client(connection, secrets, transport), connection)
        delivery.look_up([task.document for task in assignments if task.unknown])
        to_send = [task for task in assignments if task.document.id not in delivery.receipts]
        for begin in range(0, len(to_send), self.batch_max):
            delivery.send(to_send[begin : begin + self.batch_max], directory)
        return [delivery.receipts[task.document.id] for task in assignments]


class _Delivery:
    """One call of `deliver`: what is known so far, by operation id."""

    def __init__(self, client: ErpClient, connection: Connection) -> None:
        self._client = client
        self._settings: SandboxSettings = connection.settings
        self._company = self._settings.company or connection.entity
        self.receipts: dict[str, Receipt] = {}

    def look_up(self, commands: Sequence[SubmitDocument]) -> None:
        """Adopt what an earlier attempt left over there; raises RetryLater when it cannot tell."""
        size = SandboxConnector.batch_max
        for begin in range(0, len(commands), size):
            some = commands[begin : begin + size]
            try:
                found = self._client.find([command.id for command in some])
            except RetryLater as problem:
                if not self.receipts:
                    # Nothing was sent by this call; what is unknown stays unknown.
                    raise RetryLater(
                        problem.words, after_seconds=problem.after_seconds, unknown=True
                    ) from None
                for command in some:
                    self.receipts[command.id] = self._unknown(command, problem)
                continue
            for command in some:
                if command.id in found:
                    self.receipts[command.id] = accepted(command, found[command.id])

    def send(self, tasks: Sequence[Assignment], directory: Directory) -> None:
        """Create the documents in one call and note what became of each."""
        ready: list[tuple[SubmitDocument, ErpDocument]] = []
        for task in tasks:
            command = task.document
            if any(command.id == sent.id for sent, _ in ready):
                continue  # the same operation twice in one call is one document
            try:
                document = document_of(command, self._company, directory, task.parties)
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
