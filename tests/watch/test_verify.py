"""How a check goes: one snapshot, all of it even when a part fails, little shown of much."""

from __future__ import annotations

import psycopg
import pytest

from tillbridge.watch.invariants import INVARIANTS
from tillbridge.watch.verify import SHOWN, verify

FACT = ("order/web/1/recognise/1",)
CASE = "insert into exception_case (reason, room, key, fingerprint, owner, words)"
CASE_REST = "'order/web/1', 'x', 'finance', 'x'"


def test_what_is_true_only_at_rest_is_asked_only_at_rest(tables: psycopg.Connection) -> None:
    assert verify(tables).ok
    tables.execute("update hold set version = version - 1 where key = 'order/web/4'")
    tables.commit()
    assert verify(tables).ok
    assert not verify(tables, quiesced=True).ok
    assert tables.read_only is None


def test_all_are_checked_when_asked_for_everything(tables: psycopg.Connection) -> None:
    verdict = verify(tables, quiesced=True, deep=True)
    assert [one.name for one in verdict.invariants] == [one.sentence for one in INVARIANTS]
    assert verdict.checked == len(INVARIANTS)
    assert verdict.position > 0
    deep = {one.sentence for one in INVARIANTS if one.deep}
    assert deep.isdisjoint(one.name for one in verify(tables).invariants)


def test_a_query_that_fails_counts_as_broken_and_stops_no_other(
    tables: psycopg.Connection,
) -> None:
    tables.execute("alter table xref rename to elsewhere")
    tables.execute("update stock set on_hand = on_hand + 1 where product = 'P1'")
    tables.commit()
    verdict = verify(tables)
    broken = {one.name: one for one in verdict.invariants if one.lies}
    assert set(broken) == {"every name leads somewhere", "on hand is the sum of movements"}
    assert "xref" in broken["every name leads somewhere"].failed
    assert broken["on hand is the sum of movements"].lies == 2


def test_a_log_that_cannot_be_read_breaks_what_needs_it_and_no_other(
    tables: psycopg.Connection,
) -> None:
    tables.execute("update record set body = 'no json' where type = 'MoveStock'")
    tables.commit()
    verdict = verify(tables)
    failed = {one.name for one in verdict.invariants if one.failed}
    assert "every valued fact is booked" in failed
    assert "every entry balances" not in failed
    assert verdict.broken == len(failed)


def test_of_many_lies_the_number_is_told_and_the_first_are_shown(
    tables: psycopg.Connection,
) -> None:
    tables.execute(
        "insert into stock (location, product, on_hand)"
        " select 'nowhere', n::text, 1 from generate_series(1, 1000) n"
    )
    tables.commit()
    (broken,) = [one for one in verify(tables).invariants if one.lies]
    assert (broken.lies, len(broken.rows)) == (1000, SHOWN)


def test_a_snapshot_sees_nothing_that_comes_later_and_leaves_nothing_behind(
    tables: psycopg.Connection,
) -> None:
    assert verify(tables).ok
    assert verify(tables).ok
    left = tables.execute("select count(*) from pg_class where relname like 'seen_%'").fetchone()
    assert left == (0,)
    tables.execute("update stock set on_hand = on_hand")


@pytest.mark.parametrize(
    ("excuse", "lies"),
    [
        ("insert into parked_key values ('posting.money', 'order/web/1', 'flow', 0, 1, true)", 0),
        (f"{CASE} select 'rate_missing', 'posting.money', {CASE_REST}", 0),
        (f"{CASE} select 'rate_missing', 'publishing', {CASE_REST}", 1),
        (f"{CASE} select 'stock_short', 'posting.money', {CASE_REST}", 1),
    ],
)
def test_what_a_case_of_that_room_held_back_is_no_lie(
    tables: psycopg.Connection, excuse: str, lies: int
) -> None:
    tables.execute(
        "delete from entry_line where entry in (select id from entry where fact = %b)", FACT
    )
    tables.execute("delete from entry where fact = %b", FACT)
    tables.execute(excuse.encode())
    tables.commit()
    found = {one.name: one.lies for one in verify(tables).invariants}
    assert found["every valued fact is booked"] == lies
