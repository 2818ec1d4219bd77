"""Parking: one key waits, all others go on; nothing overtakes, nothing is lost, nothing twice."""

from __future__ import annotations

from types import ModuleType

import pytest
from psycopg import Connection

from tests.app.toy_flow import append, make_ready, moved, noted, parked, records, runner, seen
from tillbridge.app.flow import MONEY, ORCHESTRATION, STOCK
from tillbridge.app.runner import CONSUMER, REPLAYED_KEYS_BUSY, Pace
from tillbridge.app.waves import READING
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.registry import encode
from tillbridge.durable import log, parking
from tillbridge.durable.session import connect
from tillbridge.triage.cases import list_cases, replay, resolve


def cases(connection: Connection, state: str = "open") -> list[tuple[str, str]]:
    found = [(case.reason, case.key) for case in list_cases(connection, state=state)]
    connection.rollback()
    return found


def test_a_poison_record_parks_only_its_key(connection: Connection) -> None:
    flow = runner(connection)
    append(connection, noted("a", "a1"), noted("b", "b1", f"ask {ORCHESTRATION}"), noted("c", "c1"))
    append(connection, noted("b", "b2"), noted("a", "a2"))
    assert flow.drain() == 5
    assert sorted(seen(connection)) == ["a1", "a2", "c1"]
    assert parked(connection) == [(ORCHESTRATION, "b", False, 2)]
    assert cases(connection) == [("toy", "b")]


def test_later_records_queue_in_order_and_are_replayed_in_order_exactly_once(
    connection: Connection,
) -> None:
    flow = runner(connection, Pace(batch_max=1))
    append(connection, noted("b", "b1", f"ask {ORCHESTRATION}"), noted("b", "b2"))
    flow.drain()
    append(connection, noted("b", "b3"))
    flow.drain()
    assert seen(connection) == []
    make_ready(connection, "b1")
    append(connection, noted("b", "b4"))
    flow.drain()
    assert seen(connection) == ["b1", "b2", "b3", "b4"]
    assert parked(connection) == []
    assert cases(connection) == []
    assert cases(connection, "resolved") == [("toy", "b")]
    assert flow.drain() == 0


def test_a_live_record_does_not_overtake_a_replay_longer_than_a_batch(
    connection: Connection,
) -> None:
    flow = runner(connection)
    append(connection, noted("b", "0", f"ask {ORCHESTRATION}"))
    append(connection, *(noted("b", str(n)) for n in range(1, 130)))
    flow.drain()
    make_ready(connection, "0")
    append(connection, noted("b", "130"))
    assert flow.run_once().replayed == 100
    assert parked(connection) == [(ORCHESTRATION, "b", True, 31)]
    flow.drain()
    assert seen(connection) == [str(n) for n in range(131)]
    assert parked(connection) == []


def test_a_new_decision_keeps_its_place_and_closes_the_former_case(connection: Connection) -> None:
    flow = runner(connection)
    append(connection, noted("b", "b1", f"ask {ORCHESTRATION}"))
    append(connection, noted("b", "b2", f"raise {ORCHESTRATION}"), noted("b", "b3"))
    flow.drain()
    make_ready(connection, "b1")
    flow.drain()
    assert seen(connection) == ["b1"]
    assert parked(connection) == [(ORCHESTRATION, "b", False, 2)]
    assert cases(connection) == [("defect", "b")]
    assert cases(connection, "resolved") == [("toy", "b")]
    make_ready(connection, "b2")
    flow.drain()
    assert seen(connection) == ["b1", "b2", "b3"]
    assert cases(connection) == []


