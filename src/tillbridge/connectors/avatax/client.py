"""HTTP calls to AvaTax: statuses become results, or an error that says what to do next.

Nothing applied for certain: 429, 503, a key that is not accepted (RetryLater). Applied perhaps: no
answer, any other 5xx, an answer that cannot be read (RetryLater, unknown=True). 4xx: Refused, in
AvaTax's words.
"""

from __future__ import annotations

import base64
from urllib.parse import quote, urlencode

import msgspec

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.connectors.avatax.wire import (
    ErrorInfo,
    Model,
    Ping,
    Transaction,
    read_failure,
    read_ping,
    read_transaction,
)
from tillbridge.contract.transport import Request, Response, Transport
from tillbridge.contract.wire import WireError

INCLUDE = "Lines,Details"
_ENCODER = msgspec.json.Encoder(decimal_format="number")
# characters AvaTax does not take in a path, and what it asks for in their place
_IN_PATHS = {
    "/": "_-ava2f-_",
    "+": "_-ava2b-_",
    "?": "_-ava3f-_",
    "%": "_-ava25-_",
    "#": "_-ava23-_",
    " ": "%20",
}
_NO_KEY = (401, 403)
_BUSY = (429, 503)


class AvataxClient:
    """One company of one account; keeps the key out of everything it says."""

    def __init__(
        self, url: str, account: str, key: str, company: str, transport: Transport, timeout: float
    ) -> None:
        self._url = url.rstrip("/")
        pair = base64.b64encode(f"{account}:{key}".encode()).decode()
        self._authorization = f"Basic {pair}"
        self._company = company
        self._transport = transport
        self._timeout = timeout

    def ping(self) -> Ping:
        """Whether somebody answers and knows the key. Raises RetryLater, Refused."""
        answer = self._send("GET", "/api/v2/utilities/ping")
        self._settled(answer, reading=True)
        if answer.status != 200:
            raise Refused(f"AvaTax answered a ping with {answer.status}", code="ping")
        return read_ping(answer.body)

    def find(self, code: str, kind: str) -> Transaction | None:
        """The document of a code and type, None when there is none. Raises RetryLater, Refused."""
        query = urlencode({"documentType": kind, "$include": INCLUDE})
        answer = self._send("GET", f"{self._path(code)}?{query}")
        self._settled(answer, reading=True)
        if answer.status == 404:
            error = read_failure(answer.body)
            if error.code == "EntityNotFoundError":
                return None
        return self._read(answer, reading=True)

    def estimate(self, model: Model) -> Transaction:
        """Work tax out and keep nothing. Raises RetryLater, Refused."""
        return self._post(f"/api/v2/transactions/create?$include={INCLUDE}", model)

    def put(self, model: Model) -> Transaction:
        """Keep a document, in the place of what its code holds. Raises RetryLater, Refused."""
        body = {"createTransactionModel": model}
        return self._post(f"/api/v2/transactions/createoradjust?$include={INCLUDE}", body)

    def commit(self, code: str, kind: str) -> Transaction:
        """Make a kept document count. Raises RetryLater, Refused."""
        query = urlencode({"documentType": kind, "$include": INCLUDE})
        return self._post(f"{self._path(code)}/commit?{query}", {"commit": True})

    def void(self, code: str, kind: str) -> Transaction:
        """Take a document back. Raises RetryLater, Refused."""
        query = urlencode({"documentType": kind})
        return self._post(f"{self._path(code)}/void?{query}", {"code": "DocVoided"})

    def _path(self, code: str) -> str:
        company, document = (
            quote("".join(_IN_PATHS.get(letter, letter) for letter in text), safe="%")
            for text in (self._company, code)
        )
        return f"/api/v2/companies/{company}/transactions/{document}"

    def _post(self, path: str, body: object) -> Transaction:
        answer = self._send("POST", path, _ENCODER.encode(body))
        self._settled(answer)
        return self._read(answer)

    def _read(self, answer: Response, *, reading: bool = False) -> Transaction:
        if answer.status >= 400:
            error = read_failure(answer.body)
            raise Refused(_words(error, answer.status), code=error.code or str(answer.status))
        try:
            return read_transaction(answer.body)
        except WireError as problem:
            raise RetryLater(f"AvaTax's answer: {problem}", unknown=not reading) from None

    def _settled(self, answer: Response, *, reading: bool = False) -> None:
        """Raise when AvaTax as a whole is away, busy, or does not let us in."""
        if answer.status in _NO_KEY:
            raise RetryLater(f"AvaTax does not accept the account and key ({answer.status})")
        if answer.status in _BUSY:
            words = "asks for patience" if answer.status == 429 else "is busy"
            raise RetryLater(f"AvaTax {words} ({answer.status})", after_seconds=answer.retry_after)
        if answer.status >= 500:
            raise RetryLater(f"AvaTax failed with {answer.status}", unknown=not reading)

    def _send(self, method: str, path: str, body: bytes = b"") -> Response:
        headers = {
            "Authorization": self._authorization,
            "Accept": "application/json",
            "X-Avalara-Client": "Tillbridge;1",
        }
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


def _words(error: ErrorInfo, status: int) -> str:
    """What AvaTax says is wrong, each particular once; never what was sent with the call."""
    told = [f"{d.message} {d.description}".strip() for d in error.details]
    said = "; ".join(dict.fromkeys(words for words in (error.message, *told) if words))
    return (
        f"{error.code or status}: {said}"[:500] if said else f"refused with {error.code or status}"
    )
