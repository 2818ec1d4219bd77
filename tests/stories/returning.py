"""Returns as stories tell them: a service desk, a returns service's file, a till's log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.app.api.caller import Caller, Told, client_key
from tests.stories.shop import House
from tests.stories.till_files import goods, receipt, tender
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.resources import Resources
from tillbridge.app.channel_policies import policies_of
from tillbridge.inbox.group_commit import IntakeWriter

MAPPING = """
kind = "returns"
identity = ["rma", "state"]
[file]
format = "csv"
[head]
number = "rma"
order = "order"
source = { constant = "web" }
state = "state"
at = "at"
location = "store"
[[line]]
line = "line"
quantity = "quantity"
disposition = "fate"
"""
CONNECTIONS = """
[connection.rma]
connector = "feed"
entity = "us"
channel = "web"
timezone = "America/New_York"
settings = { mapping = "feeds/returns.toml" }
"""
NAMES = (
    ("web", "location", "5502", "store-nyc"),
    ("rma", "location", "wh-east", "wh-east"),
    ("stores", "location", "14", "store-bos"),
)


def furnished(
    policies: str = "", change: Callable[[str], str] = lambda text: text
) -> Callable[[Path], None]:
    """A workspace with a returns service, tills that know the shop's orders, and policies."""

    def furnish(folder: Path) -> None:
        file = folder / "tillbridge.toml"
        text = file.read_text(encoding="utf-8")
        tills = 'connector = "poslog"\n'
        assert text.count(tills) == 1
        text = text.replace(tills, f'{tills}settings = {{ orders = "web" }}\n')
        file.write_text(change(text) + CONNECTIONS, encoding="utf-8")
        (folder / "feeds" / "returns.toml").write_text(MAPPING, encoding="utf-8")
        if policies:
            (folder / "rules" / "policies.toml").write_text(policies, encoding="utf-8")

    return furnish


def told(shop: House, rma: str, state: str, at: str, lines: Sequence[tuple[int, int, str]]) -> None:
    """The returns service tells a stage of a return of order 4711: (line, pieces, disposition)."""
    rows = ["rma,state,order,at,store,line,quantity,fate"]
    rows += [f"{rma},{state},4711,{at},wh-east,{n},{pieces},{fate}" for n, pieces, fate in lines]
    shop.file("rma", "\n".join(rows).encode() + b"\n")


def brought_back(
    number: int, store: str, item: str, price: str, tax: str, total: str, order: str = "4711"
) -> str:
    """A till's receipt for one piece of the order, paid out in cash."""
    link = f"<TransactionLink><OrderID>{order}</OrderID></TransactionLink></Return>"
    line = goods(item, price, tax, element="Return").replace("</Return>", link)
    told = receipt(number, [line, tender(total, code="Refund")], f"-{total}", f"-{tax}")
    return told.replace("<RetailStoreID>12<", f"<RetailStoreID>{store}<")


class Desk:
    """A service desk that asks before it pays."""

    def __init__(self, shop: House, location: str = "store-nyc") -> None:
        workspace = shop.hub.workspace
        writer = IntakeWriter(shop.hub.url)
        policies = policies_of(workspace)
        self._resources = Resources(shop.hub.url, workspace.settings, writer, policies=policies)
        self._caller = Caller(Api(self._resources))
        self._key = client_key(shop.connection, "returns:write", name="desk", channel="stores")
        self._location = location
        self._asked = 0

    def ask(self, key: str = "", **body: Any) -> Told:
        """Ask of a return; key: the Idempotency-Key, a new one when left out."""
        self._asked += 1
        heads = {b"idempotency-key": (key or f"desk-{self._asked}").encode()}
        asked = {"location": self._location, **body}
        return self._caller.ask("/v1/returns/authorizations", self._key, body=asked, heads=heads)

    def close(self) -> None:
        """Leave."""
        self._resources.stop()
