"""tillbridge close: what still keeps a month open, each with its owner and what to do."""

from __future__ import annotations

from typing import Annotated

import typer

from tillbridge.app.cli.periods import month_of
from tillbridge.app.cli.terminal import terminal


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(close)


def close(
    context: typer.Context,
    entity: Annotated[str, typer.Argument(help="Legal entity.")],
    month: Annotated[str, typer.Argument(help="Month, 2026-03.")],
    owner: Annotated[str, typer.Option(help="Only what is of this owner.")] = "",
) -> None:
    """List what still blocks the close of MONTH of ENTITY; exit 1 while anything does."""
    from tillbridge.app.closing import look_again, scope_of
    from tillbridge.app.finance_pages import close_page
    from tillbridge.posting.money.periods import state_of
    from tillbridge.reconciliation.close.checks import blockers

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        month_of(hub, here.who, entity, month)
        now = hub.clock.now()
        look_again(hub, connection, now)
        state = state_of(connection, entity, month)
        found = blockers(connection, scope_of(hub, entity, month, now))
    shown = [one for one in found if owner in ("", one.owner)]
    told = {"entity": entity, "period": month, "state": state, "blockers": shown}
    here.show(told, close_page(entity, month, state, shown))
    if found:
        raise typer.Exit(1)
