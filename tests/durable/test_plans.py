"""The plans of the hot queries are pinned: by index, by name, in the one partition that matters."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from psycopg import Connection

from tests.durable.floor import plan
from tillbridge.durable import accounts, jobs, log, messages, parking
from tillbridge.durable.postgres.databases import create_database, drop_database
from tillbridge.durable.session import connect
from tillbridge.orchestration import room as orchestration
from tillbridge.posting.money import room as money
from tillbridge.reconciliation import owed

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
LANES = list(range(64))
Explain = Callable[[str, "Sequence[Any] | dict[str, Any]"], str]
FILL = """
insert into record (lane, key, type, version, fused, body)
select n % 64, 'k' || n % 5000, 'TillNoted', 1, true, '{}' from generate_series(1, 40000) n;
alter table record alter column id restart with 1000000;
insert into record (lane, key, type, version, fused, body)
select n % 64, 'k' || n % 5000, 'TillNoted', 1, n % 50 <> 0, '{}' from generate_series(1, 30000) n;
insert into cursor (consumer, lane, pos) select c, l, 1000000
from (values ('flow'), ('watch'), ('outbox')) x (c), generate_series(0, 63) l;
insert into exception_case (reason, owner, room, key, fingerprint, words)
select 'r', 'o', 'mapping', 'p' || n, n::text, 'w' from generate_series(1, 20000) n;
insert into parked_key (room, key, consumer, lane, case_id, ready)
select 'mapping', 'p' || n, 'flow', n % 64, n, n % 5000 = 0 from generate_series(1, 20000) n;
insert into parked (room, key, type, version, body)
select 'mapping', 'p' || n, 'TillNoted', 1, '{}' from generate_series(1, 20000) n;
insert into dest (name, rate, burst, conc, tokens) select 'd' || n, 10, 1e6, 100, 1e6
from generate_series(1, 3) n;
insert into job (dest, key, op, type, body)
select 1, 'k' || n % 20000, n::text, 'SubmitDocument', '{}' from generate_series(1, 60000) n;
insert into outkey (dest, key, prio, due, n)
select 1, 'k' || n, n % 3, '2026-01-01'::timestamptz + n * interval '1 s', 3
from generate_series(0, 19999) n;
insert into outkey (dest, key, prio, due, n, lease_until, token)
select 2, 'k' || n, 1, now(), 3, now(), n from generate_series(1, 50) n;
insert into document (dest, op, key, kind, state, day)
select 1, n::text, 'k', 'invoice', 'owed', '2026-01-01' from generate_series(1, 60000) n;
insert into delivery (connection, id_hash, body_hash, message, day)
select 1, md5(n::text)::uuid, '\\x00', n, '2026-01-01'::date + n / 1000
from generate_series(1, 60000) n;
insert into message (id, connection, topic, delivery, headers, body) overriding system value
select n, 1, 't', n, '{}', '{}' from generate_series(1, 20000) n;
insert into entry (id, fact, fact_type, fact_hash, key, entity, rule, rule_version, rule_hash,
  business_date, posted_date, currency, flow, channel, location, gl, lines, at)
select md5(n::text)::uuid, 'f' || n, 'T', '\\x00', 'k', 'DE', 'r', '1', '\\x00', '2026-01-01',
  '2026-01-01', 'EUR', 'web', '', '', 'documents', 2, now() from generate_series(1, 60000) n;
insert into order_state (key, revision, number, status, body, ready_since, refund_due_at)
select 'order/web/' || n, 1, n::text, 'picking', '{}',
  case when n % 200 = 0 then '2026-01-01'::timestamptz + n * interval '1 s' end,
  case when n % 300 = 0 then '2026-01-01'::timestamptz + n * interval '1 s' end
