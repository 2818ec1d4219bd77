"""Outbound keys: leased, fenced, in order per key, within bucket, semaphore and breaker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg import Connection

from tests.durable.floor import wait_for
from tillbridge.atoms.ids import SeededIds
from tillbridge.durable import accounts, jobs, pauses
from tillbridge.durable.accounts import Budget
from tillbridge.durable.jobs import FOREVER, Answer, Claimed, Owed, Postponed
from tillbridge.durable.session import connect

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
FREE = Budget(rate=1e6, burst=1e6, conc=100_000)
COUNTS = "select count(*) from outkey o full join (select dest, key, count(*) as jobs from job \
group by dest, key) j using (dest, key) where o.n is distinct from j.jobs"


def owed(dest: int, key: str, number: int, prio: int = 1) -> Owed:
    return Owed(
        dest=dest,
        key=key,
        op=f"{key}/{number}",
        kind="invoice",
        type="SubmitDocument",
        body=b"{}",
        prio=prio,
        day=date(2026, 1, 15),
    )


def made(connection: Connection, budget: Budget = FREE, keys: int = 1, each: int = 1) -> int:
    """A destination with jobs."""
    dest = accounts.make_dest(connection, "erp", budget)
    wanted = [owed(dest, f"k{key}", number) for number in range(each) for key in range(keys)]
    assert jobs.enqueue(connection, wanted, NOW) == keys * each
    connection.commit()
    return dest


def accepted(claimed: Claimed) -> tuple[Claimed, Answer]:
    return claimed, Answer(claimed.op, "accepted", remote_id=claimed.op)


def finish(connection: Connection, dest: int, *claimed: Claimed) -> list[str]:
    done = jobs.finish(connection, dest, [accepted(one) for one in claimed], NOW)
    connection.commit()
    return [one.op for one, _ in done]


def state(connection: Connection, op: str) -> str:
    row = connection.execute("select state from document where op = %s", (op,)).fetchone()
    connection.rollback()
    assert row is not None
    return str(row[0])


def test_a_finished_job_is_never_handed_out_again(
    connection: Connection, database_url: str
) -> None:
    """Four claimers, answers out of step, some too late: each job once, order per key kept."""
    keys, each = 40, 12
    dest = made(connection, FREE, keys, each)
    done: list[str] = []
    wrong: list[str] = []
    mutex = threading.Lock()

    def work(name: int) -> None:
        dice = SeededIds(name)
        with connect(database_url) as own:
            while True:
                claimed = jobs.claim(own, dest, 1 + int(dice.jitter() * 6), NOW)
                with mutex:
                    wrong.extend(one.op for one in claimed if one.op in done)
                    if not claimed and len(done) == keys * each:
                        return
                time.sleep(dice.jitter() / 400)
                back = [one for one in claimed if dice.jitter() < 0.1]
                kept = [one for one in claimed if one not in back]
                jobs.postpone(own, dest, [Postponed(one, NOW) for one in back])
                with mutex:  # noted before the commit that frees the key
                    done.extend(one.op for one in kept)
                finished = jobs.finish(own, dest, [accepted(one) for one in kept], NOW)
                own.commit()
                assert len(finished) == len(kept)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert len(done) == len(set(done)) == keys * each
    for key in range(keys):
        own = [int(op.split("/")[1]) for op in done if op.startswith(f"k{key}/")]
        assert own == list(range(each))
    assert connection.execute("select count(*) from job").fetchone() == (0,)
    assert connection.execute("select count(*) from outkey").fetchone() == (0,)


def test_a_claimer_that_waited_is_handed_the_job_behind_the_finished_one(
    connection: Connection, database_url: str
) -> None:
    dest = made(connection, FREE, keys=1, each=2)
    (first,) = jobs.claim(connection, dest, 1, NOW)

    def meanwhile(_: Connection) -> None:
        assert finish(connection, dest, first) == ["k0/0"]

    found = _claimed_behind(database_url, dest, meanwhile)
    assert [one.op for one in found] == ["k0/1"]


def test_a_claimer_that_waited_counts_the_slots_taken_meanwhile(
    connection: Connection, database_url: str
) -> None:
    dest = made(connection, Budget(rate=1e6, burst=1e6, conc=2), keys=5)

    def meanwhile(holder: Connection) -> None:
        holder.execute(
            "insert into slot (account, class, lease_until)"
            " select dest, 0, now() + '1 h' from dest, generate_series(1, 2)"
        )

    assert _claimed_behind(database_url, dest, meanwhile) == []


def _claimed_behind(url: str, dest: int, meanwhile: Callable[[Connection], None]) -> list[Claimed]:
    """What a claimer gets that had to wait for another one, which did something meanwhile."""
    found: list[Claimed] = []
    with connect(url) as holder, connect(url) as waiting, connect(url) as eyes:
        holder.execute("select from dest where dest = %s for update", (dest,))
        thread = threading.Thread(target=lambda: found.extend(jobs.claim(waiting, dest, 5, NOW)))
        thread.start()
        wait_for(eyes, "select exists (select from pg_locks where not granted)")
        meanwhile(holder)
        holder.commit()
        thread.join()
    return found


def test_an_expired_lease_becomes_unknown_and_keeps_its_slot_until_the_sweep(
    connection: Connection,
) -> None:
    dest = made(connection, Budget(rate=1e6, burst=1e6, conc=1))
    jobs.enqueue(connection, [owed(dest, "later", 0)], NOW + timedelta(seconds=100))
    connection.commit()
    (first,) = jobs.claim(connection, dest, 5, NOW)
    assert state(connection, first.op) == "sent"
    later = NOW + timedelta(seconds=101)
    # The call may still be running over there: no second one beside it.
    assert jobs.claim(connection, dest, 5, later) == []
    assert accounts.sweep(connection, NOW) == 0
    assert accounts.sweep(connection, later) == 1
    connection.commit()
    (again,) = jobs.claim(connection, dest, 1, later)
    assert (again.op, again.unknown, again.attempts) == (first.op, True, 2)
    # The answer of the first attempt comes late and is thrown away.
    assert finish(connection, dest, first) == []
    assert jobs.postpone(connection, dest, [Postponed(first, NOW)]) == set()
    connection.commit()
    assert state(connection, first.op) == "sent"
    assert finish(connection, dest, again) == [first.op]
    assert state(connection, first.op) == "accepted"


def test_a_late_answer_ends_nobody_elses_lease(connection: Connection) -> None:
    dest = made(connection, FREE, keys=1, each=2)
    (first,) = jobs.claim(connection, dest, 1, NOW)
    later = NOW + timedelta(minutes=2)
    accounts.sweep(connection, later)
    (again,) = jobs.claim(connection, dest, 1, later)
    assert again.token > first.token
    assert finish(connection, dest, first) == []
    refused = [(first, Answer(first.op, "refused"))]
    assert jobs.finish(connection, dest, refused, later) == []
    connection.commit()
    assert jobs.claim(connection, dest, 1, later) == [], "it is still leased to the other"
    assert finish(connection, dest, again) == [first.op]
    assert state(connection, first.op) == "accepted"


def test_a_key_keeps_its_order_and_a_refused_document_holds_only_its_key(
    connection: Connection,
) -> None:
    dest = made(connection, FREE, keys=2, each=2)
    claimed = {one.key: one for one in jobs.claim(connection, dest, 10, NOW)}
    assert sorted(one.op for one in claimed.values()) == ["k0/0", "k1/0"]
    refused = (claimed["k0"], Answer("k0/0", "refused"))
    done = jobs.finish(connection, dest, [refused, accepted(claimed["k1"])], NOW)
    connection.commit()
    assert len(done) == 2
    assert state(connection, "k0/0") == "refused"
    (next_one,) = jobs.claim(connection, dest, 10, NOW + timedelta(days=3650))
    assert next_one.op == "k1/1"
    assert connection.execute(COUNTS).fetchone() == (0,)


def test_an_operation_is_owed_once_whatever_becomes_of_its_job(connection: Connection) -> None:
    dest = made(connection)
    assert jobs.enqueue(connection, [owed(dest, "k0", 0), owed(dest, "k0", 0)], NOW) == 0
    (claimed,) = jobs.claim(connection, dest, 1, NOW)
    assert finish(connection, dest, claimed) == ["k0/0"]
    assert jobs.enqueue(connection, [owed(dest, "k0", 0)], NOW) == 0
    twice = [owed(dest, "k0", 1), owed(dest, "k0", 1), owed(dest, "k0", 2)]
    assert jobs.enqueue(connection, twice, NOW) == 2
    assert connection.execute(COUNTS).fetchone() == (0,)


def test_enqueue_and_finish_of_one_key_lose_no_job(
    connection: Connection, database_url: str
) -> None:
    dest = made(connection)
    number = 0
    with connect(database_url) as other:
        for turn in range(20):
            claimed = jobs.claim(connection, dest, 1, NOW)
            number += 1
            jobs.finish(connection, dest, [accepted(one) for one in claimed], NOW)  # key locked
            thread = threading.Thread(
                target=lambda n=number: jobs.enqueue(other, [owed(dest, "k0", n)], NOW)
            )
            thread.start()
            if turn % 2:
                time.sleep(0.01)
            connection.commit()
            thread.join()
            other.commit()
            assert connection.execute(COUNTS).fetchone() == (0,)
            connection.commit()
    assert connection.execute("select count(*) from job").fetchone() == (1,)


def test_the_bucket_bounds_calls_and_refills_with_time(connection: Connection) -> None:
    dest = made(connection, Budget(rate=2, burst=3, conc=100), keys=20)
    connection.execute("update dest set at = %s", (NOW,))
    connection.commit()

    def calls(seconds: float) -> int:
        """Claims of one document each that go out at that time; six are tried."""
        at = NOW + timedelta(seconds=seconds)
        return sum(len(jobs.claim(connection, dest, 1, at)) for _ in range(6))

    assert calls(0) == 3
    assert calls(0.4) == 0
    assert calls(1) == 2
    assert calls(3600) == 3
    # a worker whose clock is behind takes nothing away, and brings nothing back
    assert calls(0) == 0
    assert calls(3600) == 0
    assert calls(3601) == 2


def test_urgent_documents_go_first_and_waiting_ones_by_age(connection: Connection) -> None:
    dest = made(connection, FREE, keys=0)
    for minutes, key, prio in [(3, "late", 1), (1, "early", 1), (5, "urgent", 0), (0, "low", 2)]:
        due = NOW + timedelta(minutes=minutes)
        jobs.enqueue(connection, [owed(dest, key, 0, prio)], due)
    connection.commit()
    hour = NOW + timedelta(hours=1)
    order = [jobs.claim(connection, dest, 1, hour)[0].key for _ in range(4)]
    assert order == ["urgent", "early", "late", "low"]


def test_an_open_breaker_stops_all_calls_and_then_lets_one_through(connection: Connection) -> None:
    dest = made(connection, FREE, keys=9)
    claimed = jobs.claim(connection, dest, 3, NOW)
    back = [Postponed(one, NOW, free=True) for one in claimed]
    assert len(jobs.postpone(connection, dest, back)) == 3
    accounts.end_call(connection, claimed[0].slot)
    assert accounts.breaker_open(connection, dest, NOW + timedelta(seconds=30), NOW) == 1
    connection.commit()
    assert jobs.claim(connection, dest, 9, NOW + timedelta(seconds=29)) == []
    (probe,) = jobs.claim(connection, dest, 9, NOW + timedelta(seconds=31))
    assert probe.attempts == 1  # what the breaker gave back did not count
    accounts.end_call(connection, probe.slot)
    accounts.breaker_close(connection, dest, NOW + timedelta(seconds=31))
    connection.commit()
    assert len(jobs.claim(connection, dest, 9, NOW + timedelta(seconds=32))) == 8


def test_a_paused_destination_is_left_alone(connection: Connection) -> None:
    dest = made(connection)
    assert pauses.pause(connection, "erp", "", "pat", "", NOW)
    connection.commit()
    assert jobs.claim(connection, dest, 1, NOW) == []
    assert pauses.resume(connection, "erp", "", by="kim", now=NOW)
    connection.commit()
    assert len(jobs.claim(connection, dest, 1, NOW)) == 1


def test_forever_is_forever(connection: Connection) -> None:
    dest = made(connection)
    (claimed,) = jobs.claim(connection, dest, 1, NOW)
    jobs.postpone(connection, dest, [Postponed(claimed, FOREVER, unknown=True)])
    row = connection.execute("select due = 'infinity', unknown, lease_until from outkey").fetchone()
    assert row == (True, True, None)


@pytest.mark.parametrize("missing", [True, False])
def test_a_destination_is_made_once_and_its_pace_brought_up_to_date(
    connection: Connection, *, missing: bool
) -> None:
    if not missing:
        accounts.make_dest(connection, "erp", FREE)
    number = accounts.make_dest(connection, "erp", Budget(rate=3, burst=4, conc=5))
    assert jobs.dests(connection) == {"erp": number}
    row = connection.execute("select rate, burst, conc from dest").fetchall()
    assert row == [(3.0, 4.0, 5)]
