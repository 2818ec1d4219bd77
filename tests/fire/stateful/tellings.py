"""How the retailer's systems tell what happened: webhooks, the API, files; now, late, or again.

A telling is a function of the house: it tells one thing and may be called any number of times. What
is late lies in the post until somebody delivers it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.app.api.caller import Caller, client_key
from tests.fire.stateful.world import STORE, Line, Order
from tests.stories.shop import House, line, paid_order, refund, shipment, tax
from tests.stories.till_files import goods, poslog, post_void, receipt, tender
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.resources import Resources
from tillbridge.inbox.group_commit import IntakeWriter

Telling = Callable[[], None]
SCOPES = ("orders:write", "payments:write", "fulfilments:write")
LOCATIONS = {"wh-east": 5501, STORE: 5502}
NAMES = (
    ("web", "location", "5502", STORE),
    ("web", "tender", "gift_card", "gift-card"),
    *(
        (feed, table, name, name)
        for feed in ("sent", "came", "rma")
        for table, name in (
            ("product", "P1"), ("product", "P2"), ("location", "wh-east"), ("location", STORE),
        )
    ),
    ("cards", "tender", "gift_card", "gift-card"),
)  # fmt: skip
_MOVES = """kind = "{kind}"
identity = ["load"]
[file]
format = "csv"
[head]
number = "load"
transfer = "transfer"
origin = "from"
destination = "to"
at = "at"
[[line]]
product = "sku"
quantity = "qty"
"""
_RETURNS = """kind = "returns"
identity = ["rma", "state"]
[file]
format = "csv"
[head]
number = "rma"
order = "order"
source = {{ constant = "web" }}
state = "state"
at = "at"
location = "store"
[[line]]
line = "line"
quantity = "quantity"
disposition = "fate"
"""
_CONNECTION = """
[connection.{name}]
connector = "feed"
entity = "us"
channel = "{channel}"
timezone = "America/New_York"
settings = {{ mapping = "feeds/{name}.toml" }}
"""
_CARDS = Path(__file__).parents[3] / "src/tillbridge/connectors/feed/samples/cards.toml"
_FEEDS = {
    "sent": ("web", _MOVES.format(kind="dispatch")),
    "came": ("web", _MOVES.format(kind="arrival")),
    "rma": ("web", _RETURNS.format()),
    "cards": ("phone", _CARDS.read_text(encoding="utf-8")),
}


def furnish(folder: Path) -> None:
    """Feeds for transfers, returns and cards, tills that know the shop's orders, two places that
    serve every order, pick-ups that end.
    """
    file = folder / "tillbridge.toml"
    text = file.read_text(encoding="utf-8")
    text = text.replace(
        'connector = "poslog"\n', 'connector = "poslog"\nsettings = { orders = "web" }\n'
    )
    both = 'fulfil_from = ["wh-east", "store-nyc"]\nsplit_most = 2\n'
    text = text.replace('fulfil_from = ["wh-east"]\n', both)
    for name, (channel, mapping) in _FEEDS.items():
        text += _CONNECTION.format(name=name, channel=channel)
        (folder / "feeds" / f"{name}.toml").write_text(mapping, encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    policies = "[[policy]]\npickup_days = 3\n"
    (folder / "rules" / "policies.toml").write_text(policies, encoding="utf-8")


def stamp(at: datetime) -> str:
    """An instant as the systems write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def money(minor: int) -> str:
    """An amount as the systems write it."""
    return f"{minor // 100}.{minor % 100:02}"


