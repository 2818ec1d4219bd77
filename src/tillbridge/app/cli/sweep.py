"""tillbridge sweep: compare a source's counts and sums with the hub, have what is missing read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.terminal import fail, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.money import to_text

if TYPE_CHECKING:
    from tillbridge.app.hub import Hub
    from tillbridge.durable.rooms import Connection
    from tillbridge.reconciliation.sweeps.report import SweepReport
    from tillbridge.reconciliation.sweeps.sweeper import Swept


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(sweep)


def sweep(
    context: typer.Context,
    source: Annotated[str, typer.Option("--connection", help="Only this connection.")] = "",
    stream: Annotated[str, typer.Option(help="Only this stream.")] = "",
    since: Annotated[
        str, typer.Option("--from", help="Changes from this day or instant on (UTC).")
    ] = "",
    until: Annotated[str, typer.Option("--to", help="Changes before this day or instant.")] = "",
    history: Annotated[
        bool, typer.Option("--history", help="Show the last sweeps, compare nothing.")
    ] = False,
) -> None:
    """Compare counts and sums with the sources; what is missing is read by `drain` or a worker.

    Without a window: from where the stream is complete until five minutes ago.
    """
    from tillbridge.reconciliation.sweeps.report import sweeps

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        settings = hub.workspace.settings.connection
        for name in [source] if source in settings else [] if source else hub.sweepers():
            here.who.within(settings[name].entity)
        limit = 20
        if not history:
            window = (_instant(since), _instant(until))
            limit = len(list(_swept(hub, connection, source, stream, window)))
        found = sweeps(connection, source=source, stream=stream, limit=limit)
    here.show({"sweeps": found}, _page(found))


def _swept(
    hub: Hub,
    connection: Connection,
    source: str,
    stream: str,
    window: tuple[datetime | None, datetime | None],
) -> Iterator[Swept]:
    """Sweep what was asked for."""
    sweepers = hub.sweepers()
    if source and source not in sweepers:
        fail(f"connection {source!r} cannot be swept (these can: {', '.join(sweepers) or 'none'})")
    for name, sweeper in sweepers.items():
        for one in sweeper.streams:
            if source in ("", name) and stream in ("", one):
                swept = sweeper.run(connection, one, *window)
                if swept is None:
                    fail(f"another process sweeps stream {one} of {name}")
                yield swept


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is no day or instant like 2026-03-02 or 2026-03-02T18:00", code=2)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _page(found: Iterable[SweepReport]) -> str:
    headers = (
        "connection",
        "stream",
        "from",
        "to",
        "there",
        "here",
        "missing",
        "behind",
        "waiting",
        "differing",
        "fetched",
    )
    text = table(headers, [_row(one) for one in found])
    for one in found:
        for currency, sums in one.sums.items():
            there = _money(sums.source_amount, sums.source_refunded, currency)
            here = _money(sums.hub_amount, sums.hub_refunded, currency)
            text += f"\n{one.connection} {one.stream} to {one.until:%Y-%m-%d %H:%M} {currency}:"
            text += f" there {there}, here {here}"
    return text


def _row(one: SweepReport) -> tuple[object, ...]:
    return (
        one.connection,
        one.stream,
        f"{one.since:%Y-%m-%d %H:%M}",
        f"{one.until:%Y-%m-%d %H:%M}",
        one.source_count,
        one.hub_count,
        one.missing,
        one.behind,
        one.waiting,
        one.differing,
        f"{one.fetched} of {one.asked}" if one.asked else "",
    )


def _money(amount: int, refunded: int, currency: str) -> str:
    return f"{to_text(amount, currency)} less {to_text(refunded, currency)} given back"
