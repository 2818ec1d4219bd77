"""What lies ready too long becomes a fact; what is fetched, or waits for ever, does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.stories.click_and_collect import TERMS, bag, furnish, names, ordered, status
from tests.stories.shop import House, house
from tillbridge.app.pickups import expire_pickups

READY = "2026-03-03T10:00:00-05:00"


@pytest.fixture
def shop(tmp_path: Path, database_url: str, request: pytest.FixtureRequest) -> Iterator[House]:
    terms = getattr(request, "param", TERMS)
    with house(tmp_path / "house", database_url, furnish=lambda at: furnish(at, terms)) as found:
        names(found)
        for number in ("C-1", "C-2"):
            ordered(found, number, [("1", "P1", 1, "20.00")])
            bag(found, f"bag of {number}", number, "ready", READY, ("1", "1", ""))
        yield found


def looked(shop: House, at: datetime) -> str:
    told = expire_pickups(shop.hub, shop.connection, at)
    shop.connection.commit()
    shop.flow()
    return told


def test_only_what_still_lies_there_expires_and_only_after_its_days(shop: House) -> None:
    bag(shop, "bag of C-2", "C-2", "collected", "2026-03-04T10:00:00-05:00")
    assert looked(shop, datetime(2026, 3, 6, 14, 59, tzinfo=UTC)) == "0 pick-ups expired"
    assert looked(shop, datetime(2026, 3, 6, 15, 0, tzinfo=UTC)) == "1 pick-ups expired"
    assert (status(shop, "C-1"), status(shop, "C-2")) == ("expired", "collected")
    (told,) = shop.rows(
        "select convert_from(body, 'UTF8') from record where type = 'PickupExpired'"
    )
    assert '"occurred_at":"2026-03-06T15:00:00Z"' in told[0]
    assert '"business_date":"2026-03-06"' in told[0]


def test_told_ready_again_it_waits_anew(shop: House) -> None:
    bag(shop, "bag of C-1", "C-1", "ready", "2026-03-05T10:00:00-05:00")
    assert looked(shop, datetime(2026, 3, 7, tzinfo=UTC)) == "1 pick-ups expired"
    assert (status(shop, "C-1"), status(shop, "C-2")) == ("ready", "expired")


@pytest.mark.parametrize("shop", [""], indirect=True)
def test_without_such_a_term_goods_wait_for_ever(shop: House) -> None:
    assert looked(shop, datetime(2027, 3, 7, tzinfo=UTC)) == "0 pick-ups expired"
