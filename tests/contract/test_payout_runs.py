"""A run over payouts: newest first, an overlap behind, nothing skipped, nothing asked twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.contract.payout_runs import LAG, Head, Heads, poll_payouts
from tillbridge.contract.promises import Page

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CLOCK = "Tue, 10 Mar 2026 12:00:00 GMT"
DAY = timedelta(days=1)


def head(n: int, **fields: Any) -> Head:
    """Payout n, made on the morning of March n."""
    about: dict[str, Any] = {"raw": b"h%d" % n, "listed": True, **fields}
    return Head(payout=f"po_{n}", created=datetime(2026, 3, n, 6, tzinfo=UTC), **about)


class Provider:
    """Two payouts to a page; asked for lines it notes whose."""

    def __init__(self, *heads: Head, clock: str = CLOCK) -> None:
        self.told = list(heads)
        self.clock = clock
        self.since: list[datetime | None] = []
        self.lines: list[str] = []
        self.busy: set[str] = set()

    def heads(self, since: datetime | None, page: str) -> Heads:
        self.since.append(since)
        found = [one for one in self.told if since is None or one.created >= since]
        begin = int(page or 0)
        following = str(begin + 2) if begin + 2 < len(found) else ""
        return Heads(found[begin : begin + 2], following, self.clock)

    def file(self, head: Head, *, lines: bool) -> bytes:
        if head.payout in self.busy:
            self.busy.remove(head.payout)
            raise RetryLater("busy", after_seconds=3)
        if lines:
            self.lines.append(head.payout)
        return head.raw + (b" lines" if lines else b"")


def run(provider: Provider, cursor: str = "", start_at: str = "") -> tuple[list[Page], str]:
    """One run to its end; gives its pages and the cursor."""
    pages: list[Page] = []
    while not pages or pages[-1].more:
        pages.append(
            poll_payouts(provider, "payouts", cursor, "acme", start_at, timedelta(days=14))
        )
        assert not pages[-1].more or pages[-1].cursor != cursor
        cursor = pages[-1].cursor
    return pages, cursor


def told(pages: list[Page]) -> list[str]:
    return [item.place.removeprefix("payout ") for page in pages for item in page.items]


def test_a_run_reads_every_page_and_the_next_asks_for_no_line_again() -> None:
    provider = Provider(*(head(n) for n in (9, 8, 7, 6, 5)))
    pages, cursor = run(provider)
    assert told(pages) == provider.lines == ["po_9", "po_8", "po_7", "po_6", "po_5"]
    assert pages[-1].complete_through == NOW - LAG
    assert pages[0].items[0].key == "payout/acme/po_9"
    provider.told.insert(0, head(10))
    pages, _ = run(provider, cursor)
    assert told(pages)[0] == "po_10"
    assert len(provider.lines) == 6
    assert provider.since[-1] == NOW - timedelta(days=14)


def test_what_is_told_again_is_the_same_delivery_and_a_new_state_is_another() -> None:
    provider = Provider(head(9))
    _, cursor = run(provider)
    once, cursor = run(provider, cursor)
    again, cursor = run(provider, cursor)
    assert once[0].items[0].delivery == again[0].items[0].delivery
    provider.told[0] = head(9, raw=b"h9 failed")
    other, _ = run(provider, cursor)
    assert other[0].items[0].delivery != once[0].items[0].delivery


def test_patience_in_the_middle_of_a_page_loses_nothing() -> None:
    provider = Provider(*(head(n) for n in (9, 8, 7)))
    provider.busy = {"po_8"}
    pages, _ = run(provider)
    assert [len(page.items) for page in pages] == [1, 1, 1]
    assert provider.lines == ["po_9", "po_8", "po_7"]
    provider.busy = {"po_9"}
    with pytest.raises(RetryLater):
        run(provider)


def test_what_waits_for_its_lines_holds_the_account_back_and_is_read_however_long_it_takes() -> (
    None
):
    waiting = head(2, listed=False, awaited=True)
    provider = Provider(head(9), waiting)
    pages, cursor = run(provider)
    assert pages[-1].complete_through == waiting.created
    assert provider.lines == ["po_9"]
    provider.clock = "Fri, 10 Apr 2026 12:00:00 GMT"
    pages, cursor = run(provider, cursor)
    assert pages[-1].complete_through == waiting.created
    provider.told[1] = head(2)
    pages, cursor = run(provider, cursor)
    assert provider.lines == ["po_9", "po_2"]
    assert pages[-1].complete_through == datetime(2026, 4, 10, 12, tzinfo=UTC) - LAG
    run(provider, cursor)
    assert provider.since[-1] == datetime(2026, 3, 27, 12, tzinfo=UTC)


def test_a_payout_under_way_stays_in_sight_and_one_not_final_is_read_again() -> None:
    provider = Provider(head(2, under_way=True, final=False))
    provider.clock = "Fri, 10 Apr 2026 12:00:00 GMT"
    pages, cursor = run(provider)
    assert pages[-1].complete_through == datetime(2026, 4, 10, 12, tzinfo=UTC) - LAG
    run(provider, cursor)
    assert provider.lines == ["po_2", "po_2"]


def test_a_provider_without_a_clock_is_never_called_complete() -> None:
    provider = Provider(head(9), clock="")
    pages, cursor = run(provider)
    assert pages[-1].complete_through is None
    run(provider, cursor)
    assert provider.since[-1] == head(9).created - 14 * DAY
    nothing, _ = run(Provider(clock=""), start_at="2026-03-01T00:00:00Z")
    assert nothing[0].items == ()


def test_it_begins_where_the_settings_say() -> None:
    provider = Provider(head(9), head(2))
    assert told(run(provider, start_at="2026-03-05T00:00:00+01:00")[0]) == ["po_9"]


def test_another_stream_and_another_cursor_are_refused() -> None:
    with pytest.raises(Refused, match="no stream"):
        poll_payouts(Provider(), "orders", "", "acme", "", DAY)
    with pytest.raises(Refused, match="cursor"):
        poll_payouts(Provider(), "payouts", "[7]", "acme", "", DAY)