class Outside:
    """The systems around the house."""

    def __init__(self, shop: House) -> None:
        self.shop = shop
        shop.names(NAMES)
        self._writer = IntakeWriter(shop.hub.url)
        self._resources = Resources(shop.hub.url, shop.hub.workspace.settings, self._writer)
        self._writer.start()
        self._resources.start()
        self._caller = Caller(Api(self._resources))
        self._key = client_key(shop.connection, *SCOPES, name="desk", channel="phone")
        self._asked = 0

    def close(self) -> None:
        """Nobody tells anything any more."""
        self._resources.stop()
        self._writer.stop()

    # -- the web shop ---------------------------------------------------------------------------

    def web(self, topic: str, body: dict[str, Any]) -> Telling:
        """A webhook; called again it comes under another id, as shops do."""

        def tell() -> None:
            self.shop.web(topic, body, flow=False)

        return tell

    def order(self, order: Order, topic: str = "orders/updated", **more: Any) -> Telling:
        """A version of an order of the shop as it is now."""
        lines = [_web_line(int(name), one) for name, one in order.lines.items()]
        told = {"created_at": stamp(order.placed), "updated_at": stamp(order.at), **more}
        return self.web(topic, paid_order(int(order.number), lines, money(order.total), **told))

    def transaction(self, order: Order, number: int, gateway: str, amount: int) -> Telling:
        """A payment of an order of the shop, told by itself."""
        body = {
            "id": number, "order_id": int(order.number), "kind": "sale", "status": "success",
            "amount": money(amount), "currency": "USD", "gateway": gateway,
            "created_at": stamp(order.placed),
        }  # fmt: skip
        return self.web("order_transactions/create", body)

    def parcel(
        self, order: Order, number: int, place: str, lines: Mapping[str, int], at: datetime,
        status: str = "success",
    ) -> Telling:  # fmt: skip
        """A parcel of an order of the shop."""
        told = {"created_at": stamp(at), "updated_at": stamp(at), "status": status}
        inside = {int(name): pieces for name, pieces in lines.items()}
        body = shipment(number, int(order.number), inside, location_id=LOCATIONS[place], **told)
        topic = "fulfillments/create" if status == "success" else "fulfillments/update"
        return self.web(topic, body)

    def refund(
        self, order: Order, number: int, lines: Mapping[str, tuple[int, str, str]], paid: int,
        at: datetime,
    ) -> Telling:  # fmt: skip
        """A refund of the shop. lines: line -> pieces, restock type, place."""
        rows = []
        for place, (name, (pieces, restock, where)) in enumerate(lines.items(), 1):
            one = order.lines[name]
            rows.append({
                "id": number * 10 + place, "line_item_id": int(name), "quantity": pieces,
                "subtotal": money(pieces * one.each), "total_tax": money(pieces * one.tax),
                "restock_type": restock, "location_id": LOCATIONS.get(where),
                "line_item": _web_line(int(name), one),
            })  # fmt: skip
        body = refund(number, int(order.number), rows, money(paid), created_at=stamp(at))
        if not paid:
            body["transactions"] = []
        for one in body["transactions"]:
            one["created_at"] = stamp(at)
        return self.web("refunds/create", body)

    # -- the call centre ------------------------------------------------------------------------

    def call(self, order: Order) -> Telling:
        """A version of an order of the call centre as it is now, whole."""
        told = {
            "number": order.number, "placed_at": stamp(order.placed), "updated_at": stamp(order.at),
            "currency": "USD", "total": money(order.total),
            "ship_to": {"country": "US", "region": "NY", "postcode": f"1{order.edits:04}"},
            "lines": [_call_line(name, one) for name, one in order.lines.items()],
            **({"collect_at": STORE} if order.collect else {}),
            **({"cancelled_at": stamp(order.at)} if order.cancelled else {}),
        }  # fmt: skip
        return self.ask("/v1/orders", told)

    def payment(
        self, order: Order, kind: str, reference: str, amount: int, at: datetime, **more: Any
    ) -> Telling:
        """Something that happened to a payment of the call centre."""
        told = {
            "order": order.number, "kind": kind, "reference": reference, "at": stamp(at),
            "currency": "USD", "tender": "card", **more,
            **({"amount": money(amount)} if amount else {}),
        }  # fmt: skip
        return self.ask("/v1/payments", told)

    def bag(
        self, order: Order, name: str, state: str, place: str, lines: Mapping[str, int],
        at: datetime,
    ) -> Telling:  # fmt: skip
        """A parcel or bag of an order of the call centre."""
        told = {
            "fulfilment": name, "state": state, "location": place, "at": stamp(at),
            "lines": [{"line": n, "quantity": str(pieces)} for n, pieces in lines.items()],
        }  # fmt: skip
        return self.ask(f"/v1/orders/{order.number}/fulfilments", told)

    def missed(self, order: Order, place: str, line: str, pieces: int, at: datetime) -> Telling:
        """A place did not find goods of an order."""
        told = {
            "location": place, "reason": "no_pick", "at": stamp(at),
            "lines": [{"line": line, "quantity": str(pieces)}],
        }  # fmt: skip
        return self.ask(f"/v1/orders/{order.number}/pick-failures", told)

    def ask(self, path: str, body: dict[str, Any]) -> Telling:
        """A request that changes something; again it is the same one under the same key."""
        self._asked += 1
        heads = {b"idempotency-key": f"k-{self._asked}".encode()}

        def tell() -> None:
            told = self._caller.ask(path, self._key, body=body, heads=heads)
            assert told.status == 202, (path, body, told.body)

        return tell

    # -- files ----------------------------------------------------------------------------------

    def rows(self, feed: str, *told: Mapping[str, str]) -> Telling:
        """A file of rows."""
        columns = list(told[0])
        text = [",".join(columns), *(",".join(row[name] for name in columns) for row in told)]
        return lambda: self.shop.file(feed, "\n".join(text).encode() + b"\n")

    def moved(self, feed: str, load: str, product: str, pieces: int, at: datetime) -> Telling:
        """A transfer from the warehouse to the store left (`sent`) or arrived (`came`)."""
        return self.rows(feed, {
            "load": f"{feed}-{load}", "transfer": load, "from": "wh-east", "to": STORE,
            "at": stamp(at), "sku": product, "qty": str(pieces),
        })  # fmt: skip

    def counted(self, place: str, product: str, pieces: int, at: datetime) -> Telling:
        """What lies on a shelf."""
        return self.rows("feed", {
            "product": product, "location": place, "quantity": str(pieces), "counted": stamp(at),
        })  # fmt: skip

    def came_back(
        self, order: Order, rma: str, state: str, place: str, at: datetime,
        lines: Sequence[tuple[str, int, str]],
    ) -> Telling:  # fmt: skip
        """A stage of a return of an order of the shop."""
        head = {"rma": rma, "state": state, "order": order.number, "at": stamp(at), "store": place}
        told = ({"line": n, "quantity": str(pieces), "fate": fate} for n, pieces, fate in lines)
        return self.rows("rma", *({**head, **row} for row in told))

    def card(
        self, number: str, kind: str, card: str, amount: int, at: datetime, order: str = ""
    ) -> Telling:
        """A movement of the card service."""
        return self.rows("cards", {
            "id": number, "type": kind, "card": card, "amount": money(amount), "cur": "USD",
            "when": stamp(at), "order": order, "reason": "given" if kind == "ISSUE" else "",
        })  # fmt: skip

    def till(self, text: str) -> Telling:
        """A file of a till."""
        return lambda: self.shop.file("stores", poslog(text))


