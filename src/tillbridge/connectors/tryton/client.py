"""Tryton's JSON-RPC over the Transport: log in, call, sort its answers by what to do next.

Endpoint `POST <url>/<database>/rpc/`, session header after `common.db.login` (facts observed on
trytond 8.2.1). Business errors arrive as HTTP 200 with `error`; a row lock that somebody else holds
as 503 with an HTML page; an expired session as 401, which is answered by one new login.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import unescape
from re import sub
from typing import Any, TypeVar

import msgspec

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.connectors.tryton.wire import RpcAnswer, decode_answer, encode_request
from tillbridge.contract.transport import Request, Response, Transport
from tillbridge.contract.wire import WireError

LOGIN_TIMEOUT_SECONDS = 60.0
SEARCH_MAX = 1000
PREFERENCES = "model.res.user.get_preferences"
T = TypeVar("T")
# Faults that pass by themselves: a lost race against another writer.
_PASSING = frozenset({"ConcurrencyException", "TimeOutException", "RateLimitException"})


class TrytonRefused(Refused):
    """Tryton's own no: `code` is the class of the error over there (UserError, UserWarning, ...).

    warning: name under which a warning can be acknowledged, "" for an error.
    """

    def __init__(self, words: str, *, code: str, warning: str = "") -> None:
        super().__init__(words, code=code)
        self.warning = warning


class Access(msgspec.Struct, frozen=True):
    """Where and as whom: base URL without database, database, login, password (never shown)."""

    url: str
    database: str
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Access({self.url!r}, {self.database!r}, {self.user!r})"


class Session(msgspec.Struct, frozen=True):
    """An open session: authorization token, user id, the user's preferences."""

    token: str = ""
    user: int = 0
    context: Mapping[str, Any] = {}


