"""Accounts: one budget for every kind of call, whoever makes it, and leases that are kept alive."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection

from tests.durable.floor import OtherProcess
from tests.durable.test_jobs import owed
from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.errors import RetryLater
from tillbridge.contract.transport import Request, Response
from tillbridge.durable import accounts, jobs
from tillbridge.durable.accounts import Budget, Lease, Leases, PacedTransport, Slot
from tillbridge.durable.session import connect

# later than any clock of the database, at whose instant a bucket is made
NOW = datetime(2099, 1, 15, 10, tzinfo=UTC)
WIDE = Budget(rate=1e6, burst=1e6, conc=1000)
GET = Request(method="GET", url="http://erp/")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def one(connection: Connection, query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    connection.rollback()
    assert row is not None
    return row[0]


class Noting:
    """A way out that notes when it was used."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.sent: list[float] = []
        self.patience: float | None = None

    def send(self, request: Request) -> Response:
        self.sent.append((self.clock.now() - NOW).total_seconds())
        if self.patience is not None:
            raise RetryLater("slow down", after_seconds=self.patience)
        return Response(status=200, headers={}, body=b"")


def test_a_call_pays_for_every_request_it_makes(connection: Connection) -> None:
    accounts.make_dest(connection, "web", Budget(rate=2, burst=3, conc=1))
    clock = FixedClock(NOW)
    out = Noting(clock)
    slot = accounts.begin_poll(connection, "web", NOW, NOW)
    assert slot is not None
    way_out = PacedTransport(connection, out, slot, clock)
    for _ in range(6):
        way_out.send(GET)
    assert out.sent == [0, 0, 0, 0.5, 1.0, 1.5], "a burst of three, then two a second"
    accounts.end_call(connection, slot)
    assert accounts.begin_poll(connection, "web", clock.now(), NOW) is None, "all is spent"
    assert accounts.begin_poll(connection, "web", after(2.0), NOW) is not None


@pytest.mark.parametrize("frozen_before", ["its first request", "its second request"])
def test_nothing_leaves_for_who_has_lost_his_lease(
    connection: Connection, frozen_before: str
) -> None:
    accounts.make_dest(connection, "web", Budget(rate=2, burst=3, conc=1))
    clock = FixedClock(NOW)
    out = Noting(clock)
    slot = accounts.begin_poll(connection, "web", NOW, NOW)
    assert slot is not None
    way_out = PacedTransport(connection, out, slot, clock)
    if frozen_before == "its second request":
        way_out.send(GET)
    sent = len(out.sent)
    clock.sleep(31.0)  # leases last 30 s
    accounts.sweep(connection, clock.now())
    connection.commit()
    with pytest.raises(accounts.LeaseLost):
        way_out.send(GET)
    assert len(out.sent) == sent


def test_requests_of_many_callers_queue_up_behind_each_other(
    connection: Connection, database_url: str
) -> None:
    """Ten callers at the same instant are told to wait ever longer, none of them twice the same."""
    accounts.make_dest(connection, "web", Budget(rate=2, burst=1, conc=10))
    connection.commit()
    waits: list[float] = []

    class Waiting(FixedClock):
        def sleep(self, seconds: float) -> None:
            waits.append(seconds)

    def call() -> None:
        with connect(database_url) as own:
            clock = Waiting(NOW)
            row = own.execute(
                "insert into slot (account, class, lease_until) values (1, 0, %s) returning slot",
                (NOW + timedelta(minutes=1),),
            ).fetchone()
            assert row is not None
            own.commit()
            way_out = PacedTransport(own, Noting(clock), accounts.Slot(row[0], 1), clock)
            way_out.send(GET)  # paid for by the claim
            way_out.send(GET)

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [0.5 * n for n in range(1, 10)]


def _poll(connection: Connection, out: Noting, clock: FixedClock) -> None:
    """One page of a poll."""
    polling = accounts.polling(connection, "erp", out, clock, Leases(), clock.now())
    with polling as way_out:
        assert way_out is not None
        way_out.send(GET)


