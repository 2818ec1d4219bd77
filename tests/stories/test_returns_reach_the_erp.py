"""A return up to the ERP: allowed, received, looked at, refunded; goods by their condition."""

from __future__ import annotations

from pathlib import Path

from tests.stories.returning import NAMES as MORE
from tests.stories.returning import Desk, furnished, told
from tests.stories.shop import NAMES, House, house, line, paid_order, refund, shipment, tax
from tillbridge.triage import operators
from tillbridge.triage.approvals import approvals, approve
from tillbridge.triage.rights import Who

LINES = (line(1, quantity=4, price="30.00", tax_lines=[tax("9.60", 0.08)]),)
ORDER = paid_order(4711, LINES, "129.60")
POLICY = '[[policy]]\nreturn_days = 30\nreturn_approval = { USD = "90.00" }\n'


def _conditions(shop: House) -> dict[str, int]:
    rows = shop.rows(
        "select condition, on_hand / 1000 from stock"
        " where product = 'P1' and location = 'wh-east' and on_hand <> 0"
    )
    return {condition: int(pieces) for condition, pieces in rows}


def test_what_came_back_is_credited_and_stands_where_it_belongs(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url, furnish=furnished()) as shop:
        shop.names((*NAMES, *MORE))
        shop.web("orders/create", ORDER)
        shop.web("fulfillments/create", shipment(1, 4711, {1: 4}))
        told(shop, "R-1", "authorized", "2026-03-05T09:00:00-05:00", [(1, 3, "")])
        told(shop, "R-1", "received", "2026-03-06T09:00:00-05:00", [(1, 3, "")])
        assert _conditions(shop) == {"sellable": 16, "quarantine": 3}
        graded = [(1, 1, "restock"), (1, 1, "damaged"), (1, 1, "write_off")]
        told(shop, "R-1", "inspected", "2026-03-06T10:00:00-05:00", graded)
        assert _conditions(shop) == {"sellable": 17, "damaged": 1}
        back = [
            {"id": 5, "line_item_id": 1, "quantity": 3, "subtotal": "90.00", "total_tax": "7.20",
             "restock_type": "return", "location_id": 5501, "line_item": LINES[0]}
        ]  # fmt: skip
        shop.web("refunds/create", refund(3, 4711, back, "97.20"))
        assert _conditions(shop) == {"sellable": 17, "damaged": 1}  # the shop tells the same goods
        assert shop.cases() == []
        assert shop.balances() == {
            "clearing/shop-pay": 12960 - 9720,
            "sales/unassigned": -3000,
            "sales-tax/us-ny": -240,
        }
        assert not shop.drain().moving
        assert shop.erp.store.counts() == {"sales_order": 1, "invoice": 1, "credit_note": 1}
        assert sum(shop.erp_balances().values()) == 0
        assert shop.statuses() == {"#4711": "shipped"}
        assert shop.lies() == []


def test_more_than_left_is_a_case_and_nothing_is_booked_beyond(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url, furnish=furnished()) as shop:
        shop.names((*NAMES, *MORE))
        shop.web("orders/create", ORDER)
        shop.web("fulfillments/create", shipment(1, 4711, {1: 1}))
        told(shop, "R-1", "received", "2026-03-06T09:00:00-05:00", [(1, 2, "restock")])
        assert shop.cases() == ["return_beyond_shipment"]
        assert _conditions(shop) == {"sellable": 20}
        shop.web("fulfillments/create", shipment(2, 4711, {1: 3}))
        assert (shop.cases(), shop.cases("resolved")) == ([], ["return_beyond_shipment"])
        assert _conditions(shop) == {"sellable": 18}
        assert shop.lies(quiesced=False) == []


def test_a_desk_is_told_why_not_and_a_second_person_decides_what_is_dear(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url, furnish=furnished(POLICY)) as shop:
        shop.names((*NAMES, *MORE))
        shop.web("orders/create", ORDER)
        desk = Desk(shop)
        assert [one["why"] for one in desk.ask(order="4711").body["lines"]] == ["not_handed_over"]
        shop.web("fulfillments/create", shipment(1, 4711, {1: 4}))
        late = desk.ask(order="4711", lines=[{"line": "1", "quantity": 1}], commit=True).body
        assert (late["state"], late["lines"][0]["why"]) == ("refused", "window_over")
        assert late["until"] == "2026-04-02"
        assert desk.ask(order="0815").status == 404
        without = desk.ask(lines=[{"product": "P1", "quantity": 1, "price": "30.00"}])
        assert (without.status, without.body["detail"]) == (
            422, "Without a receipt nothing is taken back.",
        )  # fmt: skip
        desk.close()


def test_a_return_above_the_limit_waits_for_a_second_person(
    tmp_path: Path, database_url: str
) -> None:
    policy = POLICY.replace("return_days = 30\n", "")
    with house(tmp_path / "house", database_url, furnish=furnished(policy)) as shop:
        shop.names((*NAMES, *MORE))
        shop.web("orders/create", ORDER)
        shop.web("fulfillments/create", shipment(1, 4711, {1: 4}))
        desk = Desk(shop)
        three = {"order": "4711", "lines": [{"line": "1", "quantity": 3}], "commit": True}
        asked = desk.ask("once", **three).body
        assert (asked["state"], asked["amount"], asked["needs_approval"]) == (
            "approval", "97.20", True,
        )  # fmt: skip
        assert desk.ask("once", **three).body == asked
        shop.flow()
        (waiting,) = approvals(shop.connection)
        assert (waiting.id, waiting.author) == (asked["proposal"], "desk")
        assert desk.ask(order="4711").body["lines"][0]["expected"] == "0"
        operators.put(shop.connection, operators.Grant("pat", ["operator"]), "ann", "")
        now = shop.hub.clock.now()
        approve(shop.connection, Who("pat", ("operator",)), waiting.id, now)
        shop.connection.commit()
        shop.flow()
        told_now = desk.ask(order="4711").body["lines"][0]
        assert (told_now["expected"], told_now["returnable"]) == ("3", "1")
        few = desk.ask(order="4711", lines=[{"line": "1", "quantity": 1}], commit=True).body
        assert few["state"] == "authorized"
        # nobody waits for the flow to see that it is taken
        again = desk.ask(order="4711", lines=[{"line": "1", "quantity": 1}], commit=True).body
        assert (again["state"], again["lines"][0]["why"]) == ("refused", "returned")
        desk.close()
        shop.flow()
        assert shop.cases() == []
        assert shop.lies(quiesced=False) == []
