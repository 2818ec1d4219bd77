"""A connector that calls out without manners, and a far side without idempotency, for the suite's
own tests: it never looks up, takes every answer for success and tells its secret in errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tillbridge.canonical.documents import JournalDocument, SubmitDocument
from tillbridge.contract.promises import Assignment, Connection, Directory, Receipt
from tillbridge.contract.transport import Request, Response, Transport

NOT_WANTED = "refuse-me"


class RudeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No settings."""


class RudeConnector:
    """Delivers and checks, badly."""

    name = "rude"
    config: type[msgspec.Struct] = RudeConfig
    batch_max = 1

    def deliver(
        self,
        assignments: Sequence[Assignment],
        connection: Connection,
        secrets: Mapping[str, str],
        directory: Directory,
        transport: Transport,
    ) -> list[Receipt]:
        """Sends and believes it was accepted."""
        receipts = []
        for assignment in assignments:
            body = assignment.document.id.encode()
            answer = transport.send(Request(method="POST", url="https://far.example", body=body))
            receipts.append(
                Receipt(
                    operation=assignment.document.id,
                    outcome="refused" if answer.status == 429 else "accepted",
                    remote_id=answer.body.decode("latin-1") or "0",
                )
            )
        return receipts

    def check(
        self, connection: Connection, secrets: Mapping[str, str], transport: Transport
    ) -> str:
        """Puts the secret into the URL, and into the error."""
        secret = secrets["key"]
        answer = transport.send(Request(method="GET", url=f"https://far.example/?key={secret}"))
        if answer.status != 200:
            raise ValueError(f"{secret} was answered {answer.status}")
        return "fine"


class ForgetfulSide:
    """A DeliveryTarget that makes a new document for every request."""

    def __init__(self) -> None:
        self.connection = Connection(name="rude", entity="us", channel="web", currency="USD")
        self.secrets: Mapping[str, str] = {"key": "x"}
        self.directory = self
        self.transport = self
        self._made: list[str] = []
        self._asked = 0

    def theirs(self, table: str, ours: str) -> str | None:
        """Our own names."""
        return ours

    def send(self, request: Request) -> Response:
        """A document for whatever comes."""
        self._made.append(request.body.decode())
        return Response(status=200, headers={}, body=str(len(self._made)).encode())

    def assignments(self, count: int) -> list[Assignment]:
        """Fresh operations."""
        self._asked += count
        return [Assignment(document=document(f"op-{self._asked}-{n}")) for n in range(count)]

    def refused(self) -> Assignment:
        """Should be refused; nothing here refuses."""
        return Assignment(document=document(NOT_WANTED))

    def documents(self, operation: str) -> int:
        """How many were made."""
        return self._made.count(operation)


def document(operation: str) -> SubmitDocument:
    """An empty journal under an operation id."""
    from datetime import date

    journal = JournalDocument(
        currency="USD", journal_date=date(2026, 1, 15), narration="nothing", lines=()
    )
    return SubmitDocument(key="k/1", id=operation, kind="journal", entity="us", journal=journal)
