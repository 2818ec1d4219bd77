"""Entries become one journal per entity, place and day, and every journal opens to its entries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import psycopg
import pytest

from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.documents import JournalDocument, SubmitDocument
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.valued import EntryPosted, ValuedRow
from tillbridge.durable import accounts
from tillbridge.durable.rooms import Outcome, Record
from tillbridge.publishing.journals import summarise
from tillbridge.publishing.room import Destinations, Publishing

NOW = datetime(2026, 3, 3, 6, tzinfo=UTC)
DAY = date(2026, 3, 2)


@pytest.fixture
def to(connection: psycopg.Connection) -> Destinations:
    dest = accounts.make_dest(connection, "erp", accounts.Budget())
    connection.commit()
    return Destinations({"us": "erp", "ca": "erp"}, {"erp": dest})


def entry(
    name: str, cash: int, entity: str = "us", place: str = "nyc", day: date = DAY
) -> EntryPosted:
    return EntryPosted(
        key=f"journal/{name}",
        id=f"{name}/posted",
        source="hub",
        mapping="hub/1",
        occurred_at=NOW,
        business_date=DAY,
        entities=Entities(selling=entity),
        entry=name,
        entity=entity,
        flow="stores",
        currency="USD" if entity == "us" else "CAD",
        lines=(ValuedRow("till/cash", cash), ValuedRow("sales/shoes", -cash)),
        location=place,
    )


def take(connection: psycopg.Connection, to: Destinations, *entries: EntryPosted) -> list[Outcome]:
    session = Publishing(to).open(connection, NOW)
    records = [Record(e.key, type(e).__name__, e, lane_of(e.key)) for e in entries]
    outcomes = list(session.take(records))
    session.flush()
    connection.commit()
    return outcomes


def journals(connection: psycopg.Connection) -> dict[str, JournalDocument]:
    found = {}
    for operation, body in connection.execute("select op, body from job order by id").fetchall():
        document = msgspec.json.decode(body, type=SubmitDocument).body
        assert isinstance(document, JournalDocument)
        found[operation] = document
    return found


def test_a_days_entries_are_one_balanced_journal_per_place(
    connection: psycopg.Connection, to: Destinations
) -> None:
    day = [entry("e1", 1000), entry("e2", 500), entry("e3", 70, place="bos")]
    take(connection, to, *day, entry("e4", 9, entity="ca", place="tor"))
    assert summarise(connection, to, NOW) == 3
    connection.commit()
    found = journals(connection)
    assert sorted(found) == [
        "journal/ca/stores/tor/2026-03-02/1",
        "journal/us/stores/bos/2026-03-02/1",
        "journal/us/stores/nyc/2026-03-02/1",
    ]
    nyc = found["journal/us/stores/nyc/2026-03-02/1"]
    assert [(line.account, line.amount) for line in nyc.lines] == [
        ("sales/shoes", -1500),
        ("till/cash", 1500),
    ]
    assert (nyc.entries, nyc.currency, nyc.journal_date) == (2, "USD", DAY)
    taken = connection.execute(
        "select entry from journal_summary where op like '%/nyc/%' order by entry"
    ).fetchall()
    assert taken == [("e1",), ("e2",)]
    assert summarise(connection, to, NOW) == 0


def test_an_entry_told_twice_is_summed_once(
    connection: psycopg.Connection, to: Destinations
) -> None:
    take(connection, to, entry("e1", 1000), entry("e1", 1000))
    take(connection, to, entry("e1", 1000))
    summarise(connection, to, NOW)
    (document,) = journals(connection).values()
    assert {line.amount for line in document.lines} == {1000, -1000}


def test_a_late_entry_goes_into_a_further_journal_and_the_first_stands(
    connection: psycopg.Connection, to: Destinations
) -> None:
    take(connection, to, entry("e1", 1000))
    summarise(connection, to, NOW)
    connection.commit()
    take(connection, to, entry("e2", 50))
    summarise(connection, to, NOW)
    found = journals(connection)
    assert [line.amount for line in found["journal/us/stores/nyc/2026-03-02/2"].lines] == [-50, 50]
    assert len(found) == 2


def test_a_place_with_an_underscore_counts_only_its_own_journals(
    connection: psycopg.Connection, to: Destinations
) -> None:
    take(connection, to, entry("e1", 1000, place="s-1"))
    summarise(connection, to, NOW)
    take(connection, to, entry("e2", 50, place="s_1"))
    summarise(connection, to, NOW)
    assert "journal/us/stores/s_1/2026-03-02/1" in journals(connection)


def test_entries_that_cancel_need_no_journal_and_are_still_accounted_for(
    connection: psycopg.Connection, to: Destinations
) -> None:
    take(connection, to, entry("e1", 1000), entry("e2", -1000))
    assert summarise(connection, to, NOW) == 0
    assert journals(connection) == {}
    rows = connection.execute("select op, entry from journal_summary order by entry").fetchall()
    assert rows == [
        ("journal/us/stores/nyc/2026-03-02/1/e1/nil", "e1"),
        ("journal/us/stores/nyc/2026-03-02/1/e1/nil", "e2"),
    ]


def test_each_time_that_entries_of_a_day_cancel_has_a_name_of_its_own(
    connection: psycopg.Connection, to: Destinations
) -> None:
    for name in ("a", "b"):
        take(connection, to, entry(f"{name}1", 1000), entry(f"{name}2", -1000))
        summarise(connection, to, NOW)
        connection.commit()
    told = connection.execute(
        "select convert_from(body, 'UTF8')::json ->> 'id' from record where type = 'JournalSummed'"
        " order by id"
    ).fetchall()
    noted = connection.execute("select op, count(*) from journal_summary group by op").fetchall()
    assert sorted(noted) == [(name, 2) for (name,) in sorted(told)]
    assert len(noted) == 2


def test_a_store_that_still_trades_is_left_until_it_is_quiet(
    connection: psycopg.Connection, to: Destinations
) -> None:
    take(connection, to, entry("e1", 1000), entry("e2", 7, place="bos"))
    connection.execute(
        "update journal_pending set at = %s where place = 'bos'", (NOW - timedelta(hours=1),)
    )
    connection.execute("update journal_pending set at = %s where place = 'nyc'", (NOW,))
    assert summarise(connection, to, NOW, quiet_seconds=600) == 1
    assert list(journals(connection)) == ["journal/us/stores/bos/2026-03-02/1"]
    assert summarise(connection, to, NOW + timedelta(seconds=600), quiet_seconds=600) == 1


def test_an_entity_without_an_erp_keeps_its_entries_waiting(
    connection: psycopg.Connection, to: Destinations
) -> None:
    take(connection, to, entry("e1", 1000, entity="de"))
    assert summarise(connection, to, NOW) == 0
    assert connection.execute("select count(*) from journal_pending").fetchone() == (2,)


def test_a_document_for_an_entity_without_an_erp_is_a_case(
    connection: psycopg.Connection, to: Destinations
) -> None:
    body = JournalDocument(currency="USD", journal_date=DAY, narration="", lines=())
    command = SubmitDocument(key="k", id="k/1", kind="journal", entity="de", journal=body)
    session = Publishing(to).open(connection, NOW)
    (outcome,) = session.take([Record("k", "SubmitDocument", command, lane_of("k"))])
    assert outcome.decision is not None
    assert outcome.decision.reason == "erp_missing"
