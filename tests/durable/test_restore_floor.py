"""A restore into a new cluster loses no pending record, and doubts whatever was sent."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from psycopg import Connection

from tests.durable.floor import note
from tests.durable.server_bench import Bench
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.durable import accounts, jobs, log, parking
from tillbridge.durable.accounts import Budget
from tillbridge.durable.jobs import FOREVER, Answer, Owed, Postponed
from tillbridge.durable.migrate import migrate
from tillbridge.durable.postgres import database
from tillbridge.durable.postgres.archive import backup, restore
from tillbridge.durable.session import connect

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
FLOW = "flow"


def take(connection: Connection) -> list[str]:
    """What a runner would take."""
    positions = log.take_lanes(connection, FLOW)
    found = log.read(connection, positions, 1000)
    log.move_cursors(connection, FLOW, log.last_ids(found))
    connection.commit()
    return [record.body.id for record in found]


def owed(dest: int, key: str) -> Owed:
    return Owed(dest, key, f"{key}/op", "invoice", "SubmitDocument", b"{}", 1, date(2026, 1, 15))


def lived_in(connection: Connection) -> None:
    """A hub in the middle of its work: taken, pending, parked; sent, accepted, refused, owed."""
    log.make_cursors(connection, FLOW)
    log.append_and_commit(connection, [note("a", 1), note("b", 1)])
    taken = log.read(connection, log.take_lanes(connection, FLOW), 10)
    case = parking.CaseOpened("mapping", taken[1], NeedsDecision("toy", "wait"))
    parking.park(connection, FLOW, [parking.Parking("mapping", taken[1], case)])
    log.move_cursors(connection, FLOW, log.last_ids(taken))
    log.append_and_commit(connection, [note("a", 2), note("c", 1)])
    dest = accounts.make_dest(connection, "erp", Budget())
    connection.execute("update dest set at = %s", (NOW,))
    jobs.enqueue(connection, [owed(dest, key) for key in ("done", "no", "leased")], NOW)
    connection.commit()
    claimed = {one.key: one for one in jobs.claim(connection, dest, 10, NOW)}
    answers = [
        (claimed["done"], Answer("done/op", "accepted", remote_id="1")),
        (claimed["no"], Answer("no/op", "refused")),
    ]
    jobs.finish(connection, dest, answers, NOW)
    jobs.enqueue(connection, [owed(dest, "waiting")], NOW)
    connection.commit()


def test_a_restore_into_a_new_cluster_loses_no_pending_record(
    own_bench: Bench, open_folder: Path
) -> None:
    with database(own_bench.workspace) as url:
        with connect(url) as connection:
            migrate(connection)
            lived_in(connection)
        saved = backup(own_bench.workspace, open_folder / "saved", form="plain")
        with connect(url) as connection:  # what happens after the backup is lost, and only that
            assert take(connection) == ["a#2", "c#1"]
    other = Bench(open_folder / "other")
    try:
        done = restore(other.workspace, saved.path, report=lambda _: None)
        assert done.aftermath is not None
        assert done.aftermath.incarnation == 2
        with database(other.workspace) as url, connect(url) as connection:
            check(connection)
    finally:
        other.clean()


def check(connection: Connection) -> None:
    """Everything that was pending is there, in order, and what was sent is in doubt."""
    assert connection.execute("select incarnation from hub").fetchone() == (2,)
    connection.execute("update parked_key set ready = true")
    (replay,) = parking.ready(connection, FLOW, list(range(64)), 10, 10)
    assert replay.record.body.id == "b#1"
    connection.rollback()
    assert take(connection) == ["a#2", "c#1"]
    log.append_and_commit(connection, [note("a", 3), note("d", 1)])
    assert take(connection) == ["a#3", "d#1"]
    keys = connection.execute(
        "select key, unknown, lease_until is null, due = 'infinity' from outkey order by key"
    ).fetchall()
    assert keys == [
        ("leased", True, True, False),
        ("no", True, True, True),  # a person still has to say
        ("waiting", True, True, False),
    ]
    rows = connection.execute("select key, state from document").fetchall()
    documents: dict[str, str] = dict(rows)
    assert documents == {
        "done": "accepted",
        "no": "refused",
        "leased": "unknown",
        "waiting": "owed",
    }
    again = jobs.claim(connection, 1, 10, datetime.max.replace(tzinfo=UTC, year=9000))
    assert [(one.key, one.unknown) for one in again] == [("leased", True), ("waiting", True)]
    assert jobs.postpone(connection, 1, [Postponed(again[0], FOREVER)]) == {"leased"}
