"""A person's cost is checked before anything is written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from psycopg import Connection

from tillbridge.app.costs_by_hand import costed, tell
from tillbridge.app.money_chores import MONEY_RHYTHM, valuing_of
from tillbridge.app.settings import Workspace
from tillbridge.app.settings_tables import EntitySettings, LocationSettings, Settings
from tillbridge.atoms.errors import Refused

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACE = Workspace(
    Path(),
    Settings(
        entity=[
            EntitySettings(code="us", currency="USD", cost="hub"),
            EntitySettings(code="ca", currency="CAD"),
        ],
        location=[LocationSettings(code="wh", entity="us", timezone="America/New_York")],
    ),
)


@pytest.mark.parametrize(
    ("entity", "product", "cost", "why"),
    [
        ("de", "P1", "1", "no entity"),
        ("us", "", "1", "of a product"),
        ("us", "P1", "cheap", "no cost"),
        ("us", "P1", "0", "no cost"),
        ("us", "P1", "0.0000001", "finer"),
    ],
)
def test_what_is_no_cost_is_refused(entity: str, product: str, cost: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        costed(PLACE, entity, product, cost, date(2026, 1, 1), "", NOW)


def test_a_cost_is_told_to_the_log_with_who_said_so(connection: Connection) -> None:
    fact = costed(PLACE, "us", "P1", "12.5", date(2026, 1, 1), "invoice 7", NOW)
    tell(connection, fact, "ann")
    connection.commit()
    rows = connection.execute("select key, type from record").fetchall()
    assert rows == [("cost/us/P1", "ItemCosted")]
    rows = connection.execute("select actor, action, reason from audit").fetchall()
    assert rows == [("ann", "costs.set", "invoice 7")]


def test_the_hub_values_only_for_entities_that_say_so() -> None:
    valuing = valuing_of(PLACE)
    assert valuing.currencies == {"us": "USD"}
    assert valuing.locations("us") == ["wh"]
    assert valuing.places["wh"].zone == "America/New_York"
    assert set(MONEY_RHYTHM) >= {"cards", "settlement", "costs", "breakage", "reserves"}
