"""tillbridge transfers: goods that one place of ours sends to another."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tillbridge.app.cli.goods import entity_of, hand_of, quantity_of
from tillbridge.app.cli.terminal import fail, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.ids import key_of
from tillbridge.atoms.quantity import to_text
from tillbridge.canonical.stock import StockLine

if TYPE_CHECKING:
    from tillbridge.durable.rooms import Connection
    from tillbridge.orchestration.transfers.state import TransferState
    from tillbridge.triage.rights import Reach

app = typer.Typer(no_args_is_help=True)
SHOWN_MOST = 500
_Number = Annotated[str, typer.Argument(help="The transfer's number.")]
_PIECES = ("held", "sent", "received", "in transit")
_NAMES = (
    "key", "number", "status", "origin", "destination", "due_at", "sent", "received", "in_transit",
    "held",
)  # fmt: skip


@app.callback()
def transfers() -> None:
    """Transfers: ordered, sent, received."""


@app.command("list")
def list_(
    context: typer.Context,
    location: Annotated[str, typer.Option(help="Only from or to this one.")] = "",
    whole: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False,
) -> None:
    """Transfers that are not over, or of which something never arrived."""
    here = terminal(context)
    with here.database() as connection:
        rows = _rows(connection, here.reach, location=location, whole=whole)
    data = [dict(zip(_NAMES, row, strict=True)) for row in rows]
    shown = [
        (row[1], row[2], row[3], row[4], _day(row[5]), *(to_text(much) for much in row[6:]))
        for row in rows
    ]
    headers = ("number", "status", "from", "to", "due", "sent", "received", "in transit", "held")
    here.show({"transfers": data, "unit": "thousandths"}, table(headers, shown))


def _rows(
    connection: Connection, reach: Reach, *, number: str = "", location: str = "", whole: bool
) -> list[tuple[Any, ...]]:
    from tillbridge.app.transfers_by_hand import QUERIES

    asked = {"number": number, "location": location, "all": whole, "most": SHOWN_MOST}
    return connection.execute(QUERIES.list, {**asked, **reach.values()}).fetchall()


@app.command()
def show(context: typer.Context, number: _Number) -> None:
    """One transfer: what was ordered, held, sent, received, and what is missing."""
    from tillbridge.app.transfers_by_hand import QUERIES

    here = terminal(context)
    key = key_of("transfer", number)
    with here.database() as connection:
        rows = _rows(connection, here.reach, number=number, whole=True)
        if not rows:
            fail(f"nothing is known of a transfer {number!r}")
        state = _state(connection, key)
        pieces = connection.execute(QUERIES.pieces, {"key": key}).fetchall()
    row = dict(zip(_NAMES, rows[0], strict=True))
    page = [f"transfer {number}, {row['status']}: from {row['origin']} to {row['destination']}"]
    if state.order is not None:
        due = f", due {state.order.due_at:%Y-%m-%d}" if state.order.due_at else ""
        page.append(f"ordered by {state.order.asked}, version {state.order.version}{due}")
        page += [
            f"  {line.product}: {to_text(line.quantity)} {line.unit}".rstrip()
            for line in state.order.lines
        ]
    if state.cancelled is not None:
        page.append(f"cancelled {state.cancelled.at:%Y-%m-%d %H:%M} UTC: {state.cancelled.reason}")
    shown = [(piece[0], *(to_text(much) for much in piece[1:])) for piece in pieces]
    page += ["", table(("product", *_PIECES), shown)]
    data = {
        **row,
        "order": state.order,
        "cancelled": state.cancelled,
        "unit": "thousandths",
        "products": {piece[0]: dict(zip(_PIECES, piece[1:], strict=True)) for piece in pieces},
    }
    here.show(data, "\n".join(page))


@app.command()
def order(
    context: typer.Context,
    origin: Annotated[str, typer.Argument(metavar="FROM")],
    destination: Annotated[str, typer.Argument(metavar="TO")],
    line: Annotated[
        list[str], typer.Option("--line", help="PRODUCT=QUANTITY, or PRODUCT=QUANTITY:UNIT.")
    ],
    number: Annotated[str, typer.Option(help="Its number; the hub gives one by default.")] = "",
    due: Annotated[datetime | None, typer.Option(help="When it should be there (UTC).")] = None,
) -> None:
    """Have one place send goods to another; they are held there until they leave."""
    from tillbridge.app import transfers_by_hand

    here = terminal(context)
    lines = tuple(_line(n, text) for n, text in enumerate(line, 1))
    with here.hub() as hub, hub.connect() as connection:
        entity_of(here, hub, destination)
        hand = hand_of(here, hub, entity_of(here, hub, origin))
        hand = msgspec.structs.replace(hand, number=number or hand.number)
        at = due.replace(tzinfo=UTC) if due else None
        wish = transfers_by_hand.Wish(origin, destination, lines, at)
        fact = transfers_by_hand.order(connection, wish, hand)
    here.show(
        {"key": fact.key, "number": fact.transfer},
        f"transfer {fact.transfer} from {origin} to {destination} is ordered",
    )


@app.command()
def cancel(
    context: typer.Context,
    number: _Number,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
) -> None:
    """Send no more of a transfer: what has not left stays, what is on its way still arrives."""
    from tillbridge.app import transfers_by_hand

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        origin = _origin(connection, here.reach, number)
        hand = hand_of(here, hub, entity_of(here, hub, origin))
        fact = transfers_by_hand.cancel(connection, number, reason, hand)
    here.show({"key": fact.key}, f"transfer {number} is cancelled")


@app.command("write-off")
def write_off(
    context: typer.Context,
    number: _Number,
    reason: Annotated[str, typer.Option(help="A code: lost, damage, miscounted, ...")],
) -> None:
    """Take what never arrived of a transfer off the goods in transit; its case closes by itself."""
    from tillbridge.app import transfers_by_hand

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        origin = _origin(connection, here.reach, number)
        hand = hand_of(here, hub, entity_of(here, hub, origin))
        fact = transfers_by_hand.write_off(connection, number, reason, hand)
    told = ", ".join(f"{to_text(one.quantity)} of {one.product}" for one in fact.lines)
    here.show({"key": fact.key, "lines": fact.lines}, f"transfer {number}: {told} in transit")


def _origin(connection: Connection, reach: Reach, number: str) -> str:
    rows = _rows(connection, reach, number=number, whole=True)
    if not rows:
        fail(f"nothing is known of a transfer {number!r}")
    return str(rows[0][3])


def _state(connection: Connection, key: str) -> TransferState:
    from tillbridge.app.transfers_by_hand import QUERIES
    from tillbridge.orchestration.transfers.state import TransferState

    row = connection.execute(QUERIES.body, (key,)).fetchone()
    return msgspec.json.decode(bytes(row[0]), type=TransferState) if row else TransferState(key)


def _line(number: int, text: str) -> StockLine:
    product, _, rest = text.rpartition("=")
    quantity, _, unit = rest.partition(":")
    if not product:
        fail(f"{text!r}: a line is PRODUCT=QUANTITY", code=2)
    return StockLine(str(number), product, quantity_of(quantity), unit=unit)


def _day(at: object) -> str:
    return f"{at:%Y-%m-%d}" if isinstance(at, datetime) else ""
