"""A partner's statement out of the books."""

from __future__ import annotations

import psycopg
import pytest

from tillbridge.atoms.errors import Refused
from tillbridge.canonical.partners import MODES
from tillbridge.watch.partners import Statement, statement


def _booked(tables: psycopg.Connection) -> None:
    """Commission of 3.00 on 10.00 in February, and of 1.50 on 5.00 in March."""
    for day, net, ours in (("2026-02-10", 1000, 300), ("2026-03-10", 500, 150)):
        (entry,) = tables.execute(
            "insert into entry select gen_random_uuid(), %(fact)s, 'SaleShared', fact_hash, key,"
            " entity, rule, rule_version, rule_hash, %(day)s, %(day)s, currency, flow, channel,"
            " location, gl, null, 3, at from entry where reverses is null limit 1 returning id",
            {"fact": f"shared/{day}", "day": day},
        ).fetchone() or (None,)
        rows = [
            ("sales/beauty", net),
            ("commission-income/p", -ours),
            ("partner-payable/p", ours - net),
        ]
        for n, (account, amount) in enumerate(rows):
            tables.execute(
                "insert into entry_line values (%s, %s, %s, %s, %s, 'USD', '')",
                (entry, n, account, amount, amount),
            )


def test_a_month_ties_to_the_account_and_begins_where_the_last_one_ended(
    tables: psycopg.Connection,
) -> None:
    _booked(tables)
    found = statement(tables, "p", "us", "2026-03")
    assert isinstance(found, Statement)
    assert [(one.account, one.opening, one.closing) for one in found.balances] == [
        ("partner-payable/p", -700, -1050)
    ]
    assert [(row.account, row.amount) for row in found.rows] == [
        ("commission-income/p", -150),
        ("sales/beauty", 500),
    ]
    assert found.difference == 0
    assert statement(tables, "p", "us", "2026-12").balances[0].moved == 0


def test_no_month_and_no_partner_are_said(tables: psycopg.Connection) -> None:
    with pytest.raises(Refused, match="no month"):
        statement(tables, "p", "us", "March")
    with pytest.raises(Refused, match="know no partner"):
        statement(tables, MODES[0], "us", "2026-03")
