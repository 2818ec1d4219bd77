"""The intake bench on a small scale: it measures what it says, and says when it cannot."""

from __future__ import annotations

import pytest
from psycopg import Connection

from tillbridge.app.bench import intake, intake_raw
from tillbridge.app.bench.http_load import Load
from tillbridge.app.bench.intake_load import requests
from tillbridge.app.bench.scratch import proven
from tillbridge.atoms.clock import SystemClock


def test_a_short_run_gives_every_figure_and_leaves_the_database_as_told(
    database_url: str, connection: Connection
) -> None:
    words: list[str] = []
    found = intake.run(database_url, seconds=0.4, connections=8, processes=2, progress=words.append)
    assert found["bench"] == "intake"
    assert found["count"] > 0
    assert 0 < found["p50_ms"] <= found["p99_ms"] <= found["max_ms"]
    assert found["rate"] == pytest.approx(found["count"] / found["seconds"], rel=0.1)
    assert found["ratio"] == pytest.approx(found["rate"] / found["raw_rate"], abs=0.01)
    assert (found["fsync"], found["synchronous_commit"]) == ("on", "on")
    assert found["body_bytes"] > 4_000
    assert words


def test_every_request_is_another_delivery() -> None:
    made = list(requests(200))
    assert len({request.partition(b"\r\n\r\n")[2] for request in made}) == 200


def test_an_answer_that_is_not_in_the_tables_voids_the_bench(connection: Connection) -> None:
    load = Load(
        answers=1, acknowledged=1, others=0, seconds=1.0, p50_ms=1.0, p99_ms=1.0, max_ms=1.0,
        body_bytes=1,
    )  # fmt: skip
    with pytest.raises(AssertionError, match="1 answers, but message has"):
        intake._agree(connection, load)


def test_a_server_that_may_forget_is_not_measured(connection: Connection) -> None:
    connection.execute("set synchronous_commit = off")
    with pytest.raises(AssertionError, match="synchronous_commit is off"):
        proven(connection)


def test_both_raw_ways_write_the_rows_that_were_read(connection: Connection) -> None:
    connection.execute(
        "insert into message (id, connection, topic, delivery, headers, body)"
        " overriding system value values (7, 1, 't', 'd', '{}', 'b')"
    )
    connection.execute(
        "insert into delivery (connection, id_hash, body_hash, message, day)"
        " values (1, gen_random_uuid(), 'h', 7, '2026-03-01')"
    )
    connection.execute(
        "insert into record (lane, key, type, version, fused, body)"
        " values (1, 'k', 'Received', 1, false, '{}')"
    )
    connection.commit()
    groups = intake_raw.read_groups(connection, 100)
    for write in (intake_raw.write_by_copy, intake_raw.write_by_unnest):
        intake_raw.clear(connection)
        assert write(connection, groups, SystemClock()) > 0
        assert intake_raw.read_groups(connection, 100) == groups
