"""tillbridge story, status, verify: looking at the hub."""

from __future__ import annotations

from typing import Annotated

import typer

from tillbridge.app.cli.terminal import terminal
from tillbridge.app.text_table import table


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(story)
    app.command()(status)
    app.command()(verify)
    app.command()(schema)


def story(context: typer.Context, key: str) -> None:
    """One sale from delivery to ledger and ERP; KEY is an order number, receipt or key."""
    from tillbridge.watch.story import find, page, tell

    here = terminal(context)
    with here.database() as connection:
        told = tell(connection, find(connection, key))
    here.show(told, page(told))


def status(context: typer.Context) -> None:
    """What was taken in, what is pending and since when, what waits for whom."""
    from tillbridge.watch.status import status as read

    here = terminal(context)
    with here.database() as connection:
        found = read(connection)
    rows: list[tuple[object, ...]] = [
        ("deliveries", found.messages, f"{found.duplicates} duplicates refused"),
        ("records", found.records, f"{found.pending_records} pending"),
        ("entries", found.entries, ""),
        ("parked keys", found.parked_keys, ""),
        ("orders pending ERP acknowledgement", found.orders_pending_acknowledgement, ""),
        ("till numbers missing", found.till_numbers_missing, ""),
    ]
    rows += [(f"orders {state}", count, "") for state, count in found.orders.items()]
    rows += [
        (f"{kind} documents {state}", count, "")
        for kind, states in found.documents.items()
        for state, count in states.items()
    ]
    rows += [(f"open cases: {reason}", count, "") for reason, count in found.open_cases.items()]
    rows += [
        (f"waiting for {d.name}", d.documents, "breaker open" if d.failures else "")
        for d in found.destinations
    ]
    here.show(found, table(("what", "count", ""), rows))


def verify(
    context: typer.Context,
    quiesced: Annotated[
        bool, typer.Option(help="Also check that nothing is on its way (after a drain).")
    ] = False,
) -> None:
    """Check every invariant on the live database; exit 1 if one is broken."""
    from tillbridge.watch.verify import verify as check

    here = terminal(context)
    with here.database() as connection:
        connection.rollback()
        verdict = check(connection, quiesced=quiesced)
    rows = [(i.name, i.lies, "ok" if not i.lies else "BROKEN") for i in verdict.invariants]
    text = table(("invariant", "lies", ""), rows)
    for invariant in verdict.invariants:
        for row in invariant.rows:
            text += f"\n  {invariant.name}: {', '.join(row)}"
    text += f"\n\n{verdict.checked} invariants checked, {verdict.broken} broken"
    here.show(verdict, text)
    if not verdict.ok:
        raise typer.Exit(1)


def schema(context: typer.Context) -> None:
    """JSON Schema of every canonical fact and command, with its version."""
    import msgspec

    from tillbridge.canonical.registry import schemas

    found = schemas()
    text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
    terminal(context).show(found, text)
