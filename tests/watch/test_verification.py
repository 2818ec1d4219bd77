"""Runs that are kept, as status and metrics tell them."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
from prometheus_client.parser import text_string_to_metric_families

from tillbridge.watch.metrics import collect
from tillbridge.watch.status import status
from tillbridge.watch.verification import keep, last
from tillbridge.watch.verify import verify

NOW = datetime(2026, 3, 4, 3, tzinfo=UTC)


def _samples(connection: psycopg.Connection) -> dict[str, float]:
    families = text_string_to_metric_families(collect(connection))
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_before_the_first_run_nothing_is_known(tables: psycopg.Connection) -> None:
    assert last(tables) is None
    assert status(tables).verification is None
    samples = _samples(tables)
    assert samples["tillbridge_verify_age_seconds"] == float("inf")
    assert "tillbridge_verify_broken" not in samples


def test_the_newest_run_is_told_with_what_was_broken(tables: psycopg.Connection) -> None:
    keep(tables, verify(tables), NOW)
    tables.execute("update entry_line set account = 'nowhere', amount = amount + 1 where n = 1")
    tables.commit()
    settled = keep(tables, verify(tables), NOW)
    newest = status(tables).verification
    assert newest is not None
    assert newest == last(tables)
    assert "every entry balances" in newest.lies
    assert newest.broken == len(newest.lies) == settled.opened
    owners = tables.execute(
        "select owner from exception_case where key = 'verify/every_entry_balances'"
    ).fetchall()
    assert owners == [("finance",)]
    samples = _samples(tables)
    assert samples["tillbridge_verify_broken"] == newest.broken
    assert 0 < samples["tillbridge_verify_age_seconds"] < float("inf")


def test_what_could_not_be_checked_is_kept_with_the_reason(tables: psycopg.Connection) -> None:
    tables.execute("alter table xref rename to elsewhere")
    tables.commit()
    keep(tables, verify(tables), NOW)
    ((failed,),) = tables.execute("select failed from verification").fetchall()
    assert list(failed) == ["every name leads somewhere"]
    ((words,),) = tables.execute(
        "select words from exception_case where reason = 'invariant_broken'"
    ).fetchall()
    assert "could not be checked" in words