from generate_series(1, 40000) n;
"""


@pytest.fixture(scope="module")
def full(server_url: str, template_database: str) -> Iterator[Connection]:
    """A database with so many rows that a scan would be seen."""
    name = f"{template_database}_full"
    url = create_database(server_url, name, template=template_database)
    with connect(url) as connection:
        connection.execute(FILL.encode())
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum analyze")
        connection.autocommit = False
        yield connection
    drop_database(server_url, name)


@pytest.fixture(params=[False, True], ids=["custom", "generic"])
def explained(full: Connection, request: pytest.FixtureRequest) -> Iterator[Explain]:
    """Explains a query with its values; both ways in which the server may plan it."""

    def explain(query: str, values: Sequence[Any] | dict[str, Any]) -> str:
        return plan(full, query, values, generic=request.param)

    yield explain
    full.rollback()


def indexes(found: str) -> set[str]:
    """Names of the indexes used, without the numbers of partitions."""
    names = re.findall(r"Index (?:Only )?Scan (?:Backward )?using (\S+)", found)
    names += re.findall(r"Bitmap Index Scan on (\S+)", found)
    return {re.sub(r"^(record|message)_\d+_", r"\1_", name) for name in names}


def scanned(found: str) -> set[str]:
    """Tables read from end to end; what was never executed is not read."""
    lines = [line for line in found.splitlines() if "never executed" not in line]
    tables = {m[1] for line in lines if (m := re.search(r"Seq Scan on (\S+)", line))}
    return {table for table in tables if table != "dest"}


def visited(found: str) -> set[str]:
    """Partitions of the log that were looked into."""
    lines = [line for line in found.splitlines() if "never executed" not in line]
    return set(re.findall(r"\bon (record_\d+)", "\n".join(lines)))


def test_take_lanes(explained: Explain) -> None:
    found = explained(log.QUERIES.take_lanes, ("flow", LANES))
    assert "record_lane_id_idx" in indexes(found), found
    assert scanned(found) <= {"cursor"}, found
    assert visited(found) == {"record_1000000"}, found


@pytest.mark.parametrize(
    ("query", "index"), [("read", "record_lane_id_idx"), ("read_whole", "record_pkey")]
)
def test_read(explained: Explain, query: str, index: str) -> None:
    found = explained(log.QUERIES[query], (LANES, [1_000_000] * 64, 8))
    assert indexes(found) == {index}, found
    assert scanned(found) == set(), found
    assert visited(found) == {"record_1000000"}, found


def test_move_cursors(explained: Explain) -> None:
    found = explained(log.QUERIES.move_cursors, ([1, 2, 3], [1_000_001] * 3, "flow"))
    assert scanned(found) <= {"cursor"}, found


def test_backlog(explained: Explain) -> None:
    found = explained(log.QUERIES.backlog, ("flow",))
    assert "record_lane_id_idx" in indexes(found), found
    assert scanned(found) <= {"cursor"}, found


def test_parked_among(explained: Explain) -> None:
    found = explained(parking.QUERIES.parked_among, ([f"k{n}" for n in range(500)],))
    assert scanned(found) == set(), found
    assert indexes(found) == {"parked_key_by_key"}, found


def test_ready_keys_and_their_records(explained: Explain) -> None:
    found = explained(parking.QUERIES.ready_keys, ("flow", LANES, 50))
    assert indexes(found) == {"parked_ready"}, found
    rooms, keys = ["mapping"] * 20, [f"p{n}" for n in range(20)]
    found = explained(parking.QUERIES.parked_records, (rooms, keys, 100))
    assert indexes(found) == {"parked_pkey"}, found


@pytest.mark.parametrize("query", ["unpark_records", "unpark_empty_keys", "parked_cases"])
def test_unparking(explained: Explain, query: str) -> None:
    values = [["mapping"] * 20, [f"p{n}" for n in range(20)], list(range(20))]
    given = values[:3] if query == "unpark_records" else values[:2]
    found = explained(parking.QUERIES[query], given)
    assert scanned(found) == set(), found


def test_claim(full: Connection, explained: Explain) -> None:
    full.execute(accounts.QUERIES.lock_account, {"now": NOW, "dest": 1, "name": None})
    until = {f"until{number}": NOW for number in range(4)}
    given = {"now": NOW, "dest": 1, "limit": 20, "lease": accounts.LEASE}
    found = explained(jobs.QUERIES.claim, {**given, **until})
    assert {"outkey_ready", "outkey_pkey"} <= indexes(found), found
    assert scanned(found) == set(), found
    assert "Sort" not in found, found
    most = max(float(rows) for rows in re.findall(r"rows=([\d.]+)", found))
    assert most <= 60, found  # it never walks the queue


def test_room_at_an_account(full: Connection, explained: Explain) -> None:
    lock = {"now": NOW, "dest": 1, "name": None}
    full.execute(accounts.QUERIES.lock_account, lock)
    found = explained(accounts.QUERIES.look, {"now": NOW, "dest": 3, "account": 1, "name": "d3"})
    assert "outkey_ready" in indexes(found), found
    assert scanned(found) <= {"slot", "pause"}, found
    most = max(float(rows) for rows in re.findall(r"rows=([\d.]+)", found))
    assert most <= 20, found  # it never walks a queue


def test_renewing_leases(explained: Explain) -> None:
    keys, tokens = [f"k{n}" for n in range(20)], list(range(20))
    given = {"dests": [2] * 20, "keys": keys, "tokens": tokens, "now": NOW, "lease": "30 s"}
    found = explained(accounts.QUERIES.renew_keys, given)
    assert indexes(found) == {"outkey_pkey"}, found
    assert scanned(found) == set(), found


def test_heads(full: Connection, explained: Explain) -> None:
    full.execute(accounts.QUERIES.lock_account, {"now": NOW, "dest": 1, "name": None})
    keys = [f"k{n}" for n in range(20)]
    found = explained(jobs.QUERIES.heads, (keys, [1] * 20, [1] * 20, [False] * 20, [0] * 20, 1))
    assert indexes(found) == {"job_key"}, found
    assert scanned(found) == set(), found


@pytest.mark.parametrize("query", ["finish", "postpone"])
def test_giving_leases_back(explained: Explain, query: str) -> None:
    keys, tokens = [f"k{n}" for n in range(20)], list(range(20))
    values = {
        "finish": (NOW, keys, tokens, 1),
        "postpone": (keys, tokens, [False] * 20, [NOW.isoformat()] * 20, [False] * 20, 1),
    }[query]
    found = explained(jobs.QUERIES[query], values)
    assert indexes(found) == {"outkey_pkey"}, found
    assert scanned(found) == set(), found


def test_documents_and_jobs_by_operation(explained: Explain) -> None:
    found = explained(jobs.QUERIES.mark_sent, ([str(n) for n in range(20)], 1))
    assert indexes(found) == {"document_pkey"}, found
    found = explained(jobs.QUERIES.delete_jobs, (list(range(20)),))
    assert indexes(found) == {"job_pkey"}, found
    found = explained(accounts.QUERIES.sweep, {"now": NOW})
    assert "outkey_leased" in indexes(found), found
    assert scanned(found) <= {"slot"}, found


def test_claim_deliveries(explained: Explain) -> None:
    hashes = [uuid.UUID(int=n) for n in range(100)]
    found = explained(
        messages.QUERIES.claim_deliveries,
        (date(2026, 1, 15), [1] * 100, hashes, [b"x"] * 100),
    )
    assert "Conflict Arbiter Indexes: delivery_pkey" in found, found
    assert scanned(found) == set(), found


def test_read_messages(explained: Explain) -> None:
    found = explained(messages.QUERIES.read_messages, ([5, 6],))
    assert indexes(found) >= {"message_pkey"}, found
    assert scanned(found) <= {"connection_name", "message_1000000"}, found  # the second is empty


def test_known_facts(explained: Explain) -> None:
    found = explained(money.QUERIES.known_facts, ([f"f{n}" for n in range(500)],))
    assert indexes(found) == {"entry_fact_entity_key"}, found
    assert scanned(found) == set(), found


def test_orders_that_wait(explained: Explain) -> None:
    page = (datetime(2026, 1, 1, 6, tzinfo=UTC), "order/web/21600", 500)
    found = explained(orchestration.QUERIES.waiting_for_buyers, page)
    assert indexes(found) == {"order_ready"}, found
    assert scanned(found) == set(), found
    found = explained(owed.QUERIES.due, (datetime(2026, 1, 1, 1, tzinfo=UTC),))
    assert indexes(found) == {"order_refund_due"}, found
    assert scanned(found) == set(), found
