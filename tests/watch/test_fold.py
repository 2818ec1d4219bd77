"""Folding orders again: what is compared, what is left out, how the first rows are shown."""

from __future__ import annotations

import psycopg

from tillbridge.watch.fold import Tally
from tillbridge.watch.verify import verify

_OTHER_SOURCE = """
    update order_state set body = convert_to(
      jsonb_set(convert_from(body, 'UTF8')::jsonb, '{source}', '"x"')::text, 'UTF8')"""
FOLD = "order state is the fold of its facts"


def _broken(tables: psycopg.Connection) -> dict[str, list[list[str]]]:
    verdict = verify(tables, deep=True)
    return {one.name: one.rows for one in verdict.invariants if one.lies}


def test_every_order_is_compared_and_the_fields_that_differ_are_named(
    tables: psycopg.Connection,
) -> None:
    tables.execute(_OTHER_SOURCE.encode())
    tables.commit()
    assert _broken(tables) == {
        FOLD: [["order/web/1", "source"], ["order/web/2", "source"], ["order/web/4", "source"]]
    }


def test_an_order_of_which_something_was_given_up_is_left_out(tables: psycopg.Connection) -> None:
    tables.execute(_OTHER_SOURCE.encode())
    tables.execute(
        "insert into exception_case (reason, owner, room, key, fingerprint, words, state,"
        " resolved_at, resolved_by) select 'immutable_changed', 'finance', 'orchestration', key,"
        " key, 'x', 'resolved', now(), 'ann' from order_state where key <> 'order/web/4'"
    )
    tables.commit()
    assert _broken(tables) == {FOLD: [["order/web/4", "source"]]}


def test_a_log_whose_beginning_was_dropped_is_not_folded(tables: psycopg.Connection) -> None:
    tables.execute(_OTHER_SOURCE.encode())
    tables.execute("alter table record_0 rename to record_from_before")
    tables.commit()
    assert _broken(tables) == {}


def test_a_tally_keeps_the_number_and_the_first_rows() -> None:
    tally = Tally(shown=2)
    for number in range(5):
        tally.add(number)
    assert tally.told() == (5, [(0,), (1,)])
