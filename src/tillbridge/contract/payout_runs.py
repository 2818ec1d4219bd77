"""A run over a provider's payouts, newest first: what every poll of payouts has to get right.

A payout is one item: its head as the provider tells it and, once it lists them, its lines, so that
total and lines come in together. A run begins an overlap before the last one, and never after a
payout that is still under way; what comes again says nothing new. A run is known to be complete
through its beginning, or through the oldest payout whose lines the provider does not list yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

import msgspec

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.atoms.ids import key_of
from tillbridge.contract.promises import Item, Page
from tillbridge.contract.wire import instant

STREAM = "payouts"
TOPIC = "settlement"
LAG = timedelta(minutes=5)
"""A provider's lists may lag behind its books by so much."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """A payout in a list. created: UTC. listed: its lines can be read now; final: and no more will
    be added; awaited: they cannot be read yet. under_way: its state may still change for certain.
    raw: as it came.
    """

    payout: str
    created: datetime
    raw: bytes
    listed: bool
    final: bool = True
    awaited: bool = False
    under_way: bool = False


class Heads(msgspec.Struct, frozen=True):
    """A page of payouts. following: how the next page is asked for, "" = there is none. clock: the
    provider's, when it answered, as HTTP tells it ("" = it did not).
    """

    heads: Sequence[Head]
    following: str = ""
    clock: str = ""


class PayoutApi(Protocol):
    """What a provider's client does for a run. Both raise RetryLater, Refused, NeedsDecision."""

    def heads(self, since: datetime | None, page: str) -> Heads:
        """A page of the payouts made since then, newest first; page: "" = the first."""

    def file(self, head: Head, *, lines: bool) -> bytes:
        """A payout as the connector's own `settlement` reads it, with its lines if asked for."""


class _Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a run stands. Instants are RFC 3339 in UTC, so texts sort. since: payouts made since
    then; page: the page being read, done: its payouts that are. started: when the run began.
    latest: youngest payout seen. open, lacking: oldest one under way, and without its lines. read:
    payouts whose lines are complete, and when they were made.
    """

    since: str = ""
    page: str = ""
    done: tuple[str, ...] = ()
    started: str = ""
    latest: str = ""
    open: str = ""
    lacking: str = ""
    read: dict[str, str] = {}


def poll_payouts(
    api: PayoutApi, stream: str, cursor: str, account: str, start_at: str, overlap: timedelta
) -> Page:
    """The next page of a run. account: the connection. start_at: RFC 3339, "" = from the first one.

    When the provider asks for patience in the middle, what was read so far is given and the cursor
    remembers it. Raises RetryLater when that is nothing, Refused for another stream's cursor.
    """
    if stream != STREAM:
        raise Refused(f"there is no stream {stream[:40]!r}; there is: {STREAM}")
    at = _cursor(cursor, start_at)
    page = api.heads(instant(at.since) if at.since else None, at.page)
    at = msgspec.structs.replace(at, started=at.started or _clock(page.clock))
    items: list[Item] = []
    done, read = list(at.done), dict(at.read)
    for head in page.heads:
        if head.payout in at.done:
            continue
        fresh = head.listed and head.payout not in read
        try:
            body = api.file(head, lines=fresh)
        except RetryLater:
            if not items:
                raise
            part = msgspec.structs.replace(at, done=tuple(done), read=read)
            return Page(items=tuple(items), cursor=_text(part), more=True)
        items.append(_item(head, body, account))
        done.append(head.payout)
        if head.listed and head.final:
            read[head.payout] = _zulu(head.created)
    return _page_read(tuple(items), at, page, read, overlap)


def _page_read(
    items: tuple[Item, ...], at: _Cursor, page: Heads, read: dict[str, str], overlap: timedelta
) -> Page:
    heads = page.heads
    latest = max([at.latest, *(_zulu(one.created) for one in heads)])
    open_ = _oldest(at.open, [one for one in heads if one.under_way or one.awaited])
    lacking = _oldest(at.lacking, [one for one in heads if one.awaited])
    known = at.started or latest
    if not known:  # nothing was ever paid out, and nobody says what time it is
        return Page(items=items, cursor=_text(_Cursor(since=at.since)))
    begin = min(known, open_ or known)
    since = max(at.since, _zulu(instant(begin) - overlap))
    kept = {payout: created for payout, created in read.items() if created >= since}
    if page.following:
        going = _Cursor(
            since=at.since,
            page=page.following,
            started=at.started,
            latest=latest,
            open=open_,
            lacking=lacking,
            read=kept,
        )
        return Page(items=items, cursor=_text(going), more=True)
    through = instant(at.started) - LAG if at.started else None
    if through is not None and lacking:
        through = min(through, instant(lacking))
    return Page(
        items=items, cursor=_text(_Cursor(since=since, read=kept)), complete_through=through
    )


def _item(head: Head, body: bytes, account: str) -> Item:
    """A payout as a delivery; its id holds the content, so that the same again is a duplicate."""
    digest = hashlib.sha256(body).hexdigest()[:32]
    return Item(
        topic=TOPIC,
        delivery=f"payout/{head.payout}:{digest}",
        body=body,
        key=key_of("payout", account, head.payout),
        place=f"payout {head.payout}",
    )


def _oldest(before: str, heads: Sequence[Head]) -> str:
    return min(filter(None, [before, *(_zulu(one.created) for one in heads)]), default="")


def _cursor(text: str, start_at: str) -> _Cursor:
    if not text:
        return _Cursor(since=_zulu(instant(start_at)) if start_at else "")
    try:
        return msgspec.json.decode(text, type=_Cursor)
    except msgspec.MsgspecError:
        raise Refused(f"the cursor of stream {STREAM} is not one of this connector") from None


def _text(cursor: _Cursor) -> str:
    return msgspec.json.encode(cursor).decode()


def _clock(header: str) -> str:
    try:
        found = parsedate_to_datetime(header)
    except ValueError:
        return ""
    return _zulu(found) if found.tzinfo is not None else ""


def _zulu(found: datetime) -> str:
    return found.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