def test_a_room_may_wait_while_the_ones_beside_it_go_on(connection: Connection) -> None:
    flow = runner(connection)
    append(connection, moved("a", "a1", f"ask {MONEY}"), moved("a", "a2"))
    append(connection, moved("b", "b1", f"ask {ORCHESTRATION}"))
    flow.drain()
    assert seen(connection) == ["a1", "a2"]
    assert seen(connection, MONEY) == []
    assert seen(connection, STOCK) == ["a1", "a2", "b1"]  # it does not wait for the first room
    assert parked(connection) == [(ORCHESTRATION, "b", False, 1), (MONEY, "a", False, 2)]
    make_ready(connection, "a1", "b1")
    flow.drain()
    assert seen(connection) == ["a1", "a2", "b1"]
    assert sorted(seen(connection, MONEY)) == ["a1", "a2", "b1"]
    assert seen(connection, STOCK) == ["a1", "a2", "b1"]


def test_what_a_parked_record_would_have_set_off_follows_its_replay(connection: Connection) -> None:
    flow = runner(connection)
    append(connection, noted("a", "a1", "emit b"), noted("b", "b1", f"ask {ORCHESTRATION}"))
    flow.drain()
    assert parked(connection) == [(ORCHESTRATION, "b", False, 2)]
    make_ready(connection, "b1")
    flow.drain()
    assert seen(connection) == ["a1", "b1", "a1/next"]


def test_a_write_that_the_database_refuses_is_bisected_by_key(connection: Connection) -> None:
    flow = runner(connection)
    bodies = [noted(f"k{n}", f"{n}") for n in range(64)]
    bodies[17] = noted("k17", "17", f"null {ORCHESTRATION}")
    bodies.append(noted("k17", "later"))
    append(connection, *bodies)
    with connect(_url(connection)) as other:
        before = _commits(other)
        report = flow.run_once()
        connection.rollback()
        after = _commits(other)
    assert report.bisected <= 10  # about log2 of the keys, and nothing near one per record
    assert after - before < 20
    assert len(seen(connection)) == 63
    assert parked(connection) == [(ORCHESTRATION, "k17", False, 2)]
    assert cases(connection) == [("write_refused", "k17")]
    make_ready(connection, "17")
    flow.drain()
    assert seen(connection, key="k17") == ["17", "later"]


def _url(connection: Connection) -> str:
    return f"{connection.info.dsn} password={connection.info.password}"


def _commits(connection: Connection) -> int:
    connection.execute("select pg_stat_clear_snapshot(), pg_stat_force_next_flush()")
    row = connection.execute(
        "select xact_commit + xact_rollback from pg_stat_database"
        " where datname = current_database()"
    ).fetchone()
    connection.commit()
    return int(row[0]) if row else 0


def test_poison_in_the_middle_of_a_key_holds_back_only_what_follows(connection: Connection) -> None:
    flow = runner(connection)
    append(connection, noted("a", "1"), noted("a", "2", f"null {ORCHESTRATION}"), noted("a", "3"))
    flow.drain()
    assert seen(connection) == ["1"]
    assert parked(connection) == [(ORCHESTRATION, "a", False, 2)]
    make_ready(connection, "2")
    flow.drain()
    assert seen(connection) == ["1", "2", "3"]


def test_a_replay_that_the_database_refuses_asks_again_and_is_not_tried_for_ever(
    connection: Connection,
) -> None:
    flow = runner(connection)
    append(connection, noted("a", "1", f"null {ORCHESTRATION}"), noted("a", "2"))
    flow.drain()
    make_ready(connection)
    assert flow.run_once().replayed == 2
    assert parked(connection) == [(ORCHESTRATION, "a", False, 2)]
    assert flow.drain() == 0
    make_ready(connection, "1")
    flow.drain()
    assert seen(connection) == ["1", "2"]


def test_poison_behind_another_case_leaves_that_case_in_charge(connection: Connection) -> None:
    flow = runner(connection)
    append(connection, noted("a", "1", f"ask {ORCHESTRATION}"))
    flow.drain()
    # the same key poisons the batch through a room beside: it queues, the first case stays
    append(connection, moved("a", "2", f"null {STOCK}"), noted("b", "b1"))
    flow.drain()
    assert cases(connection) == [("toy", "a"), ("write_refused", "a")]
    assert parked(connection) == [(ORCHESTRATION, "a", False, 2), (STOCK, "a", False, 1)]
    make_ready(connection, "1", "2")
    flow.drain()
    assert seen(connection) == ["b1", "1", "2"]
    assert seen(connection, STOCK) == ["2"]
    assert cases(connection) == []