class TrytonClient:
    """One session of one user. Not for several threads at once."""

    def __init__(
        self, access: Access, transport: Transport, *, timeout_seconds: float = 120.0
    ) -> None:
        """timeout_seconds bounds one call; a batch of twenty sales takes some seconds."""
        self._access = access
        self._transport = transport
        self._timeout = timeout_seconds
        self._session = ""
        self.user = 0
        self.context: dict[str, Any] = {}

    @property
    def session(self) -> Session:
        """The session in use, for another client of the same access; empty before a login."""
        return Session(self._session, self.user, self.context)

    def resume(self, session: Session) -> None:
        """Go on in a session opened earlier; if it has expired, the first call logs in again."""
        self._session, self.user = session.token, session.user
        self.context = dict(session.context)

    def server_version(self) -> str:
        """Series of the server, e.g. `8.2`; needs no login. Raises RetryLater."""
        answer = self._post(f"{self._access.url}/rpc/", "common.server.version", (), 15.0)
        return str(self._judge(answer, "common.server.version").result)

    def login(self) -> None:
        """Open a session and take the user's preferences as context. Raises Refused, RetryLater."""
        access = self._access
        params = (access.user, {"password": access.password}, "en")
        answer = self._post(self._endpoint, "common.db.login", params, LOGIN_TIMEOUT_SECONDS)
        if answer.status == 401:
            words = f"Tryton does not know user {access.user!r} or the password"
            raise Refused(words, code="login")
        try:
            result = self._judge(answer, "common.db.login").result
        except Refused as refusal:
            raise Refused(refusal.words, code="login") from None
        opened = shaped(list[Any], result)
        if len(opened) < 2:
            raise RetryLater("Tryton's answer to the login cannot be read")
        self.user = shaped(int, opened[0])
        pair = f"{access.user}:{self.user}:{opened[1]}"
        self._session = base64.b64encode(pair.encode()).decode()
        told = self._post(self._endpoint, PREFERENCES, (True, {}), LOGIN_TIMEOUT_SECONDS)
        self.context = shaped(dict[str, Any], self._judge(told, PREFERENCES).result)

    def call(self, method: str, *params: Any, context: Mapping[str, Any] | None = None) -> Any:
        """Result of `method` with the context added as its last parameter.

        Raises TrytonRefused with Tryton's words, RetryLater (unknown=True when the call may have
        been applied), Refused when the server does not know the method or the user may not.
        """
        if not self._session:
            self.login()
        return self._call(method, (*params, {**self.context, **(context or {})}))

    def search(
        self,
        model: str,
        domain: Sequence[Any],
        *,
        company: int | None = None,
        limit: int = SEARCH_MAX,
    ) -> list[int]:
        """Ids of the records a domain finds."""
        context = company_context(company)
        found = self.call(f"model.{model}.search", domain, 0, limit, None, context=context)
        return shaped(list[int], found)

    def search_read(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        *,
        company: int | None = None,
        limit: int = SEARCH_MAX,
    ) -> list[dict[str, Any]]:
        """Fields of the records a domain finds; `id` is always among them."""
        found = self.call(
            f"model.{model}.search_read",
            domain,
            0,
            limit,
            None,
            list(fields),
            context=company_context(company),
        )
        return shaped(list[dict[str, Any]], found)

    def create(
        self, model: str, rows: Sequence[Mapping[str, Any]], *, company: int | None = None
    ) -> list[int]:
        """Ids of new records, in order; all or none (one transaction over there)."""
        found = self.call(f"model.{model}.create", list(rows), context=company_context(company))
        return shaped(list[int], found)

    def press(
        self, model: str, button: str, ids: Sequence[int], *, company: int | None = None
    ) -> Any:
        """Press a workflow button on records; all or none."""
        return self.call(f"model.{model}.{button}", list(ids), context=company_context(company))

    @property
    def _endpoint(self) -> str:
        return f"{self._access.url}/{self._access.database}/rpc/"

    def _call(self, method: str, params: Sequence[Any]) -> Any:
        answer = self._post(self._endpoint, method, params, self._timeout)
        if answer.status == 401:
            self._session = ""
            self.login()
            answer = self._post(self._endpoint, method, params, self._timeout)
        return self._judge(answer, method).result

    def _post(self, url: str, method: str, params: Sequence[Any], timeout: float) -> Response:
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self._session:
            headers["authorization"] = f"Session {self._session}"
        return self._transport.send(
            Request(
                method="POST",
                url=url,
                headers=headers,
                body=encode_request(method, params),
                timeout_seconds=timeout,
            )
        )

    def _judge(self, answer: Response, method: str) -> RpcAnswer:
        """The answer when it is good; otherwise the error that says what to do next."""
        if answer.status == 200:
            return self._judge_content(answer.body, method)
        words = f"Tryton answered {answer.status} to {method}: {_page_text(answer.body)}"
        words = self._without_secrets(words)
        if answer.status in (429, 503):
            # 503 is a row lock: the transaction was rolled back over there, nothing was applied.
            raise RetryLater(words, after_seconds=answer.retry_after)
        if answer.status >= 500 or answer.status == 408:
            if _is_programming_error(answer):
                raise Refused(words, code="protocol")
            raise RetryLater(words, after_seconds=answer.retry_after, unknown=True)
        raise Refused(words, code="protocol")

    def _judge_content(self, body: bytes, method: str) -> RpcAnswer:
        try:
            decoded = decode_answer(body)
        except WireError as problem:
            raise RetryLater(f"{method}: {problem.words}", unknown=True) from None
        fault = decoded.fault
        if fault is None:
            return decoded
        words = self._without_secrets(fault.words)
        if fault.name in _PASSING:
            raise RetryLater(f"Tryton: {words}", after_seconds=1.0)
        raise TrytonRefused(words, code=fault.name, warning=fault.warning)

    def _without_secrets(self, words: str) -> str:
        """The far side's words, in case it repeats what it was sent."""
        for secret in (self._access.password, self._session):
            if secret:
                words = words.replace(secret, "***")
        return words


def shaped(kind: type[T], value: Any) -> T:
    """A result in the shape it must have; RetryLater when something else answered for Tryton."""
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as problem:
        words = f"Tryton's answer has another shape than expected: {problem}"
        raise RetryLater(words, unknown=True) from None


def company_context(company: int | None) -> dict[str, Any]:
    """Context that makes Tryton work in one legal entity."""
    return {} if company is None else {"company": company, "companies": [company]}


def _is_programming_error(answer: Response) -> bool:
    """A 500 that names a Python error of ours (unknown field): repeating is pointless."""
    text = answer.body[:4000]
    return any(word in text for word in (b"KeyError", b"TypeError", b"AttributeError"))


def _page_text(body: bytes) -> str:
    """Words of an HTML error page, at most 200 characters."""
    text = sub(
        r"<(style|script|title)[^>]*>.*?</\1>|<[^>]+>", " ", body[:4000].decode("utf-8", "replace")
    )
    return " ".join(unescape(text).split())[:200]
