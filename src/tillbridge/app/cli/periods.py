"""tillbridge periods: months that finance locks."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from tillbridge.app.cli.terminal import fail, proposed, terminal
from tillbridge.app.text_table import table

app = typer.Typer(no_args_is_help=True)
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_Reason = Annotated[str, typer.Option(help="Why, for the record.")]


@app.command("list")
def list_periods(context: typer.Context) -> None:
    """Months that were ever locked; every other one is open."""
    from tillbridge.posting.money import periods

    here = terminal(context)
    with here.database() as connection:
        rows = [row for row in periods.list_periods(connection) if here.who.sees(row[0])]
    names = ("entity", "period", "state")
    here.show({"periods": [dict(zip(names, row, strict=True)) for row in rows]}, table(names, rows))


@app.command()
def lock(context: typer.Context, entity: str, month: str, reason: _Reason = "") -> None:
    """Lock MONTH (2026-03) of ENTITY: late facts go to the next open month."""
    from tillbridge.posting.money import periods

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        _known(set(hub.workspace.settings.entities()), here.who.within(entity), month)
        now = hub.clock.now()
        if periods.state_of(connection, entity, month) != "locked":
            periods.set_period(
                connection, entity, month, "locked", at=now, by=here.who.name, reason=reason
            )
        connection.commit()
    here.show({"entity": entity, "period": month, "state": "locked"}, f"{entity} {month} is locked")


@app.command()
def unlock(context: typer.Context, entity: str, month: str, reason: _Reason = "") -> None:
    """Open a locked MONTH again; a second person approves it."""
    from tillbridge.posting.money import periods
    from tillbridge.triage.approvals import Wish, carry_out

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        _known(set(hub.workspace.settings.entities()), here.who.within(entity), month)
        if periods.state_of(connection, entity, month) != "locked":
            fail(f"{entity} {month} is not locked")
        change = {"entity": entity, "period": month}
        wish = Wish("periods.unlock", f"{entity}/{month}", change, reason, entity)
        proposal = carry_out(connection, here.who, wish, hub.clock.now())
        connection.commit()
    told = f"{entity} {month} " + (proposed(proposal) if proposal else "is open")
    here.show({"entity": entity, "period": month, "proposal": proposal}, told)


def _known(entities: set[str], entity: str, month: str) -> None:
    if entity not in entities:
        fail(f"the workspace has no entity {entity!r}")
    if not _MONTH.fullmatch(month):
        fail(f"a month is written 2026-03, not {month!r}", code=2)
