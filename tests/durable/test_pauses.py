"""Pauses: nothing is started with what is paused, and nothing is lost or overtaken by it."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from psycopg import Connection

from tests.durable.floor import wait_for
from tests.durable.test_jobs import FREE, accepted, owed
from tillbridge.durable import accounts, jobs, pauses
from tillbridge.durable.session import connect

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)


def _owed(dest: int, key: str, number: int, kind: str) -> jobs.Owed:
    job = owed(dest, key, number)
    job.kind = kind
    return job


def _claim(connection: Connection, dest: int, now: datetime = NOW) -> list[str]:
    """Operations that go out in one call, which is answered at once."""
    claimed = jobs.claim(connection, dest, 20, now)
    if claimed:
        jobs.finish(connection, dest, [accepted(one) for one in claimed], now)
        accounts.end_call(connection, claimed[0].slot)
    return sorted(one.op for one in claimed)


def test_a_paused_queue_waits_with_what_is_behind_it_and_others_go(connection: Connection) -> None:
    erp = accounts.make_dest(connection, "erp", FREE)
    wanted = [
        _owed(erp, "a", 1, "invoice"),
        _owed(erp, "a", 2, "credit_note"),
        _owed(erp, "b", 1, "sales_order"),
        _owed(erp, "b", 2, "invoice"),
        _owed(erp, "c", 1, "credit_note"),
    ]
    jobs.enqueue(connection, wanted, NOW)
    assert pauses.pause(connection, "erp", "invoice", "pat", "tax codes", NOW)
    connection.commit()
    assert _claim(connection, erp) == ["b/1", "c/1"]
    assert _claim(connection, erp) == []
    (found,) = pauses.pauses(connection)
    assert (found.what, found.by, found.reason, found.documents) == (
        "erp/invoice",
        "pat",
        "tax codes",
        3,
    )
    attempts = connection.execute("select distinct attempts, due = 'infinity' from outkey")
    assert attempts.fetchall() == [(0, True)]
    later = NOW + timedelta(days=2)
    assert pauses.resume(connection, "erp", "invoice", by="kim", now=later)
    connection.commit()
    assert _claim(connection, erp, later) == ["a/1", "b/2"]
    assert _claim(connection, erp, later) == ["a/2"]


def test_a_pause_is_made_once_and_keeps_who_made_it(connection: Connection) -> None:
    accounts.make_dest(connection, "erp", FREE)
    assert pauses.pause(connection, "erp", "", "pat", "stocktaking", NOW)
    assert not pauses.pause(connection, "erp", "", "kim", "", NOW)
    assert pauses.paused(connection) == {"erp"}
    assert [(one.by, one.what) for one in pauses.pauses(connection)] == [("pat", "erp")]
    assert not pauses.resume(connection, "erp", "invoice", by="kim", now=NOW)
    assert pauses.resume(connection, "erp", "", by="kim", now=NOW)
    assert not pauses.resume(connection, "erp", "", by="kim", now=NOW)


def test_a_paused_connection_gets_no_poll_and_another_of_its_account_goes_on(
    connection: Connection,
) -> None:
    shop = accounts.make_dest(connection, "shop", FREE, account="suite")
    erp = accounts.make_dest(connection, "erp", FREE, account="suite")
    jobs.enqueue(connection, [owed(shop, "k", 1, prio=0), owed(erp, "k", 1, prio=3)], NOW)
    pauses.pause(connection, "shop", "", "pat", "", NOW)
    connection.commit()
    assert accounts.begin_poll(connection, "shop", NOW, NOW) is None
    assert _claim(connection, shop) == []
    assert _claim(connection, erp) == ["k/1"], "what is paused keeps nobody behind it"


def test_a_queue_resumed_while_keys_are_set_aside_leaves_none_behind(
    connection: Connection, database_url: str
) -> None:
    """The resumer comes while a claimer sets keys aside; the next claimer came before it ended."""
    erp = accounts.make_dest(connection, "erp", FREE)
    jobs.enqueue(connection, [_owed(erp, f"k{n}", 1, "invoice") for n in range(5)], NOW)
    pauses.pause(connection, "erp", "invoice", "pat", "", NOW)
    connection.commit()
    found: list[str] = []
    connections = (connect(database_url) for _ in range(4))
    with ExitStack() as stack:
        claimer, resumer, next_one, eyes = map(stack.enter_context, connections)
        claimer.execute("select from dest for update")  # as a claim in its first statement
        claimer.execute(
            "update outkey set due = 'infinity', paused = 'invoice' where key in ('k0', 'k1')"
        )

        def resume() -> None:
            pauses.resume(resumer, "erp", "invoice", by="kim", now=NOW)
            resumer.commit()

        waiting = [
            threading.Thread(target=resume),
            threading.Thread(target=lambda: found.extend(_claim(next_one, erp))),
        ]
        for number, thread in enumerate(waiting, 1):
            thread.start()
            wait_for(eyes, f"select count(*) >= {number} from pg_locks where not granted")
        claimer.commit()
        for thread in waiting:
            thread.join()
        next_one.commit()
    found += _claim(connection, erp)
    assert sorted(found) == [f"k{n}/1" for n in range(5)]
    assert connection.execute("select count(*) from outkey").fetchone() == (0,)
