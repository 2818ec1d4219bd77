"""Three sales that are shown in full: what happens, and what a real Tryton holds of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.connectors.tryton.live import Live
from tests.stories import click_and_collect
from tests.stories.returning import furnished
from tests.stories.shop import NAMES, House, house, line, paid_order, refund, shipment, tax
from tillbridge.app.erp.beside import Erp

PLACES = (("wh-1", "wh-east"), ("store-1", "store-nyc"), ("store-2", "store-bos"))
MORE = (
    ("web", "location", "5502", "store-nyc"),
    ("web", "location", "5503", "store-bos"),
    ("web", "tender", "gift_card", "gift-card"),
    ("rma", "location", "store-bos", "store-bos"),
    *(("erp", "location", theirs, ours) for theirs, ours in PLACES),
    ("erp", "product", "sku-1", "P1"),
    ("erp", "product", "sku-2", "P2"),
)
CARDS = """
[connection.cards]
connector = "feed"
entity = "us"
channel = "web"
timezone = "America/New_York"
settings = { mapping = "feeds/cards.toml" }
"""
SAMPLE = Path(__file__).parents[2] / "src/tillbridge/connectors/feed/samples/cards.toml"
CARD = "shopify-77"


@contextmanager
def shown_house(folder: Path, url: str, erp: Erp | None = None) -> Iterator[House]:
    """A house whose ERP keeps its stock by deliveries: the sandbox, or a real Tryton."""
    reach = {}
    if erp is not None:
        reach = {"erp": {"url": erp.url, "database": erp.database, "user": erp.user}}

    def furnish(place: Path) -> None:
        furnished(change=_keeps_stock)(place)
        click_and_collect.furnish(place)
        (place / "feeds" / "cards.toml").write_text(SAMPLE.read_text("utf-8"), encoding="utf-8")
        file = place / "tillbridge.toml"
        text = file.read_text(encoding="utf-8") + CARDS
        if erp is not None:
            text = _with_tryton(text)
            (place / "secrets" / "tryton").write_text(erp.password, encoding="utf-8")
        file.write_text(text, encoding="utf-8")

    with house(folder, url, furnish=furnish, reach=reach) as shop:
        click_and_collect.names(shop)
        shop.names((*NAMES, *MORE))
        yield shop


def _keeps_stock(text: str) -> str:
    text = text.replace('erp = "erp"\n', 'erp = "erp"\ntells_goods = true\n', 1)
    wanted = 'fulfil_from = ["wh-east", "store-nyc"]\nsplit_most = 2\n'
    return text.replace('fulfil_from = ["wh-east"]\n', wanted, 1)


def _with_tryton(text: str) -> str:
    sandbox = 'connector = "sandbox"\nentity = "us"\n'
    secret = 'secrets.password = { file = "secrets/tryton" }\n'
    assert text.count(sandbox) == 1
    text = text.replace(sandbox, sandbox.replace("sandbox", "tryton") + secret)
    return text.replace('settings = { url = "auto" }\n', "")


# -- what happens ---------------------------------------------------------------------------------

TWO = (
    line(1, quantity=2, price="30.00", tax_lines=[tax("4.80", 0.08)]),
    line(2, quantity=2, price="20.00", tax_lines=[tax("3.20", 0.08)]),
)


def split_and_returned_elsewhere(shop: House) -> None:
    """4801: two pieces from the warehouse, two from a store; one comes back to another store, which
    looks at it; the shop gives the money back.
    """
    shop.file("feed", b"product,location,quantity,counted\nP2,wh-east,0,2026-03-01T01:00:00Z\n")
    shop.web("orders/create", paid_order(4801, TWO, "108.00"))
    shop.web("fulfillments/create", shipment(1, 4801, {1: 2}))
    shop.web("fulfillments/create", shipment(2, 4801, {2: 2}, location_id=5502))
    told = "rma,state,order,at,store,line,quantity,fate\n"
    for state, at, fate in (("received", "09", ""), ("inspected", "10", "restock")):
        row = f"R-1,{state},4801,2026-03-06T{at}:00:00-05:00,store-bos,2,1,{fate}\n"
        shop.file("rma", (told + row).encode())
    back = {"id": 5, "line_item_id": 2, "quantity": 1, "subtotal": "20.00", "total_tax": "1.60"}
    back |= {"restock_type": "return", "location_id": 5503, "line_item": TWO[1]}
    shop.web("refunds/create", refund(3, 4801, [back], "21.60"))


def edited_and_partly_cancelled(shop: House) -> None:
    """E-4802: three pieces, one leaves; then they cost less and another thing comes along; then one
    piece is cancelled, and what is left leaves.
    """
    first = [("1", "P1", 3, "60.00")]
    edited = [("1", "P1", 3, "54.00"), ("2", "P2", 1, "25.00")]
    partly = [("1", "P1", 2, "36.00"), ("2", "P2", 1, "25.00")]
    ordered, bag = click_and_collect.ordered, click_and_collect.bag
    ordered(shop, "E-4802", first, collect="")
    sent = ("E-4802", "shipped")
    bag(shop, "B1", *sent, "2026-03-03T09:00:00-05:00", ("1", "1", ""), place="wh-east")
    ordered(shop, "E-4802", edited, collect="", changed="2026-03-03T10:00:00-05:00")
    ordered(shop, "E-4802", partly, collect="", changed="2026-03-03T11:00:00-05:00")
    rest = (("1", "1", ""), ("2", "1", ""))
    bag(shop, "B2", *sent, "2026-03-04T09:00:00-05:00", *rest, place="wh-east")


COMES = line(1, quantity=1, price="337.96", tax_lines=[tax("27.04", 0.08)])
GOES = line(2, quantity=1, price="300.00", tax_lines=[tax("24.00", 0.08)])


def exchanged_with_a_gift_card(shop: House) -> None:
    """4803: paid by a gift card over 100.00 and by card; exchanged for something cheaper, and the
    difference of 41.00 goes back onto the gift card.
    """
    issued = f"C1,ISSUE,{CARD},100.00,USD,2026-03-01T15:00:00+00:00,,given\n"
    shop.file("cards", b"id,type,card,amount,cur,when,order,reason\n" + issued.encode())
    paid = {"payment_gateway_names": ["gift_card", "shopify_payments"]}
    shop.web("orders/create", paid_order(4803, [COMES], "365.00", **paid))
    shop.web("order_transactions/create", _transaction(61, "gift_card", "100.00"))
    shop.web("order_transactions/create", _transaction(62, "shopify_payments", "265.00"))
    shop.web("fulfillments/create", shipment(1, 4803, {1: 1}))
    back = {"id": 5, "line_item_id": 1, "quantity": 1, "subtotal": "337.96", "total_tax": "27.04"}
    back |= {"restock_type": "return", "location_id": 5502, "line_item": COMES}
    money = {**_transaction(63, "gift_card", "41.00", "refund"), "parent_id": 61}
    at = "2026-03-04T09:00:00-05:00"
    exchange = {
        "id": 9, "order_id": 4803, "created_at": at, "refund_line_items": [back],
        "transactions": [money],
    }  # fmt: skip
    edited = paid_order(
        4803, [COMES, GOES], "689.00", updated_at=at, refunds=[exchange],
        current_total_price="324.00", total_outstanding="0.00",
        financial_status="partially_refunded", **paid,
    )  # fmt: skip
    shop.web("orders/updated", edited)
    shop.web("fulfillments/create", shipment(2, 4803, {2: 1}))


def _transaction(number: int, gateway: str, amount: str, kind: str = "sale") -> dict[str, Any]:
    receipt = {"receipt": {"gift_card_id": 77}} if gateway == "gift_card" else {}
    return {
        "id": number, "order_id": 4803, "kind": kind, "status": "success", "amount": amount,
        "currency": "USD", "gateway": gateway, "created_at": "2026-03-02T22:15:03-05:00", **receipt,
    }  # fmt: skip


Play = Callable[[House], None]
SHOWN: dict[str, tuple[str, Play]] = {
    "order/web/4801": (
        "A web order split over warehouse and store, one item returned in another store",
        split_and_returned_elsewhere,
    ),
    "order/app/E-4802": (
        "An order edited and partly cancelled",
        edited_and_partly_cancelled,
    ),
    "order/web/4803": (
        "An exchange with a gift card",
        exchanged_with_a_gift_card,
    ),
}
"""By key of the order: the title, and what happens."""


# -- what Tryton holds ----------------------------------------------------------------------------


class Held:
    """What Tryton itself says of an order, as its own users would read it."""

    def __init__(self, live: Live, key: str) -> None:
        self._live = live
        self._about = f"{key}/%"
        self.sales = live.read(
            "sale.sale", [["web_id", "like", self._about]],
            "number", "state", "shipment_state", "untaxed_amount", "lines",
        )  # fmt: skip
        self.shipments = self._goods("stock.shipment.out", "outgoing_moves")
        self.returns = self._goods("stock.shipment.out.return", "incoming_moves")
        self.invoices = live.read(
            "account.invoice", [["reference", "like", self._about]],
            "number", "state", "total_amount", "move",
        )  # fmt: skip
        self.invoices.sort(key=lambda one: int(one["id"]))

    def _goods(self, model: str, moves: str) -> list[dict[str, Any]]:
        found = self._live.read(
            model, [["reference", "like", self._about]],
            "number", "state", "warehouse.code", moves,
        )  # fmt: skip
        for one in found:
            one["moves"] = self._moves(one[moves])
        return sorted(found, key=lambda one: int(one["id"]))

    def _moves(self, ids: list[int]) -> list[tuple[str, int, str, str, str]]:
        """State, quantity, product, from, to."""
        rows = self._live.read(
            "stock.move", [["id", "in", ids]],
            "state", "quantity", "product.code", "from_location.name", "to_location.name",
        )  # fmt: skip
        return [
            (row["state"], int(row["quantity"]), row["product."]["code"],
             row["from_location."]["name"], row["to_location."]["name"])
            for row in sorted(rows, key=lambda row: int(row["id"]))
        ]  # fmt: skip

    def lines(self) -> list[tuple[int, str, str]]:
        """What its sale says: quantity, product, net."""
        rows = self._live.read(
            "sale.line", [["id", "in", [n for sale in self.sales for n in sale["lines"]]]],
            "quantity", "product.code", "amount", "type",
        )  # fmt: skip
        return [
            (int(row["quantity"]), (row["product."] or {}).get("code", ""), f"{row['amount']:.2f}")
            for row in sorted(rows, key=lambda row: int(row["id"]))
            if row["type"] == "line"
        ]

    def booked(self) -> dict[str, int]:
        """Minor units by account over all its invoices and credit notes, debit positive."""
        sums: dict[str, int] = {}
        for invoice in self.invoices:
            for account, amount in self._live.booked(str(invoice["move"])).items():
                sums[account] = sums.get(account, 0) + amount
        return {account: amount for account, amount in sorted(sums.items()) if amount}

    def page(self) -> str:
        """All of it, a line each."""
        rows = [
            ("sale", one["number"], one["state"],
             f"{one['untaxed_amount']:.2f} net, goods {one['shipment_state']}")
            for one in self.sales
        ]  # fmt: skip
        rows += [("", "", "", f"{n} x {code} {net}") for n, code, net in self.lines()]
        for what, found in (("shipment", self.shipments), ("customer return", self.returns)):
            for one in found:
                rows.append((what, one["number"], one["state"], one["warehouse."]["code"]))
                rows += [
                    ("  move", "", state, f"{n} x {code}: {start} -> {end}")
                    for state, n, code, start, end in one["moves"]
                ]
        for one in self.invoices:
            kind = "invoice" if one["total_amount"] >= 0 else "credit note"
            rows.append((kind, one["number"], one["state"], f"{one['total_amount']:.2f}"))
        rows += [
            ("  ledger", "", account, f"{amount / 100:.2f}")
            for account, amount in self.booked().items()
        ]
        widths = [max(len(str(row[place])) for row in rows) for place in range(3)]
        return "\n".join(
            "  ".join(str(row[place] or "").ljust(widths[place]) for place in range(3))
            + f"  {row[3]}"
            for row in rows
        )
