"""The log replayed into an empty hub gives the same state, whatever parked, failed or changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.one_person import waived, works_alone
from tests.stories.shop import House, house, line, paid_order, refund, shipment
from tests.stories.till_files import goods, poslog, post_void, receipt, tender
from tillbridge.app.replay.findings import RULES_CHANGED, Replayed, page
from tillbridge.app.replay.tables import scratch_database
from tillbridge.app.replay.whole_log import replay_log
from tillbridge.app.runner import FlowRunner, Pace
from tillbridge.atoms.errors import Refused
from tillbridge.durable.log import ALL_LANES
from tillbridge.posting.money import activation
from tillbridge.posting.money.periods import admit, set_period
from tillbridge.triage.cases import list_cases, replay, resolve

AT = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def again(shop: House) -> Replayed:
    shop.connection.rollback()
    return replay_log(shop.hub)


def a_day(shop: House) -> None:
    """Orders, tills, a missing name, refusals, journals and a locked month."""
    shop.web("orders/create", paid_order(4711, [line(1, quantity=2)], "20.00"))
    shop.web("fulfillments/create", shipment(1, 4711, {1: 2}))
    strange = paid_order(4712, [line(1, sku="SKU-9", quantity=2)], "20.00")
    shop.web("orders/create", strange)
    shop.web("fulfillments/create", shipment(2, 4712, {1: 1}))
    shop.web("orders/create", paid_order(4714, [line(1, quantity=17)], "170.00"))
    shop.names([("web", "product", "SKU-9", "P1")])
    shop.flow()
    shop.fault("refuse", count=2)
    shop.web("orders/create", paid_order(4713, [line(1)], "10.00"))
    shop.drain()
    first, second, *_ = [c for c in list_cases(shop.connection) if c.reason == "document_refused"]
    replay(shop.connection, [first.id], "pat")
    shop.connection.commit()
    resolve(shop.connection, second.id, "pat", "")
    shop.connection.commit()
    shop.drain()
    with waived(shop.connection):
        set_period(shop.connection, "us", "2026-03", "locked", at=AT, by="fin")
    shop.connection.commit()
    sale = receipt(1, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")
    other = receipt(2, [goods("A2", "10.00", "0.80"), tender("10.80")], "10.80", "0.80")
    shop.file("stores", poslog(sale, other, post_void(3, 2)))
    shop.drain()
    shop.web("refunds/create", refund(3, 4711, [], "5.00"))
    shop.file("feed", b"product,location,quantity,counted\nP1,wh-east,15,2026-03-05T00:00:00Z\n")


def test_what_was_admitted_to_a_closing_month_is_posted_there_again(shop: House) -> None:
    for number in (4711, 4712):
        shop.web("orders/create", paid_order(number, [line(1)], "10.00"))
    set_period(shop.connection, "us", "2026-03", "soft-closed", at=AT, by="fin")
    admit(shop.connection, "us", "2026-03", "order/web/4711", at=AT, by="fin", reason="told late")
    shop.connection.commit()
    for number in (4711, 4712):
        shop.web("fulfillments/create", shipment(number, number, {1: 1}))
    found = again(shop)
    assert found.ok, page(found)
    assert found.tables["period_admission"][0].rows == 1


def test_a_day_with_all_kinds_of_trouble_is_told_by_its_log(shop: House) -> None:
    a_day(shop)
    found = again(shop)
    assert found.findings == [], page(found)
    assert found.same, page(found)
    assert found.ok
    assert found.tables["document"][0].rows >= 4
    assert found.tables["journal_summary"][0].rows == 3
    assert found.tables["xref"][0].rows > 10


def test_what_is_parked_or_not_taken_yet_is_the_same_too(shop: House) -> None:
    strange = paid_order(4712, [line(1, sku="SKU-9", quantity=2)], "20.00")
    shop.web("orders/create", strange)
    shop.web("fulfillments/create", shipment(2, 4712, {1: 1}))
    shop.web("orders/create", paid_order(4711, [line(1, quantity=2)], "20.00"), flow=False)
    found = again(shop)
    assert (found.same, found.findings, found.parked) == (True, [], 2), page(found)
    (case,) = list_cases(shop.connection)
    resolve(shop.connection, case.id, "pat", "")
    shop.connection.commit()
    found = again(shop)
    assert (found.same, found.findings, found.parked) == (True, [], 1), page(found)


def _runners(shop: House, dice: random.Random) -> list[FlowRunner]:
    """Runners that each hold some lanes only, so that much of what follows waits in the log."""
    lanes = list(ALL_LANES)
    dice.shuffle(lanes)
    paces = [
        Pace(lanes=tuple(lanes[:40]), batch_max=7),
        Pace(lanes=tuple(lanes[20:]), fuse=False, batch_max=3),
        Pace(lanes=tuple(lanes[:10] + lanes[30:]), batch_max=2),
    ]
    return [shop.hub.runner(shop.connection, pace) for pace in paces]


def _trade(shop: House, dice: random.Random, number: int) -> None:
    pieces = dice.randint(1, 6)
    sku = dice.choice(["SKU-1", "SKU-1", "SKU-2", f"SKU-{number % 3 + 7}"])
    body = paid_order(5000 + number, [line(1, sku=sku, quantity=pieces)], f"{pieces * 10}.00")
    match dice.randrange(6):
        case 0:
            shop.web("fulfillments/create", shipment(number, 5000 + number, {1: 1}), flow=False)
        case 1:
            sale = receipt(number, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")
            shop.file("stores", poslog(sale))
        case 2:
            level = dice.randint(0, 30)
            row = f"P1,wh-east,{level},2026-03-03T{dice.randint(10, 20)}:00:00Z"
            shop.file("feed", f"product,location,quantity,counted\n{row}\n".encode())
        case 3:
            shop.names([("web", "product", f"SKU-{dice.randint(7, 9)}", "P1")])
        case 4:
            for case in list_cases(shop.connection)[:1]:
                act = resolve if dice.random() < 0.3 else None
                if act is None:
                    replay(shop.connection, [case.id], "pat")
                else:
                    act(shop.connection, case.id, "pat", "")
            shop.connection.commit()
        case _:
            pass
    shop.web("orders/create", body, flow=False)


@pytest.mark.parametrize("seed", range(6))
def test_records_that_were_taken_late_have_their_effects_where_they_were_taken(
    shop: House, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311 - to be repeated
    runners = _runners(shop, dice)
    for number in range(30):
        _trade(shop, dice, number)
        for _ in range(dice.randrange(3)):
            dice.choice(runners).run_once()
    found = again(shop)
    assert (found.same, found.findings) == (True, []), page(found)
    shop.drain()
    found = again(shop)
    assert (found.same, found.findings) == (True, []), page(found)
    assert shop.rows("select count(*) from record where type = 'StockCounted' and not fused") != [
        (0,)
    ]


LIES = {
    "a stock row": (
        "update stock set on_hand = on_hand + 1 where product = 'P1'",
        "stock wh-east P1",
    ),
    "an order": ("update order_state set revision = 9 where key like '%4711'", "order_state"),
    "an answer": ("update document set number = 'X' where kind = 'invoice'", "document erp"),
    "a name": (
        "alter table xref disable trigger user; update xref set ours = 'P7' where theirs = 'SKU-9'",
        "xref web product SKU-9",
    ),
    "a place": (
        "delete from record where id = (select max(id) from record where type = 'RecordsTaken')",
        "the log does not say where",
    ),
    "a parking": (
        "delete from record where type = 'RecordParked'",
        "a parked record went on that had not parked",
    ),
    "a decision": (
        """update record set body = convert_to(replace(convert_from(body, 'UTF8'),
             '"version":1', '"version":2'), 'UTF8') where type = 'ReserveStock'""",
        "ReserveStock reads otherwise: version",
    ),
    "a record": (
        "delete from record where type = 'DepositReceived'",
        "DepositReceived follows now and did not then",
    ),
}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_what_the_log_does_not_tell_is_named(shop: House, lie: str) -> None:
    a_day(shop)
    change, words = LIES[lie]
    works_alone(shop.connection)
    shop.connection.execute(change.encode())
    shop.connection.commit()
    found = again(shop)
    assert not found.ok
    assert words in page(found)


def test_a_log_without_its_beginning_says_where_it_begins(shop: House) -> None:
    shop.connection.execute("update hub set log_told_from = 3")
    shop.connection.commit()
    with pytest.raises(Refused, match="only from record 4 on"):
        again(shop)


def test_what_was_changed_in_the_hub_since_is_explained(shop: House) -> None:
    a_day(shop)
    shop.connection.execute("delete from message where id = 2")
    shop.connection.execute(
        "update record set body = convert_to(replace(convert_from(body, 'UTF8'),"
        " 'shopify/1', 'shopify/0'), 'UTF8') where type = 'OrderPlaced'"
    )
    shop.connection.commit()
    found = again(shop)
    assert found.ok, page(found)
    assert {finding.words.split(",")[0] for finding in found.findings} == {
        "the raw body was dropped by retention or erased",
        "told by another version of the translator",
    }


def test_entries_of_a_rule_that_was_changed_since_are_explained(shop: House) -> None:
    a_day(shop)
    rules = shop.hub.rule_files()
    old = next(text for text in rules.values() if "Money for an order that is not earned" in text)
    new = old.replace('credit = "customer-deposits", amount', 'credit = "shipping-income", amount')
    changed = {name: new if text == old else text for name, text in rules.items()}
    shop.connection.execute("alter table rule_book disable trigger user")
    activation.activate(shop.connection, changed, "fin", "")
    shop.connection.commit()
    found = again(shop)
    assert found.ok, page(found)
    assert not found.same
    assert [finding.words for finding in found.findings] == [RULES_CHANGED]


def test_two_replays_on_one_server_do_not_meet(shop: House) -> None:
    with (
        scratch_database(shop.hub.url),
        pytest.raises(Refused, match="another replay runs"),
        scratch_database(shop.hub.url),
    ):
        pass
    assert again(shop).same
