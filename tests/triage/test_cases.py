"""Cases: what is listed, tried again, and given up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import CANARIES, House, house, line, paid_order, shipment
from tillbridge.atoms.errors import Refused
from tillbridge.triage.cases import counts, list_cases, replay, resolve, show

STRANGE = paid_order(4712, [line(1, sku="SKU-9", quantity=2)], "20.00")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def test_a_case_shows_the_raw_body_the_gap_and_what_waits_behind_it(shop: House) -> None:
    shop.web("orders/create", STRANGE)
    shop.web("fulfillments/create", shipment(1, 4712, {1: 2}))
    (case,) = list_cases(shop.connection, owner="ecommerce")
    assert (case.reason, case.room, case.key) == ("mapping_missing", "mapping", "order/web/4712")
    assert (case.parked, case.copies, case.state) == (2, 1, "open")
    view = show(shop.connection, case.id)
    assert '"name":"#4712"' in view.raw
    assert [gap["theirs"] for gap in view.details["missing"]] == ["SKU-9"]
    assert [record["type"] for record in view.records] == ["Received", "Received"]
    assert not any(word in case.words for word in CANARIES)
    (count,) = counts(shop.connection)
    assert (count.reason, count.owner, count.cases) == ("mapping_missing", "ecommerce", 1)
    assert list_cases(shop.connection, reason="other") == []
    assert list_cases(shop.connection, state="resolved") == []


def test_a_replay_whose_cause_is_not_mended_stays_one_case(shop: House) -> None:
    shop.web("orders/create", STRANGE)
    (case,) = list_cases(shop.connection)
    for _ in range(2):
        assert replay(shop.connection, [case.id], "pat") == 1
        shop.connection.commit()
        shop.flow()
    (same,) = list_cases(shop.connection)
    assert (same.id, same.parked) == (case.id, 1)
    assert same.copies == 3
    assert shop.lies() == []


def test_giving_up_one_record_lets_those_behind_it_go_on(shop: House) -> None:
    shop.web("orders/create", STRANGE)
    mended = {**STRANGE, "line_items": [line(1, sku="SKU-2", quantity=2)]}
    shop.web("orders/updated", {**mended, "updated_at": "2026-03-02T23:00:00-05:00"})
    (case,) = list_cases(shop.connection)
    assert case.parked == 2
    done = resolve(shop.connection, case.id, "pat", "the shop sold a thing that is not ours")
    shop.connection.commit()
    assert done == "closed; 1 parked record given up, 1 behind it tried again"
    assert shop.lies(quiesced=False) == []
    shop.flow()
    assert shop.cases() == []
    assert shop.stock("P2") == (10, 2)
    view = show(shop.connection, case.id)
    assert (view.case.state, view.resolved_by) == ("resolved", "pat")
    assert view.resolution == f"the shop sold a thing that is not ours ({done})"
    assert not shop.drain().moving
    assert shop.lies() == []


def test_a_record_behind_that_is_bad_too_gets_a_case_of_its_own(shop: House) -> None:
    shop.web("orders/create", STRANGE)
    other = {**STRANGE, "line_items": [line(1, sku="SKU-8", quantity=2)]}
    shop.web("orders/updated", {**other, "updated_at": "2026-03-02T23:00:00-05:00"})
    (case,) = list_cases(shop.connection)
    resolve(shop.connection, case.id, "pat", "")
    shop.connection.commit()
    shop.flow()
    (next_case,) = list_cases(shop.connection)
    assert next_case.id != case.id
    assert "'SKU-8'" in next_case.words
    assert shop.lies() == []


def test_a_refused_document_given_up_frees_the_ones_behind_it(shop: House) -> None:
    shop.fault("refuse", count=1, words="unknown buyer")
    shop.web("orders/create", paid_order(4713, [line(1)], "10.00"))
    shop.web("fulfillments/create", shipment(1, 4713, {1: 1}))
    shop.drain()
    (case,) = list_cases(shop.connection)
    assert case.amount == 1000
    done = resolve(shop.connection, case.id, "pat", "")
    shop.connection.commit()
    assert done == "closed; document order/web/4713/sales_order given up"
    assert not shop.drain().moving
    assert shop.documents() == {
        "order/web/4713/invoice/1": "accepted",
        "order/web/4713/sales_order": "dropped",
    }
    assert shop.lies() == []


def test_a_refused_document_is_looked_up_before_it_is_sent_again(shop: House) -> None:
    shop.fault("refuse", count=1)
    shop.web("orders/create", paid_order(4713, [line(1)], "10.00"))
    shop.drain()
    (case,) = list_cases(shop.connection)
    replay(shop.connection, [case.id], "pat")
    shop.connection.commit()
    assert shop.rows("select unknown from outkey") == [(True,)]
    asked = len(shop.erp.store.calls())
    assert not shop.drain().moving
    methods = [call.method for call in shop.erp.store.calls()[asked:]]
    assert methods[:2] == ["GET", "POST"]
    assert shop.cases("resolved") == ["document_refused"]


def test_what_is_no_open_case_is_said_in_words(shop: House) -> None:
    with pytest.raises(Refused, match="there is no case 99"):
        show(shop.connection, 99)
    shop.web("orders/create", STRANGE)
    (case,) = list_cases(shop.connection)
    resolve(shop.connection, case.id, "pat", "")
    for again in (
        lambda: resolve(shop.connection, case.id, "pat", ""),
        lambda: replay(shop.connection, [case.id], "pat"),
    ):
        with pytest.raises(Refused, match="is resolved already"):
            again()