def test_a_far_side_that_asks_one_caller_for_patience_is_left_alone_by_all(
    connection: Connection,
) -> None:
    """A poll is throttled: the account's documents and its other connection wait too."""
    erp = accounts.make_dest(connection, "erp", WIDE, account="suite")
    accounts.make_dest(connection, "shop", WIDE, account="suite")
    jobs.enqueue(connection, [owed(erp, "k", 1)], after(5))
    connection.commit()
    clock = FixedClock(NOW)
    out = Noting(clock)
    busy = accounts.begin_poll(connection, "shop", NOW, NOW)
    assert busy is not None
    out.patience = 30
    with pytest.raises(RetryLater):
        _poll(connection, out, clock)
    out.patience = None
    # whoever is in the middle of a call stops before its next request, and nothing is sent
    under_way = PacedTransport(connection, out, busy, clock)
    under_way.send(GET)
    sent = len(out.sent)
    with pytest.raises(RetryLater) as told:
        under_way.send(GET)
    assert (told.value.after_seconds, told.value.unknown, len(out.sent)) == (30, False, sent)
    accounts.end_call(connection, busy)
    assert jobs.claim(connection, erp, 5, after(29.9)) == []
    assert accounts.begin_poll(connection, "shop", after(29.9), NOW) is None
    assert len(jobs.claim(connection, erp, 5, after(30))) == 1


def test_an_answer_to_an_earlier_call_does_not_end_the_patience(connection: Connection) -> None:
    erp = accounts.make_dest(connection, "erp", WIDE)
    assert accounts.breaker_open(connection, erp, after(30), NOW) == 1
    assert accounts.breaker_open(connection, erp, after(10), after(1)) == 1, "it says nothing new"
    accounts.breaker_close(connection, erp, after(2))
    assert accounts.room_for(connection, after(29), dest=erp) is None
    assert accounts.room_for(connection, after(30), dest=erp) is not None
    accounts.breaker_close(connection, erp, after(31))
    assert accounts.failures(connection, erp) == 0


def test_a_far_side_that_failed_is_tried_by_one_caller_at_a_time(
    connection: Connection, database_url: str
) -> None:
    """Eight workers at the end of each interval: one call, and it fails; 10 intervals, 10 calls."""
    erp = accounts.make_dest(connection, "erp", WIDE)
    jobs.enqueue(connection, [owed(erp, f"k{n}", 1) for n in range(50)], NOW)
    accounts.breaker_open(connection, erp, after(10), NOW)
    connection.commit()
    probes: list[int] = []
    gate, mutex = threading.Barrier(8), threading.Lock()

    def work() -> None:
        with connect(database_url) as own:
            for interval in range(1, 11):
                now = after(10 * interval)
                gate.wait()
                claimed = jobs.claim(own, erp, 20, now)
                gate.wait()  # all have tried before the first one is answered
                if claimed:
                    with mutex:
                        probes.append(len(claimed))
                    back = [jobs.Postponed(job, now, free=True) for job in claimed]
                    jobs.postpone(own, erp, back)
                    accounts.breaker_open(own, erp, now + timedelta(seconds=10), now)
                    accounts.end_call(own, claimed[0].slot)
                gate.wait()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert probes == [1] * 10
    assert accounts.failures(connection, erp) == 11


def test_polls_stand_back_behind_documents_but_not_for_ever(connection: Connection) -> None:
    erp = accounts.make_dest(connection, "erp", WIDE)
    jobs.enqueue(connection, [owed(erp, "k", 1, prio=3)], after(-1))
    connection.commit()
    assert accounts.begin_poll(connection, "erp", NOW, after(-299)) is None
    assert accounts.begin_poll(connection, "erp", NOW, after(-300)) is not None
    (claimed,) = jobs.claim(connection, erp, 5, NOW)
    accounts.end_call(connection, claimed.slot)
    assert accounts.begin_poll(connection, "erp", NOW, NOW) is not None


def test_connections_of_one_account_share_its_budget_and_its_order_of_classes(
    connection: Connection,
) -> None:
    shop = accounts.make_dest(connection, "shop", Budget(rate=1, burst=2, conc=9), account="suite")
    erp = accounts.make_dest(connection, "erp", Budget(rate=1, burst=2, conc=9), account="suite")
    jobs.enqueue(connection, [owed(erp, "catalogue", 1, prio=3)], after(-10))
    jobs.enqueue(connection, [owed(erp, "old", 1, prio=3)], after(-301))
    jobs.enqueue(connection, [owed(shop, f"order{n}", 1, prio=0) for n in range(2)], after(-1))
    connection.commit()
    assert [job.key for job in jobs.claim(connection, erp, 9, NOW)] == ["old"], "it has waited long"
    assert jobs.claim(connection, erp, 9, NOW) == [], "orders of the shop come first"
    assert len(jobs.claim(connection, shop, 1, NOW)) == 1
    assert jobs.claim(connection, shop, 1, NOW) == [], "both tokens of the account are spent"
    assert len(jobs.claim(connection, shop, 1, after(1))) == 1
    assert [job.key for job in jobs.claim(connection, erp, 9, after(2))] == ["catalogue"]