@pytest.mark.parametrize("word", [f"raise {ORCHESTRATION}", "loop", "emit " + "x" * 3000, "emit "])
def test_a_defect_of_ours_parks_a_key_and_never_stops_the_hub(
    connection: Connection, word: str
) -> None:
    flow = runner(connection)
    append(connection, noted("a", "a1"), noted("b", "b1", word), noted("c", "c1"))
    flow.drain()
    assert sorted(seen(connection)) == ["a1", "c1"]
    assert parked(connection) == [(ORCHESTRATION, "b", False, 1)]
    assert cases(connection) == [("defect", "b")]


@pytest.mark.parametrize(
    ("kind", "version", "body"),
    [("TillNoted", 1, b"{"), ("TillNoted", 2, b"{}"), ("MoonLanded", 1, b"{}")],
)
def test_a_record_that_cannot_be_read_parks_its_key_as_it_is(
    connection: Connection, kind: str, version: int, body: bytes
) -> None:
    flow = runner(connection)
    append(connection, noted("a", "a1"), noted("b", "b1"))
    connection.execute(
        "insert into record (lane, key, type, version, fused, body)"
        " values (%b, 'b', %b, %b, false, %b)",
        (lane_of("b"), kind, version, body),
    )
    connection.commit()
    append(connection, noted("b", "b3"), noted("c", "c1"))
    flow.drain()
    assert sorted(seen(connection)) == ["a1", "b1", "c1"]
    assert parked(connection) == [(READING, "b", False, 2)]
    (case,) = list_cases(connection)
    assert case.reason == "record_unreadable"
    assert kind in case.words
    stored = connection.execute("select type, version, body from parked order by n").fetchone()
    assert stored == (kind, version, body)
    # still unreadable: it asks again, once, and waits
    make_ready(connection)
    flow.drain()
    assert parked(connection) == [(READING, "b", False, 2)]
    # read by a release that can: everything follows in order
    good = records(noted("b", "b2"))[0]
    connection.execute(
        "update parked set type = 'TillNoted', version = 1, body = %b where body = %b",
        (encode(good.body), body),
    )
    make_ready(connection)
    flow.drain()
    assert seen(connection, key="b") == ["b1", "b2", "b3"]
    assert parked(connection) == []


def test_a_case_closed_by_hand_while_records_queue_stops_nothing(connection: Connection) -> None:
    with connect(_url(connection)) as other:

        def give_up(room: str, _: Connection) -> None:
            if pending:
                resolve(other, pending.pop(), "anna", "not needed")
                other.commit()

        pending: list[int] = []
        flow = runner(connection, on_flush=give_up)
        append(connection, noted("a", "1", f"ask {ORCHESTRATION}"))
        flow.drain()
        pending.append(list_cases(connection)[0].id)
        connection.rollback()
        append(connection, noted("a", "2"), noted("b", "b1"))
        flow.drain()
    assert seen(connection) == ["b1", "2"] or seen(connection) == ["2", "b1"]
    assert parked(connection) == []


def test_replay_of_a_case_wakes_only_its_key(connection: Connection) -> None:
    flow = runner(connection)
    append(connection, *(noted(k, f"{k}1", f"ask {ORCHESTRATION}") for k in "ab"))
    flow.drain()
    numbers = {case.key: case.id for case in list_cases(connection)}
    connection.execute("insert into told values ('a1'), ('b1')")
    assert replay(connection, [numbers["a"]], "anna") == 1
    connection.commit()
    flow.drain()
    assert seen(connection) == ["a1"]
    assert parked(connection) == [(ORCHESTRATION, "b", False, 1)]


