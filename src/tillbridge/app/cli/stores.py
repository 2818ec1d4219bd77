"""tillbridge stores: how stores and tills transmit, and which of their numbers are missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.terminal import terminal
from tillbridge.app.text_table import table

if TYPE_CHECKING:
    from tillbridge.reconciliation.tills.health import Health
    from tillbridge.reconciliation.tills.sequences import Gap


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(stores)


def stores(
    context: typer.Context,
    gaps: Annotated[
        bool, typer.Option("--gaps", help="The missing numbers, also those filled since.")
    ] = False,
) -> None:
    """Each store and till: last heard, last day closed, late days, missing days and numbers."""
    from tillbridge.reconciliation.tills.health import LOOK_BACK_DAYS, health
    from tillbridge.reconciliation.tills.sequences import gaps as read_gaps
    from tillbridge.reconciliation.tills.sequences import look

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        now = hub.clock.now()
        look(connection, hub.expected, now)
        connection.commit()
        if gaps:
            found = read_gaps(connection, now - timedelta(days=LOOK_BACK_DAYS))
            here.show({"gaps": found}, _gap_table(found))
            return
        told = health(connection, hub.expected, now)
    here.show(told, _health_table(told))


def _health_table(told: Health) -> str:
    headers = (
        "store",
        "till",
        "connection",
        "last heard",
        "last day",
        "closed",
        "late days",
        "not closed",
        "numbers missing",
    )
    text = table(headers, list(_rows(told)))
    for store in told.stores:
        if store.absent_days:
            text += f"\n{store.location}: nothing heard for {_days(store.absent_days)}"
    for name, count in told.repeats.items():
        text += f"\n{name}: {count} deliveries came again unchanged"
    return text


def _rows(told: Health) -> Iterator[tuple[object, ...]]:
    for store in told.stores:
        for till in store.tills:
            yield (
                store.location,
                till.till,
                store.source,
                f"{till.last_heard_at:%Y-%m-%d %H:%M}",
                till.last_business_date,
                till.last_closed or "",
                len(till.late_days) or "",
                _days(till.unclosed),
                till.missing or "",
            )
        if store.gaps:
            missing = sum(gap.missing - gap.waiting for gap in store.gaps)
            yield (store.location, "all", store.source, "", "", "", "", "", missing)


def _days(days: Iterable[date]) -> str:
    return ", ".join(day.isoformat() for day in days)


def _gap_table(found: Iterable[Gap]) -> str:
    from tillbridge.reconciliation.tills.numbers import Run, shown

    rows = [
        (
            gap.location,
            gap.till or "all",
            gap.business_date,
            shown(Run(gap.first, gap.last)),
            gap.missing,
            gap.waiting or "",
            f"{gap.noticed_at:%Y-%m-%d %H:%M}",
            f"{gap.filled_at:%Y-%m-%d %H:%M}" if gap.filled_at else "",
        )
        for gap in found
    ]
    headers = ("store", "till", "day", "numbers", "missing", "waiting", "noticed", "filled")
    return table(headers, rows)