def test_a_connection_may_join_an_account_and_leave_it(connection: Connection) -> None:
    own = accounts.make_dest(connection, "erp", Budget(conc=3))
    assert accounts.make_dest(connection, "erp", Budget(conc=5), account="suite") == own
    room = accounts.room_for(connection, NOW, dest=own)
    assert room is not None
    assert room.account != own
    accounts.make_dest(connection, "erp", Budget(conc=3), account="erp")
    alone = accounts.room_for(connection, NOW, dest=own)
    assert alone is not None
    assert alone.account == own


def test_leases_are_kept_alive_while_a_call_is_under_way_with_two_statements(
    connection: Connection, database_url: str
) -> None:
    erp = accounts.make_dest(connection, "erp", WIDE)
    jobs.enqueue(connection, [owed(erp, f"k{n}", 1) for n in range(40)], NOW)
    connection.commit()
    leases = Leases()
    slots = []
    for _ in range(2):
        claimed = jobs.claim(connection, erp, 20, NOW)
        keys = [(erp, job.key, job.token) for job in claimed]
        slots.append(claimed[0].slot)
        leases.hold(Lease(slots[-1], NOW, keys))
    with connect(database_url) as other:
        for beat in range(1, 20):
            assert leases.beat(connection, after(10 * beat)) == 2
            assert accounts.sweep(other, after(10 * beat + 9)) == 0
            other.commit()
        leases.let_go(slots[0])
        assert leases.beat(connection, after(200)) == 1
        assert accounts.sweep(other, after(229)) == 20, "what nobody renews any more"
        assert accounts.sweep(other, after(231)) == 20
        other.commit()
    assert leases.beat(connection, after(232)) == 0
    assert one(connection, "select count(*) from outkey where unknown and token is null") == 40
    assert one(connection, "select count(*) from slot") == 0


def test_a_call_without_end_is_not_kept_alive_for_ever(connection: Connection) -> None:
    accounts.make_dest(connection, "erp", WIDE)
    slot = accounts.begin_poll(connection, "erp", NOW, NOW)
    assert slot is not None
    leases = Leases()
    leases.hold(Lease(slot, NOW))
    assert leases.beat(connection, after(accounts.CALL_MOST_SECONDS - 1)) == 1
    assert leases.beat(connection, after(accounts.CALL_MOST_SECONDS)) == 0


def test_never_more_calls_at_once_than_agreed_even_right_after_a_process_was_killed(
    connection: Connection, database_url: str
) -> None:
    erp = accounts.make_dest(connection, "erp", Budget(rate=1e6, burst=1e6, conc=3))
    jobs.enqueue(connection, [owed(erp, f"k{n}", 1) for n in range(9)], NOW)
    connection.commit()
    child = OtherProcess(database_url)
    try:
        child.tell("from datetime import datetime")
        at = NOW.isoformat()
        line = f"say(len(jobs.claim(connection, {erp}, 1, datetime.fromisoformat('{at}'))))"
        assert (child.ask(line), child.ask(line)) == ("1", "1")
    finally:
        child.end()
    assert len(jobs.claim(connection, erp, 1, after(1))) == 1
    assert jobs.claim(connection, erp, 1, after(29)) == [], "the calls may still be at work"
    assert jobs.claim(connection, erp, 1, after(31)) == [], "a lease that ran out frees nothing"
    assert accounts.sweep(connection, after(30.5)) == 2
    connection.commit()
    assert [len(jobs.claim(connection, erp, 1, after(31))) for _ in range(3)] == [1, 1, 0]


def test_an_account_nobody_made_has_no_room(connection: Connection) -> None:
    assert accounts.begin_poll(connection, "nobody", NOW, NOW) is None
    accounts.end_call(connection, Slot(99, 99))
    accounts.make_missing(connection, "nobody")
    assert accounts.begin_poll(connection, "nobody", NOW, NOW) is not None
