"""A gift card that nobody uses: the law gives most of it to the state; then it turns up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.stories.checkout import checkout
from tests.stories.shop import House, house
from tests.stories.test_gift_card_and_voucher_end_at_zero import (
    CARD,
    HEAD,
    ISSUED,
    card_is_sold,
    furnish,
    used_with_a_voucher,
)
from tillbridge.app.worker import chores

POLICY = """
[[policy]]
entity = "us"
gift_card_breakage = "remote"
gift_card_breakage_days = 1095
gift_card_escheat = "60"
"""
YEARS_ON = datetime(2029, 3, 5, 3, tzinfo=UTC)


def furnished(folder: Path) -> None:
    furnish(folder)
    (folder / "rules" / "policies.toml").write_text(POLICY, encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=furnished) as found:
        found.names([("cards", "tender", "gift_card", "gift-card")])
        yield found


def look(shop: House, now: datetime) -> str:
    """The night's run of the schedule, and what follows from it."""
    told = chores(shop.hub)["breakage"](shop.connection, now)
    shop.connection.commit()
    shop.flow()
    return told


def test_a_forgotten_card_is_partly_earned_and_given_back_when_it_turns_up(
    tmp_path: Path, shop: House
) -> None:
    with checkout(shop) as web:
        card_is_sold(web)
        shop.file("cards", (HEAD + ISSUED).encode(), "issued.csv")
        assert look(shop, YEARS_ON - timedelta(days=30)).endswith("breakage of 0 told")
        assert look(shop, YEARS_ON).endswith("breakage of 1 told")
        assert look(shop, YEARS_ON + timedelta(days=1)).endswith("breakage of 0 told")
        forgotten = {
            "clearing/card": 2500,
            "gift-card-liability": -2500,
            "card-breakage-allowance": 2500,
            "card-breakage": -1000,
            "unclaimed-property": -1500,
        }
        assert shop.balances() == forgotten
        # the card itself is whole, and its number is nowhere to be read
        told = shop.verb("cards", "show", CARD)
        assert told.splitlines()[-1] == "*************5678: 25.00 USD"
        # what is worked out by policy no document tells the ERP: it gets it as a journal
        assert not shop.drain().moving
        journals = [name for name in shop.documents() if name.startswith("journal/us/policy/")]
        assert len(journals) == 1
        assert shop.erp_balances()["unclaimed-property"] == -1500
        # four years later it lies in a drawer
        used_with_a_voucher(web)
    assert look(shop, YEARS_ON + timedelta(days=300)).endswith("breakage of 1 told")
    assert shop.balances() == {"clearing/card": 2500, "customer-deposits": -2500}
    assert shop.cases() == []
    assert not shop.drain().moving
    assert shop.erp_balances().get("unclaimed-property", 0) == 0
    assert CARD not in shop.verb("story", f"card/{CARD}")
    assert shop.lies() == []
