"""Who decides on a proposal is named, and decides once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.stories.shop import House, house
from tillbridge.app import replenishment
from tillbridge.app.stock_by_hand import Hand
from tillbridge.atoms.errors import Refused

RULE = '[[replenish]]\nlocations = ["store-nyc"]\nmin = 9\nmax = 9\ntransfer_from = "wh-east"\n'
HAND = Hand("pat", datetime(2026, 3, 3, tzinfo=UTC), "1", "us")


def _furnish(folder: Path) -> None:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "stock.toml").write_text(RULE, encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=_furnish) as found:
        yield found


def test_a_person_runs_it_and_decides_once(shop: House) -> None:
    assert "R" in shop.verb("stock", "replenish")
    shop.flow()
    ((number,),) = shop.rows("select number from proposal_state")
    with pytest.raises(Refused, match="there is no proposal 'R0'"):
        replenishment.decide(shop.connection, "R0", "", HAND, accept=True)
    replenishment.decide(shop.connection, number, "season", HAND, accept=True)
    shop.flow()
    with pytest.raises(Refused, match="is ordered"):
        replenishment.decide(shop.connection, number, "", HAND, accept=False)
    acts = shop.rows("select action from audit where action like 'stock.%' order by id")
    assert acts == [("stock.replenish",), ("stock.accept",)]
    assert shop.verb("stock", "proposals") == "no proposal waits\n"
    assert number in shop.verb("stock", "proposals", "--all")
    assert "late" in shop.verb("stock", "supplies")


def test_a_workspace_without_rules_proposes_nothing(shop: House) -> None:
    (shop.hub.workspace.folder / "rules" / "stock.toml").unlink()
    run = replenishment.run_of(shop.hub.workspace, shop.hub.ids, shop.hub.clock.now())
    assert replenishment.look(shop.connection, shop.hub.workspace, run) == []
    assert replenishment.propose(shop.connection, shop.hub.workspace, run) == []
