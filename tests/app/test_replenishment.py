"""Who decides on a proposal is named, and decides once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.one_person import works_alone
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
    # the first rules are in force as the file tells them
    assert acts == [("stock.replenishment",), ("stock.replenish",), ("stock.accept",)]
    assert shop.verb("stock", "proposals") == "no proposal waits\n"
    assert number in shop.verb("stock", "proposals", "--all")
    assert "late" in shop.verb("stock", "supplies")


def test_a_workspace_without_rules_proposes_nothing(shop: House) -> None:
    (shop.hub.workspace.folder / "rules" / "stock.toml").unlink()
    run = replenishment.run_of(shop.hub.workspace, shop.hub.ids, shop.hub.clock.now())
    assert replenishment.look(shop.connection, shop.hub.workspace, run) == []
    assert replenishment.propose(shop.connection, shop.hub.workspace, run) == []


def test_changed_rules_wait_for_a_second_person(shop: House) -> None:
    workspace = shop.hub.workspace
    run = replenishment.run_of(workspace, shop.hub.ids, shop.hub.clock.now())
    replenishment.propose(shop.connection, workspace, run)
    shop.connection.commit()
    file = workspace.folder / "rules" / "stock.toml"
    file.write_text(RULE.replace("max = 9", "max = 20"), encoding="utf-8")
    rules = replenishment.rules_of(shop.connection, workspace)
    assert [rule.most for rule in rules.rules] == [9000]
    words = ("stock", "rules", "activate", "--replenishment", "--reason", "a long weekend")
    assert "waits for a second person" in shop.verb(*words)
    assert [rule.most for rule in replenishment.rules_of(shop.connection, workspace).rules] == [
        9000
    ]
    works_alone(shop.connection)
    rules = replenishment.rules_of(shop.connection, workspace)
    shop.connection.commit()
    assert [rule.most for rule in rules.rules] == [20_000]
    assert shop.lies(quiesced=False) == []


def test_rules_that_make_no_sense_change_nothing(shop: House) -> None:
    workspace = shop.hub.workspace
    (workspace.folder / "rules" / "stock.toml").write_text("x = 1", encoding="utf-8")
    with pytest.raises(Refused, match="unknown word 'x'"):
        replenishment.rules_of(shop.connection, workspace)


def test_a_source_keeps_its_safety_stock(shop: House) -> None:
    rules = shop.hub.workspace.folder / "rules" / "availability.toml"
    rules.write_text(
        '[[rule]]\nlocations = ["wh-east"]\nproduct = "P1"\nsafety_stock = 18\n', encoding="utf-8"
    )
    shop.verb("stock", "rules", "activate")
    run = replenishment.run_of(shop.hub.workspace, shop.hub.ids, shop.hub.clock.now())
    (fact,) = replenishment.look(shop.connection, shop.hub.workspace, run)
    # four lack of each; of P1 two are free above what stays
    assert [(line.product, line.quantity) for line in fact.lines] == [("P1", 2000), ("P2", 4000)]  # type: ignore[attr-defined]
