"""tillbridge purchases: what was bought of suppliers, what came of it, what is still on order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tillbridge.app.cli.goods import entity_of, hand_of, quantity_of
from tillbridge.app.cli.terminal import Terminal, fail, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.quantity import to_text
from tillbridge.canonical.stock import StockLine
from tillbridge.canonical.supply import PurchaseLine

if TYPE_CHECKING:
    from tillbridge.app.hub import Hub
    from tillbridge.durable.rooms import Connection
    from tillbridge.triage.rights import Reach

app = typer.Typer(no_args_is_help=True)
SHOWN_MOST = 500
_Number = Annotated[str, typer.Argument(help="The purchase's number.")]
_Line = Annotated[
    list[str], typer.Option("--line", help="PRODUCT=QUANTITY, or PRODUCT=QUANTITY:UNIT.")
]
_NAMES = (
    "number", "supplier", "location", "due_at", "version", "proposal", "status", "expected",
    "received", "on_order", "late", "reason",
)  # fmt: skip
_LINE_NAMES = ("product", "location", "expected", "received", "on_order", "due_at")


@app.callback()
def purchases() -> None:
    """Purchases: ordered, received in parts, closed."""


@app.command("list")
def list_(
    context: typer.Context,
    whole: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False,
) -> None:
    """Purchases of which something is on order, the most overdue first."""
    here = terminal(context)
    with here.database() as connection:
        rows = _rows(connection, here.reach, whole=whole)
    headers = ("number", "supplier", "to", "due", "status", "ordered", "received", "on order", "")
    data = [dict(zip(_NAMES, row, strict=True)) for row in rows]
    shown = [
        (
            row[0], row[1], row[2], _day(row[3]), row[6], *(to_text(much) for much in row[7:10]),
            "late" if row[10] else "",
        )
        for row in rows
    ]  # fmt: skip
    here.show({"purchases": data, "unit": "thousandths"}, table(headers, shown))


def _rows(
    connection: Connection, reach: Reach, *, number: str = "", whole: bool = True
) -> list[tuple[Any, ...]]:
    from tillbridge.app.purchases_by_hand import QUERIES

    asked = {"number": number, "all": whole, "most": SHOWN_MOST, "now": SystemClock().now()}
    return connection.execute(QUERIES.list, {**asked, **reach.values()}).fetchall()


@app.command()
def show(context: typer.Context, number: _Number) -> None:
    """One purchase: what was ordered, what came, what is still to come."""
    from tillbridge.app.purchases_by_hand import QUERIES

    here = terminal(context)
    with here.database() as connection:
        rows = _rows(connection, here.reach, number=number)
        if not rows:
            fail(f"nothing is known of a purchase {number!r}")
        lines = connection.execute(QUERIES.lines, (number,)).fetchall()
    row = dict(zip(_NAMES, rows[0], strict=True))
    page = [
        f"purchase {number}, {row['status']}: from {row['supplier'] or '?'} to {row['location']}"
    ]
    page.append(
        f"version {row['version'] or 'none'}, due {_day(row['due_at']) or 'at no day told'}"
    )
    if row["proposal"]:
        page.append(f"from proposal {row['proposal']}")
    if row["reason"]:
        page.append(f"closed: {row['reason']}")
    shown = [(*line[:2], *(to_text(much) for much in line[2:5]), _day(line[5])) for line in lines]
    headers = ("product", "location", "ordered", "received", "on order", "due")
    page += ["", table(headers, shown)]
    told = [dict(zip(_LINE_NAMES, line, strict=True)) for line in lines]
    here.show({**row, "unit": "thousandths", "lines": told}, "\n".join(page))


@app.command()
def order(
    context: typer.Context,
    supplier: str,
    location: str,
    line: _Line,
    due: Annotated[datetime, typer.Option(help="When it is expected (UTC).")],
    number: Annotated[str, typer.Option(help="Its number; the hub gives one by default.")] = "",
    version: Annotated[str, typer.Option(help="Sortable; tells a known number anew.")] = "",
    proposal: Annotated[str, typer.Option(help="The proposal it comes from.")] = "",
) -> None:
    """Tell that goods were bought of SUPPLIER for LOCATION."""
    from tillbridge.app import purchases_by_hand

    here = terminal(context)
    told = [_line(n, text) for n, text in enumerate(line, 1)]
    lines = tuple(PurchaseLine(one.product, one.quantity, one.unit) for one in told)
    with here.hub() as hub, hub.connect() as connection:
        hand = hand_of(here, hub, entity_of(here, hub, location))
        hand = msgspec.structs.replace(hand, number=number or hand.number)
        bought = purchases_by_hand.Bought(
            supplier, location, due.replace(tzinfo=UTC), lines, version, proposal
        )
        fact = purchases_by_hand.ordered(connection, bought, hand)
        purchases_by_hand.tell(connection, (fact,), hand, "purchases.order")
    here.show(
        {"key": fact.key, "number": fact.supply, "version": fact.version},
        f"purchase {fact.supply} from {supplier} for {location} is told",
    )


@app.command()
def receive(
    context: typer.Context,
    number: _Number,
    location: str,
    line: _Line,
    complete: Annotated[bool, typer.Option("--complete", help="Nothing more will come.")] = False,
) -> None:
    """Tell that goods of a purchase arrived at LOCATION."""
    from tillbridge.app import purchases_by_hand

    here = terminal(context)
    lines = tuple(_line(n, text, location) for n, text in enumerate(line, 1))
    with here.hub() as hub, hub.connect() as connection:
        if not _rows(connection, here.reach, number=number):
            fail(f"nothing is known of a purchase {number!r}")
        hand = hand_of(here, hub, entity_of(here, hub, location))
        facts = purchases_by_hand.received(connection, number, lines, hand, complete=complete)
        purchases_by_hand.tell(connection, facts, hand, "purchases.receive")
    fact = facts[0]
    here.show({"key": fact.key}, f"goods of purchase {number} at {location} told as {fact.key}")


@app.command()
def close(
    context: typer.Context,
    number: _Number,
    reason: Annotated[str, typer.Option(help="A code: cancelled, out-of-range, ...")],
) -> None:
    """Wait for nothing more of a purchase; a later version of it opens it again."""
    from tillbridge.app import purchases_by_hand

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        hand = hand_of(here, hub, _entity(here, hub, connection, number))
        fact = purchases_by_hand.closed(connection, number, reason, hand)
        purchases_by_hand.tell(connection, (fact,), hand, "purchases.close")
    here.show({"key": fact.key}, f"purchase {number} is closed")


def _entity(here: Terminal, hub: Hub, connection: Connection, number: str) -> str:
    """Whose a purchase is, or the proposal of that number of which none was told."""
    from tillbridge.app.replenishment import QUERIES

    rows = _rows(connection, here.reach, number=number)
    place = rows[0][2] if rows else ""
    if not place:
        row = connection.execute(QUERIES.location, (number,)).fetchone()
        if row is None:
            fail(f"nothing is known of a purchase {number!r}")
        place = str(row[0])
    return entity_of(here, hub, place)


def _line(number: int, text: str, location: str = "") -> StockLine:
    product, _, rest = text.rpartition("=")
    quantity, _, unit = rest.partition(":")
    if not product:
        fail(f"{text!r}: a line is PRODUCT=QUANTITY", code=2)
    return StockLine(str(number), product, quantity_of(quantity), location, unit=unit)


def _day(at: object) -> str:
    return f"{at:%Y-%m-%d}" if isinstance(at, datetime) else ""
