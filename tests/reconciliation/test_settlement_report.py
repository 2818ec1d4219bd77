"""Tie-outs: each difference opens to parts that come to it, nothing is left unexplained."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import Connection

from tests.reconciliation.provider import Provider, head, line
from tillbridge.atoms.errors import Refused
from tillbridge.reconciliation.settlement.report import card_tie_outs, payout, tie_outs


@pytest.fixture
def psp(connection: Connection[Any]) -> Provider:
    """A provider with nothing told."""
    return Provider(connection)


def test_payouts_that_do_not_tie_are_the_parts_of_the_difference(psp: Provider) -> None:
    psp.captured("c1", 1000)
    psp.file([line("c1", 1000, 30), head(970)])
    psp.file([line("c2", 500, payout="p2"), head(480, "p2")])
    psp.file([line("c3", 700, payout="p3"), head(701, "p3")])
    psp.look()
    (found,) = [one for one in tie_outs(psp.connection, [psp.account]) if "payouts/" in one.name]
    assert (found.books, found.theirs, found.difference) == (2170, 2151, 19)
    assert [(part.what, part.amount) for part in found.parts] == [
        ("payout p2", 20),
        ("payout p3", -1),
    ]
    assert found.unexplained == 0


def test_a_payout_is_shown_with_the_lines_that_wait_first(psp: Provider) -> None:
    psp.captured("c1", 1000)
    psp.file([line("c1", 1000, 30), line("c2", 50), head(1020)])
    psp.look()
    found = payout(psp.connection, "payout/psp/p1")
    assert found.tied
    assert [row[0] for row in found.lines] == ["t-c2", "t-c1"]
    assert found.types == [("sale", 2, 1050, 30, 1020)]
    with pytest.raises(Refused, match="there is no payout"):
        payout(psp.connection, "payout/psp/none")


def test_no_card_was_told(psp: Provider) -> None:
    assert card_tie_outs(psp.connection, ()) == []
