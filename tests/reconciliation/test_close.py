"""The close list: what of a month is missing, whose it is; closing only once nothing is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg import errors

from tests.one_person import works_alone
from tests.stories.shop import House, house, line, paid_order, refund, shipment
from tests.stories.till_files import close, goods, poslog, receipt, tender
from tillbridge.app.closing import look_again, scope_of
from tillbridge.atoms.errors import Refused
from tillbridge.posting.money import periods
from tillbridge.reconciliation.blocking import Blocker, Scope
from tillbridge.reconciliation.close import checks
from tillbridge.reconciliation.close.checks import blockers
from tillbridge.reconciliation.close.closing import close_month
from tillbridge.triage import operators
from tillbridge.triage.approvals import Wish, approve, carry_out
from tillbridge.triage.rights import Who

NOW = datetime(2026, 4, 3, 12, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def sale(number: int) -> str:
    return receipt(number, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")


def listed(shop: House, period: str = "2026-03", entity: str = "us") -> list[Blocker]:
    """The close list at noon of 3 April; leaves no transaction."""
    look_again(shop.hub, shop.connection, NOW)
    found = blockers(shop.connection, scope_of(shop.hub, entity, period, NOW))
    shop.connection.rollback()
    return found


def scope(shop: House, period: str = "2026-03") -> Scope:
    return scope_of(shop.hub, "us", period, NOW)


def test_a_month_in_which_everything_went_through_has_nothing_on_its_list(shop: House) -> None:
    shop.web("orders/create", paid_order(1, [line(1)], "10.00"))
    shop.web("fulfillments/create", shipment(1, 1, {1: 1}))
    shop.file("stores", poslog(sale(1), close(2, Cash="21.60")))
    shop.drain()
    assert listed(shop) == []
    assert [one.kind for one in listed(shop, "2026-04")] == ["month"]


def test_everything_that_waits_is_listed_with_its_owner(shop: House) -> None:
    shop.fault("refuse", count=1)
    shop.web("orders/create", paid_order(1, [line(1)], "10.00"))
    shop.drain()
    shop.web("orders/create", paid_order(2, [line(1, sku="SKU-9")], "10.00"))
    shop.web("orders/create", paid_order(3, [line(1)], "10.00"), flow=False)
    shop.file("stores", poslog(sale(1), sale(3)))
    found = {one.kind: one for one in listed(shop)}
    assert found.keys() == {"unposted", "document", "journal", "till"}
    assert found["journal"].owner == "finance"
    assert (found["journal"].count, found["journal"].amount) == (2, 2 * 2160)
    assert (found["till"].owner, found["till"].day) == ("stores", "2026-03-02")
    assert "number 2 of till" in found["till"].words
    assert any("mapping_missing" in one.words for one in listed(shop))
    refused = [one for one in listed(shop) if one.case and "document_refused" in one.words]
    assert [one.kind for one in refused] == ["document"]
    assert "cases replay" in refused[0].remedy
    assert all(one.owner and one.remedy and one.words for one in listed(shop))


def test_what_is_of_a_later_month_or_another_entity_does_not_block(shop: House) -> None:
    shop.file("stores", poslog(sale(1), sale(3)))
    assert [one for one in listed(shop, "2026-02") if one.kind in ("till", "journal")] == []
    foreign = [one for one in listed(shop, entity="ca") if one.kind in ("till", "journal")]
    assert foreign == []


def test_a_store_is_its_entitys_own_whoever_tells_of_it(shop: House) -> None:
    shop.names([("stores", "location", "20", "store-tor")])
    log = poslog(sale(1), sale(3)).replace(b"<RetailStoreID>12<", b"<RetailStoreID>20<")
    shop.file("stores", log.replace(b"USD", b"CAD"))
    gaps = {
        entity: [one.words for one in listed(shop, entity=entity) if one.kind == "till"]
        for entity in ("us", "ca")
    }
    assert gaps == {"us": [], "ca": ["number 2 of till 4 of store-tor never came"]}


def test_a_gap_that_a_person_closed_is_not_missing_any_more(shop: House) -> None:
    shop.file("stores", poslog(sale(1), sale(3)))
    shop.drain()
    (gap,) = listed(shop)
    assert (gap.kind, gap.case) == ("till", None)
    shop.connection.execute(
        "insert into exception_case (reason, owner, room, key, fingerprint, state, words,"
        " resolved_by)"
        " values ('till_sequence_gap', 'stores', 'x', %s, 'f', 'resolved', 'w', 'ann')",
        (gap.key,),
    )
    shop.connection.commit()
    assert listed(shop) == []


def test_another_room_puts_its_own_rows_on_the_list(
    shop: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    payout = Blocker(
        kind="payout", owner="finance", key="payout/stripe/1", words="off by 0.01", remedy="match"
    )
    monkeypatch.setitem(checks.CHECKS, "payouts", lambda _connection, _scope: [payout])
    assert listed(shop) == [payout]


def test_a_blocked_month_is_neither_soft_closed_nor_locked(shop: House) -> None:
    works_alone(shop.connection)
    shop.file("stores", poslog(sale(1)))
    for state in ("soft-closed", "locked"):
        with pytest.raises(Refused, match=r"1 thing\(s\) still block it"):
            close_month(shop.connection, scope(shop), state, "ann")
    shop.drain()
    for state in ("soft-closed", "locked"):
        close_month(shop.connection, scope(shop), state, "ann")
    shop.connection.commit()
    assert periods.list_periods(shop.connection) == [("us", "2026-03", "locked")]


def test_a_soft_closed_month_takes_only_keys_that_were_admitted(shop: House) -> None:
    shop.web("orders/create", paid_order(1, [line(1)], "10.00"))
    shop.web("orders/create", paid_order(2, [line(1)], "10.00"))
    shop.drain()
    close_month(shop.connection, scope(shop), "soft-closed", "ann")
    assert periods.admit(
        shop.connection, "us", "2026-03", "order/web/1", at=NOW, by="ann", reason="late parcel"
    )
    assert not periods.admit(
        shop.connection, "us", "2026-03", "order/web/1", at=NOW, by="ann", reason="again"
    )
    shop.connection.commit()
    for number in (1, 2):
        shop.web("fulfillments/create", shipment(number, number, {1: 1}))
    days = shop.rows(
        "select key, business_date::text, posted_date::text from entry"
        " where fact_type = 'SaleRecognised' order by key"
    )
    assert days == [
        ("order/web/1", "2026-03-03", "2026-03-03"),
        ("order/web/2", "2026-03-03", "2026-04-01"),
    ]
    shop.drain()
    assert shop.lies() == []
    # the database holds it by itself, and an admission ends with the state it was given for
    with pytest.raises(errors.CheckViolation, match="period 2026-03 of us is soft-closed"):
        _copy_entry(shop, "order/web/2")
    shop.connection.rollback()
    periods.set_period(shop.connection, "us", "2026-03", "open", at=NOW, by="ann")
    shop.connection.commit()
    assert shop.rows("select count(*) from period_admission") == [(0,)]
    with pytest.raises(Refused, match="is open: only a soft-closed month"):
        periods.admit(shop.connection, "us", "2026-03", "k", at=NOW, by="ann", reason="r")


def _copy_entry(shop: House, key: str) -> None:
    shop.connection.execute(
        "insert into entry select gen_random_uuid(), fact || '/2', fact_type, fact_hash, key,"
        " entity, rule, rule_version, rule_hash, business_date, business_date, currency, flow,"
        " channel, location, gl, reverses, lines, at from entry"
        " where key = %s and posted_date > business_date",
        (key,),
    )


def test_the_verb_lists_and_fails_until_the_list_is_empty(shop: House) -> None:
    works_alone(shop.connection)
    shop.web("orders/create", paid_order(1, [line(1)], "10.00"))
    shop.drain()
    shop.file("stores", poslog(sale(1)))
    (one,) = json.loads(shop.verb("--json", "close", "us", "2026-03", code=1))["blockers"]
    assert (one["kind"], one["owner"], one["amount"]) == ("journal", "finance", 2160)
    assert "tillbridge drain" in shop.verb("close", "us", "2026-03", code=1)
    assert "still block it" in shop.verb("periods", "soft-close", "us", "2026-03", code=1)
    shop.drain()
    assert "nothing blocks it; it can be closed" in shop.verb("close", "us", "2026-03")
    assert "is soft-closed" in shop.verb("periods", "soft-close", "us", "2026-03")
    admit = ("periods", "admit", "us", "2026-03", "order/web/1", "--reason", "late parcel")
    assert "is admitted to us 2026-03" in shop.verb(*admit)
    assert "is locked" in shop.verb("periods", "lock", "us", "2026-03")
    shop.web("refunds/create", refund(3, 1, [], "5.00"))
    late = shop.rows("select posted_date::text from entry where fact_type = 'RefundPaid'")
    assert late == [("2026-04-01",)]
    assert "is open" in shop.verb("periods", "unlock", "us", "2026-03")


def test_what_came_after_the_proposal_holds_its_approval_up(shop: House) -> None:
    operators.of_account(shop.connection, "ann", "ann")
    operators.put(shop.connection, operators.Grant("bob", ["accountant"]), "ann", "")
    change = {
        "entity": "us",
        "period": "2026-03",
        "left_out": {"connections": [], "locations": []},
    }
    wish = Wish("periods.lock", "us/2026-03", change, "March is done", "us")
    number = carry_out(shop.connection, Who("ann", ("admin",)), wish, NOW)
    assert number is not None
    shop.connection.commit()
    shop.file("stores", poslog(sale(1)))
    with pytest.raises(Refused, match="still block it"):
        approve(shop.connection, Who("bob", ("accountant",)), number, NOW)
    shop.connection.rollback()
    shop.drain()
    assert approve(shop.connection, Who("bob", ("accountant",)), number, NOW) == "applied"
    shop.connection.commit()
    assert periods.state_of(shop.connection, "us", "2026-03") == "locked"
    with pytest.raises(errors.IntegrityError, match="needs the approval of a second person"):
        periods.set_period(shop.connection, "us", "2026-02", "locked", at=NOW, by="ann")
