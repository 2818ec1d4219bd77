"""tillbridge stock publication: what channels show."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.terminal import terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.quantity import to_text

if TYPE_CHECKING:
    from tillbridge.watch.publication import ChannelLag, Figure

MOST = 200


def publication(
    context: typer.Context,
    connection: Annotated[str, typer.Option(help="Figures of this channel.")] = "",
    product: Annotated[str, typer.Option(help="Figures of this product.")] = "",
    most: Annotated[int, typer.Option(min=1, help="So many figures at most.")] = MOST,
) -> None:
    """What channels show of our availability, how long changes take, what waits."""
    from tillbridge.watch import publication as watched

    here = terminal(context)
    with here.hub() as hub, hub.connect() as database:
        now = hub.agreed_clock.now()
        lags = watched.channels(database, now)
        found = []
        if connection or product:
            reach = dict(here.reach.values())
            found = watched.figures(database, connection, product, most, reach)
    heads = ("channel", "figures", "waiting", "oldest", "p50 s", "p99 s", "held back", "refused")
    words = table(heads, [_summary(one, now) for one in lags])
    if found:
        heads = ("channel", "product", "location", "available", "shown", "not told", "since", "")
        words += "\n\n" + table(heads, [_line(one) for one in found])
    here.show({"channels": lags, "figures": found, "unit": "thousandths"}, words)


def _summary(one: ChannelLag, now: datetime) -> tuple[object, ...]:
    spans = (_age(one.oldest, now), _span(one.p50), _span(one.p99))
    return one.name, one.figures, one.waiting, *spans, one.held_back, one.refused


def _line(one: Figure) -> tuple[object, ...]:
    shown = "?" if one.shown is None else to_text(one.shown)
    since = f"{one.changed_at:%Y-%m-%d %H:%M:%S}" if one.changed_at else ""
    figures = (to_text(one.available), shown, to_text(one.untold))
    return one.connection, one.product, one.location or "all", *figures, since, one.refused


def _span(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"


def _age(since: datetime | None, now: datetime) -> str:
    return "" if since is None else f"{max((now - since).total_seconds(), 0):.0f} s"