def test_a_replay_runs_under_the_lock_of_its_lane_so_once_over_two_workers(
    connection: Connection,
) -> None:
    assert lane_of("a") != lane_of("b")
    with connect(_url(connection)) as other:
        beside = runner(other)
        reports = []

        def meanwhile(room: str, _: Connection) -> None:
            reports.append(beside.run_once())

        flow = runner(connection)
        append(connection, noted("a", "a1", f"ask {ORCHESTRATION}"))
        flow.drain()
        make_ready(connection, "a1")
        append(connection, noted("b", "b1"), noted("a", "a2"))
        busy = runner(connection, Pace(lanes=(lane_of("a"),)), on_flush=meanwhile)
        assert busy.run_once().replayed == 1
        assert [(one.taken, one.replayed) for one in reports] == [(1, 0)]
    flow.drain()
    assert seen(connection, key="a") == ["a1", "a2"]
    assert parked(connection) == []


@pytest.mark.parametrize("stage", [ORCHESTRATION, MONEY, STOCK])
def test_a_crash_anywhere_moves_nothing(connection: Connection, stage: str) -> None:
    broken = True

    def crash(room: str, _: Connection) -> None:
        if broken and room == stage:
            raise KeyboardInterrupt

    flow = runner(connection, on_flush=crash)
    append(connection, moved("a", "1"), moved("a", "2", f"ask {MONEY}"), moved("b", "b1", "emit c"))
    before = _everything(connection)
    with pytest.raises(KeyboardInterrupt):
        flow.run_once()
    connection.rollback()
    assert _everything(connection) == before
    broken = False
    flow.drain()
    assert seen(connection) == ["1", "2", "b1", "b1/next"]
    assert parked(connection) == [(MONEY, "a", False, 1)]


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (parking, "park"),
        (parking, "open_cases"),
        (parking, "unpark"),
        (log, "move_cursors"),
        (log, "append_and_commit"),
    ],
)
def test_a_crash_between_any_two_writes_moves_nothing(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, module: ModuleType, step: str
) -> None:
    flow = runner(connection)
    append(connection, noted("c", "c1", f"ask {ORCHESTRATION}"))
    flow.drain()
    make_ready(connection, "c1")
    append(connection, moved("a", "1"), moved("a", "2", f"ask {MONEY}"), moved("b", "b1", "emit d"))
    before = _everything(connection)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, step, crash)
        with pytest.raises(KeyboardInterrupt):
            flow.run_once()
    connection.rollback()
    assert _everything(connection) == before
    flow.drain()
    assert sorted(seen(connection)) == ["1", "2", "b1", "b1/next", "c1"]
    assert parked(connection) == [(MONEY, "a", False, 1)]


def _everything(connection: Connection) -> list[object]:
    tables = ("seen", "parked", "parked_key", "exception_case", "cursor")
    rows: list[object] = [
        connection.execute(f"select * from {table} order by 1, 2").fetchall() for table in tables
    ]
    rows.append(connection.execute("select id, fused from record order by id").fetchall())
    connection.rollback()
    return rows


def test_every_cursor_stands_behind_its_last_record(connection: Connection) -> None:
    flow = runner(connection, Pace(batch_max=3))
    append(connection, *(noted(f"k{n}", str(n)) for n in range(50)))
    flow.drain()
    behind = connection.execute(
        "select count(*) from cursor c join record r on r.lane = c.lane and r.id > c.pos"
        " and not r.fused"
        " where c.consumer = %b",
        (CONSUMER,),
    ).fetchone()
    assert behind == (0,)
    assert len(seen(connection)) == 50


def test_live_records_go_before_many_that_are_tried_again(connection: Connection) -> None:
    flow = runner(connection, Pace(batch_max=8))
    append(connection, *(noted(f"k{n}", str(n), f"ask {ORCHESTRATION}") for n in range(8)))
    flow.drain()
    append(connection, *(noted(f"live{n}", f"live{n}") for n in range(64)))
    make_ready(connection, *map(str, range(8)))
    report = flow.run_once()
    assert (report.taken, report.replayed) == (8, REPLAYED_KEYS_BUSY)
    flow.drain()
    assert len(seen(connection)) == 72