def sold_at_till(number: int, at: datetime, product: str, pieces: int, each: int, kind: str) -> str:
    """A receipt; negative pieces are a return paid in cash."""
    net, due = abs(pieces) * each, abs(pieces) * each * 8 // 100
    back = pieces < 0
    element = "Return" if back else "Sale"
    item = goods(
        _at_till(product), money(net), money(due), element=element, pieces=str(abs(pieces))
    )
    paid = tender(money(net + due), kind, "Refund" if back else "Sale")
    sign = "-" if back else ""
    text = receipt(number, [item, paid], f"{sign}{money(net + due)}", f"{sign}{money(due)}")
    return _at(text, number, at)


def back_at_till(number: int, at: datetime, order: Order, name: str, pieces: int) -> str:
    """A receipt for goods of an order, paid out in cash."""
    text = sold_at_till(
        number, at, order.lines[name].product, -pieces, order.lines[name].each, "Cash"
    )
    link = f"<TransactionLink><OrderID>{order.key}</OrderID></TransactionLink></Return>"
    return text.replace("</Return>", link)


def voided(number: int, at: datetime, of: int) -> str:
    """A receipt is taken back whole."""
    return _at(post_void(number, of), number, at)


def _at(text: str, number: int, at: datetime) -> str:
    """With its time: New York is five hours behind in March before the 8th."""
    ends = f"<EndDateTime>2026-03-02T10:{number:02}:00</EndDateTime>"
    assert ends in text
    hour, minute = divmod((at.hour - 5) * 60 + at.minute, 60)
    return text.replace(ends, f"<EndDateTime>2026-03-02T{hour:02}:{minute:02}:00</EndDateTime>")


def _at_till(product: str) -> str:
    return product.replace("P", "A")


def _web_line(number: int, one: Line) -> dict[str, Any]:
    taxes = [tax(money(one.tax * one.pieces), 0.08)]
    sku = one.product.replace("P", "SKU-")
    return line(number, sku=sku, quantity=one.pieces, price=money(one.each), tax_lines=taxes)


def _call_line(name: str, one: Line) -> dict[str, Any]:
    levy = {"code": "us-ny", "amount": money(one.tax * one.pieces), "jurisdiction": "us-ny"}
    return {
        "line": name, "product": one.product, "quantity": str(one.pieces),
        "list": money(one.each * one.pieces), "taxes": [levy],
    }  # fmt: skip
