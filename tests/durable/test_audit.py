"""The audit: one chain that says when a link was changed, taken out, or cut off."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime

import pytest
from psycopg import Connection, errors

from tillbridge.durable import audit
from tillbridge.durable.audit import Act, Digest, acts, digest, record, verify
from tillbridge.durable.session import connect

GOLDEN = "af68f61270ca2cfdd42b937ef87f82471eaad6e42d25c29b1e3a0d88eaab6025"


def _some(connection: Connection, count: int) -> None:
    for number in range(count):
        record(connection, "ann", "names.set", f"web/{number}", after={"ours": number}, reason="é✓")
    connection.commit()


def _behind_its_back(connection: Connection, query: str, *values: object) -> None:
    """As whoever owns the database can: with the triggers off."""
    connection.execute("set session_replication_role = replica")
    connection.execute(query.encode(), values or None)
    connection.execute("set session_replication_role = origin")


def test_an_act_is_numbered_sealed_and_read_back(connection: Connection) -> None:
    assert record(connection, "ann", "cases.resolve", "17", before={"b": 1, "a": 2}) == 1
    assert record(connection, "bob", "names.set", "web", after=[1], reason="asked\x00 for") == 2
    connection.commit()
    first, second = acts(connection)
    assert (first.actor, first.before, first.after) == ("ann", '{"a":2,"b":1}', "")
    assert (second.id, second.after, second.reason) == (2, "[1]", "asked for")
    assert [a.id for a in acts(connection, action="cases")] == [1]
    assert [a.id for a in acts(connection, actor="bob")] == [2]
    assert acts(connection, since=datetime(2999, 1, 1, tzinfo=UTC)) == []
    assert [a.id for a in acts(connection, limit=1)] == [2]


@pytest.mark.parametrize(
    "query", ["update audit set actor = 'eve'", "delete from audit", "truncate audit"]
)
def test_the_audit_refuses_to_be_changed(connection: Connection, query: str) -> None:
    _some(connection, 1)
    with pytest.raises(errors.IntegrityConstraintViolation):
        connection.execute(query.encode())


def test_what_a_writer_says_of_number_time_and_hash_is_not_believed(connection: Connection) -> None:
    _some(connection, 1)
    connection.execute(
        "insert into audit (id, at, actor, action, subject, previous, hash)"
        " values (99, '2001-01-01', 'eve', 'x.y', '', 'p', 'h')"
    )
    connection.commit()
    last = acts(connection)[-1]
    assert (last.id, last.at.year > 2001) == (2, True)
    assert verify(connection).problems == []


def test_the_bytes_that_are_hashed_stay_as_they_were_defined() -> None:
    at = datetime(2026, 3, 1, 8, 30, 0, 5, tzinfo=UTC)
    act = Act(7, at, "ann", "names.set", "web/é", "because", "", '{"a":1}')
    told = audit.link_hash(b"\x01" * 32, act)  # the one golden vector of the format
    assert told.hex() == GOLDEN


def test_two_hundred_random_forgeries_are_all_found(connection: Connection) -> None:
    _some(connection, 30)
    kept = [digest(connection, acts(connection)[0].at.date())]
    dice = random.Random(18)  # noqa: S311 - forgeries that a seed repeats
    columns = ("actor", "action", "subject", "reason", "before", "after")
    for _ in range(200):
        victim = dice.randint(1, 30)
        match dice.randint(0, 4):
            case 0:
                column = dice.choice(columns)
                query = f"update audit set {column} = {column} || 'x' where id = {victim}"
            case 1:
                query = f"delete from audit where id = {victim}"
            case 2:
                query = f"update audit set at = at + interval '1 us' where id = {victim}"
            case 3:  # two acts change places
                other = victim % 30 + 1
                query = (
                    f"update audit a set subject = b.subject from audit b"
                    f" where a.id = {victim} and b.id = {other}"
                )
            case _:  # the end cut off
                query = f"delete from audit where id >= {victim}"
        _behind_its_back(connection, query)
        assert verify(connection, kept).problems, query
        connection.rollback()
    assert verify(connection, kept).problems == []


def test_a_chain_written_anew_is_whole_but_differs_from_the_digest(connection: Connection) -> None:
    _some(connection, 3)
    kept = [digest(connection, acts(connection)[0].at.date())]
    _behind_its_back(connection, "delete from audit")
    _some(connection, 3)
    assert verify(connection).problems == []
    (why,) = verify(connection, kept).problems
    assert "another hash than the digest" in why


def test_a_digest_of_an_empty_day_compares_with_nothing(connection: Connection) -> None:
    day = datetime(2020, 1, 1, tzinfo=UTC).date()
    assert digest(connection, day) == Digest(day, 0, 0, 0, "")
    assert verify(connection, [Digest(day, 0, 0, 0, "")]).problems == []


def test_two_who_act_at_once_take_one_link_after_the_other(
    connection: Connection, database_url: str
) -> None:
    record(connection, "ann", "names.set", "1")
    numbers: list[int] = []

    def other() -> None:
        with connect(database_url) as mine:
            numbers.append(record(mine, "bob", "names.set", "2"))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(timeout=0.3)
    assert numbers == []
    connection.commit()
    thread.join(timeout=5)
    assert numbers == [2]
    assert verify(connection).problems == []
