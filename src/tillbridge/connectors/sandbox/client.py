"""HTTP calls to the sandbox ERP: statuses become results, or an error that says what to do next.

Nothing applied for certain: 429, 503, 401, 403 and a refused connection (RetryLater). Applied
perhaps: no answer, any other 5xx and an answer that cannot be read (RetryLater, unknown=True).
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.connectors.sandbox.wire import (
    ErpAnswer,
    ErpDocument,
    ErpError,
    Ledger,
    Result,
    Status,
    Stock,
    read_found,
    read_ledger,
    read_results,
    read_single,
    read_status,
    read_stock,
)
from tillbridge.contract.transport import Request, Response, Transport
from tillbridge.contract.wire import WireError

_ENCODER = msgspec.json.Encoder()
_NO_KEY = (401, 403)
_BUSY = (429, 503)


class ErpClient:
    """One connection to the ERP; keeps the key out of everything it says."""

    def __init__(self, url: str, key: str, transport: Transport, timeout_seconds: float) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._transport = transport
        self._timeout = timeout_seconds

    def status(self) -> Status:
        """Who answers; raises RetryLater, or Refused when the key is not accepted."""
        answer = self._send("GET", "/api/v1/status")
        if answer.status in _NO_KEY:
            raise Refused(f"the ERP does not accept the key ({answer.status})", code="key")
        self._settled(answer)
        return read_status(answer.body)

    def find(self, external_ids: Sequence[str]) -> dict[str, ErpAnswer]:
        """The oldest document per external id; ids without one are missing. Raises RetryLater."""
        query = urlencode([("external_id", external_id) for external_id in external_ids])
        answer = self._send("GET", f"/api/v1/documents?{query}")
        self._settled(answer)
        if answer.status != 200:
            raise RetryLater(f"the ERP answered a search with {answer.status}")
        try:
            found = read_found(answer.body).documents
        except WireError as problem:
            raise RetryLater(f"the ERP's answer to a search: {problem}") from None
        oldest: dict[str, ErpAnswer] = {}
        for document in found:
            oldest.setdefault(document.external_id, document)
        return oldest

    def stock(self, location: str, after: str) -> Stock:
        """What is at a location, products behind `after`. Raises RetryLater, Refused."""
        query = urlencode({"location": location, "after": after})
        answer = self._send("GET", f"/api/v1/stock?{query}")
        self._settled(answer)
        if answer.status != 200:
            raise Refused(f"the ERP tells no stock of {location!r} ({answer.status})")
        return read_stock(answer.body)

    def ledger(self, company: str, first: str, last: str, after: str) -> Ledger:
        """What a company posted on some days, behind `after`. Raises RetryLater, Refused."""
        query = urlencode({"company": company, "from": first, "to": last, "after": after or "0"})
        answer = self._send("GET", f"/api/v1/ledger?{query}")
        self._settled(answer)
        if answer.status != 200:
            raise Refused(f"the ERP tells no ledger of {company!r} ({answer.status})")
        return read_ledger(answer.body)

    def create(self, documents: Sequence[ErpDocument]) -> list[Result]:
        """One result per document, in order; one call. Raises RetryLater (see the module)."""
        if len(documents) == 1:
            return [self._create_single(documents[0])]
        body = _ENCODER.encode({"documents": documents})
        answer = self._send("POST", "/api/v1/documents/batch", body)
        self._settled(answer)
        if answer.status != 200:
            # The envelope itself is refused: nothing was applied, one by one tells whose fault.
            return [self._create_alone(document) for document in documents]
        try:
            results = read_results(answer.body).results
        except WireError as problem:
            raise RetryLater(f"the ERP's answer to a batch: {problem}", unknown=True) from None
        if len(results) != len(documents):
            raise RetryLater("the ERP answered a batch with another count", unknown=True)
        return results

    def _create_alone(self, document: ErpDocument) -> Result:
        """As a single create, with trouble as a result: what went before must not be forgotten."""
        try:
            return self._create_single(document)
        except RetryLater as problem:
            error = ErpError("away", problem.words)
            return Result(status=500 if problem.unknown else 503, error=error)

    def _create_single(self, document: ErpDocument) -> Result:
        answer = self._send("POST", "/api/v1/documents", _ENCODER.encode(document))
        self._settled(answer)
        try:
            read = read_single(answer.body)
        except WireError as problem:
            if answer.status >= 400:
                error = ErpError("unreadable", f"refused with {answer.status}, without words")
                return Result(status=answer.status, error=error)
            raise RetryLater(f"the ERP's answer to a create: {problem}", unknown=True) from None
        return Result(status=answer.status, document=read.document, error=read.error)

    def _settled(self, answer: Response) -> None:
        """Raise when the ERP as a whole is away, busy, or does not let us in."""
        if answer.status in _NO_KEY:
            raise RetryLater(f"the ERP does not accept the key ({answer.status})")
        if answer.status in _BUSY:
            words = "asks for patience" if answer.status == 429 else "is busy"
            raise RetryLater(f"the ERP {words} ({answer.status})", after_seconds=answer.retry_after)
        if answer.status >= 500:
            raise RetryLater(f"the ERP failed with {answer.status}", unknown=True)

    def _send(self, method: str, path: str, body: bytes = b"") -> Response:
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        if body:
            headers["Content-Type"] = "application/json"
        return self._transport.send(
            Request(
                method=method,
                url=self._url + path,
                headers=headers,
                body=body,
                timeout_seconds=self._timeout,
            )
        )
