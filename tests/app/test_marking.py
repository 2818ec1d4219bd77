"""The markers of a batch: none when all goes well, else each effect's place in the log."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from tests.app.toy_flow import append, make_ready, moved, noted, records, runner
from tillbridge.app.flow import MONEY, ORCHESTRATION
from tillbridge.app.runner import Pace
from tillbridge.app.work import Work
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical import markers
from tillbridge.canonical.registry import decode
from tillbridge.triage.cases import list_cases, resolve


def log_of(connection: Connection) -> list[tuple[int, str, Any]]:
    """The log as (id, type, body)."""
    rows = connection.execute("select id, type, version, body from record order by id").fetchall()
    connection.rollback()
    return [(number, name, decode(name, version, body)) for number, name, version, body in rows]


def marks(connection: Connection) -> list[Any]:
    return [body for _, name, body in log_of(connection) if name in markers.NAMES]


def test_records_taken_by_a_room_with_state_are_told_in_front_of_what_they_set_off(
    connection: Connection,
) -> None:
    flow = runner(connection)
    append(connection, noted("a", "1", "emit a"), noted("b", "2"))
    flow.drain()
    names = [name for _, name, _ in log_of(connection)]
    assert names == ["TillNoted", "TillNoted", "RecordsTaken", "TillNoted"]
    assert marks(connection)[0].records == (1, 2)


def test_a_parked_record_tells_where_it_parked_and_where_it_went_through(
    connection: Connection,
) -> None:
    flow = runner(connection)
    append(connection, moved("a", "1", f"ask {MONEY}"))
    flow.drain()
    make_ready(connection, "1")
    flow.drain()
    assert marks(connection) == [
        markers.RecordsTaken(key="flow/taken", id="", records=(1,)),
        markers.RecordParked(key="a", id="", room=MONEY, record=1),
        markers.ParkedReplayed(key="a", id="", room=MONEY),
    ]


def test_a_fused_record_that_parks_is_named_by_its_distance(connection: Connection) -> None:
    flow = runner(connection)
    append(connection, noted("a", "1", f"emit a ask {ORCHESTRATION}"), noted("b", "2"))
    flow.drain()
    rows = log_of(connection)
    by_number = {number: body.id for number, _, body in rows}
    ((number, parked),) = [(n, body) for n, name, body in rows if name == "RecordParked"]
    assert (parked.record, parked.room) == (0, ORCHESTRATION)
    assert by_number[number - parked.back] == "1/next"


def test_a_replay_that_parks_again_further_on_is_named_by_its_marker(
    connection: Connection,
) -> None:
    flow = runner(connection)
    append(connection, moved("a", "1", f"ask {ORCHESTRATION}"))
    append(connection, moved("a", "2", f"ask {MONEY}"))
    flow.drain()
    make_ready(connection, "1")
    flow.drain()
    last = [(number, body) for number, _, body in log_of(connection)][-3:]
    (first, one), (second, two), (number, parked) = last
    assert (one.room, two.room) == (ORCHESTRATION, ORCHESTRATION)
    assert second == first + 1
    assert (parked.room, parked.record, number - parked.back) == (MONEY, 0, second)


def test_what_is_given_up_by_hand_is_told(connection: Connection) -> None:
    flow = runner(connection)
    append(connection, noted("a", "1", f"ask {ORCHESTRATION}"))
    flow.drain()
    (case,) = list_cases(connection)
    resolve(connection, case.id, "pat", "")
    connection.commit()
    assert marks(connection)[-1] == markers.ParkedGivenUp(key="a", id="", room=ORCHESTRATION)


def test_work_of_two_halves_is_kept_in_their_order() -> None:
    first, second = Work(marked=1, marks={1: records(noted("a", "1"))[0]}), Work(marked=2)
    first.add(second)
    assert (first.marked, list(first.marks)) == (3, [1])


def test_markers_are_in_the_lane_of_their_key_and_are_never_taken(connection: Connection) -> None:
    flow = runner(connection, Pace(batch_max=1))
    append(connection, *(noted(f"k{n}", str(n), f"ask {ORCHESTRATION}") for n in range(4)))
    assert flow.drain() == 4
    rows = connection.execute("select key, lane, fused from record where cause is null").fetchall()
    assert all(lane == lane_of(key) for key, lane, _ in rows)
    assert flow.drain() == 0
