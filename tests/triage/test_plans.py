"""Plans: many cases tried again in portions, with progress, cancelled, surviving crashes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order
from tillbridge.atoms.errors import Refused
from tillbridge.mapping.names import QUERIES as NAMES
from tillbridge.triage import plans
from tillbridge.triage.cases import list_cases, resolve

NOW = datetime(2026, 3, 5, tzinfo=UTC)
STATE = ("order_state", "stock", "reservation", "entry", "entry_line", "document", "record")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def strangers(shop: House, count: int, sku: str = "SKU-9") -> None:
    for number in range(count):
        shop.web("orders/create", paid_order(6000 + number, [line(1, sku=sku)], "10.00"))


def name_quietly(shop: House, sku: str = "SKU-9") -> None:
    """The name is there, but nobody woke the cases (as after a mended release)."""
    shop.connection.execute(
        "insert into xref (connection, kind, theirs, ours) values ('web', 'product', %s, 'P1')",
        (sku,),
    )
    shop.connection.execute(NAMES.raise_generation)
    shop.connection.commit()


def planned(shop: House, wanted: plans.Wanted) -> int:
    number = plans.make(shop.connection, wanted, plans.match(shop.connection, wanted), "pat")
    shop.connection.commit()
    return number


def step(shop: House, ready_max: int = plans.READY_MAX) -> int:
    made = plans.advance(shop.connection, NOW, ready_max)
    shop.connection.commit()
    return made


def counts(shop: House, number: int) -> tuple[str, int, int, int, int, int]:
    p = plans.plan(shop.connection, number)
    shop.connection.rollback()
    return (p.state, p.waiting, p.ready, p.done, p.failed, p.left)


def test_a_plan_keeps_few_keys_ready_and_tells_how_far_it_is(shop: House) -> None:
    strangers(shop, 5)
    name_quietly(shop)
    number = planned(shop, plans.Wanted(reason="mapping_missing"))
    assert counts(shop, number) == ("planned", 5, 0, 0, 0, 0)
    assert step(shop, 2) == 2
    assert step(shop, 2) == 0
    assert counts(shop, number) == ("running", 3, 2, 0, 0, 0)
    assert shop.rows("select count(*) from parked_key where ready") == [(2,)]
    shop.flow()
    assert step(shop, 2) == 2
    assert counts(shop, number) == ("running", 1, 2, 2, 0, 0)
    shop.flow()
    step(shop, 2)
    shop.flow()
    step(shop, 2)
    assert counts(shop, number) == ("done", 0, 0, 5, 0, 0)
    assert shop.cases() == []
    assert shop.lies(quiesced=False) == []


def test_what_needs_somebody_again_is_told_as_failed(shop: House) -> None:
    strangers(shop, 2)
    number = planned(shop, plans.Wanted(numbers=(1, 2)))
    step(shop)
    shop.flow()
    step(shop)
    assert counts(shop, number) == ("done", 0, 0, 0, 2, 0)
    assert [one.case for one in plans.failed(shop.connection, number)] == [1, 2]
    assert len(shop.cases()) == 2


def test_a_cancelled_plan_leaves_parked_what_was_not_ready(shop: House) -> None:
    strangers(shop, 4)
    name_quietly(shop)
    number = planned(shop, plans.Wanted())
    step(shop, 1)
    plans.cancel(shop.connection, number, "pat", NOW)
    shop.connection.commit()
    shop.flow()
    assert step(shop) == 0
    assert counts(shop, number) == ("cancelled", 0, 0, 1, 0, 3)
    assert len(shop.cases()) == 3
    with pytest.raises(Refused, match="cancelled already"):
        plans.cancel(shop.connection, number, "pat", NOW)
    with pytest.raises(Refused, match="no plan 99"):
        plans.plan(shop.connection, 99)


def test_replaying_everything_twice_changes_nothing_the_second_time(shop: House) -> None:
    strangers(shop, 3)
    shop.fault("refuse", count=1)
    shop.web("orders/create", paid_order(7000, [line(1)], "10.00"))
    shop.drain()
    name_quietly(shop)
    first = planned(shop, plans.Wanted())
    shop.drain()
    assert counts(shop, first) == ("done", 0, 0, 4, 0, 0)
    assert shop.cases() == []
    before = [shop.rows(f"select count(*), md5(string_agg(t::text, '')) from {t} t") for t in STATE]
    sent = shop.erp.store.counts()
    assert plans.match(shop.connection, plans.Wanted()) == []
    second = planned(shop, plans.Wanted(numbers=(1, 2, 3, 4)))
    shop.drain()
    assert counts(shop, second) == ("done", 0, 0, 0, 0, 0)
    after = [shop.rows(f"select count(*), md5(string_agg(t::text, '')) from {t} t") for t in STATE]
    assert after == before
    assert shop.erp.store.counts() == sent == {"sales_order": 4}
    assert shop.erp.store.duplicates() == {}
    assert shop.lies() == []


def test_cases_resolved_meanwhile_are_left_alone(shop: House) -> None:
    strangers(shop, 2)
    number = planned(shop, plans.Wanted())
    resolve(shop.connection, 1, "pat", "")
    shop.connection.commit()
    step(shop)
    assert counts(shop, number) == ("running", 0, 1, 0, 0, 1)


def test_cases_are_chosen_by_reason_owner_connection_key_and_age(shop: House) -> None:
    strangers(shop, 2)
    shop.fault("refuse", count=1)
    shop.web("orders/create", paid_order(7000, [line(1)], "10.00"))
    shop.drain()
    found = {case.id: case.reason for case in list_cases(shop.connection)}
    assert found == {1: "mapping_missing", 2: "mapping_missing", 3: "document_refused"}

    def chosen(**words: object) -> list[int]:
        return plans.match(shop.connection, plans.Wanted(**words))  # type: ignore[arg-type]

    assert chosen() == [1, 2, 3]
    assert chosen(reason="document_refused") == [3]
    assert chosen(owner="ecommerce") == [1, 2]
    assert chosen(connection="web") == [1, 2]
    assert chosen(connection="erp") == [3]
    assert chosen(key="order/web/6001") == [2]
    assert chosen(numbers=(1, 3)) == [1, 3]
    assert chosen(since=datetime.now(UTC) + timedelta(hours=1)) == []
    planned(shop, plans.Wanted(owner="ecommerce"))
    assert chosen() == [3], "what a plan has is not planned twice"
