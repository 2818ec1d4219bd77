"""tillbridge periods: months that finance closes and locks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.terminal import fail, proposed, terminal
from tillbridge.app.text_table import table

if TYPE_CHECKING:
    from tillbridge.app.hub import Hub
    from tillbridge.triage.rights import Who

app = typer.Typer(no_args_is_help=True)
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_Reason = Annotated[str, typer.Option(help="Why, for the record.")]


@app.command("list")
def list_periods(context: typer.Context) -> None:
    """Months that were ever closed; every other one is open."""
    from tillbridge.posting.money import periods

    here = terminal(context)
    with here.database() as connection:
        rows = [row for row in periods.list_periods(connection) if here.who.sees(row[0])]
    names = ("entity", "period", "state")
    here.show({"periods": [dict(zip(names, row, strict=True)) for row in rows]}, table(names, rows))


@app.command("soft-close")
def soft_close(context: typer.Context, entity: str, month: str, reason: _Reason = "") -> None:
    """Soft-close MONTH (2026-03) of ENTITY once nothing blocks it: from then on it takes only keys
    that are admitted.
    """
    from tillbridge.app.closing import look_again, scope_of
    from tillbridge.posting.money import periods
    from tillbridge.reconciliation.close.closing import close_month

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        month_of(hub, here.who, entity, month)
        now = hub.clock.now()
        state = periods.state_of(connection, entity, month)
        if state == "locked":
            fail(f"{entity} {month} is locked; tillbridge periods unlock opens it")
        if state == "open":
            look_again(hub, connection, now)
            scope = scope_of(hub, entity, month, now)
            close_month(connection, scope, "soft-closed", here.who.name, reason)
        connection.commit()
    told = {"entity": entity, "period": month, "state": "soft-closed"}
    here.show(told, f"{entity} {month} is soft-closed")


@app.command()
def admit(
    context: typer.Context,
    entity: str,
    month: str,
    key: Annotated[str, typer.Argument(help="Of an order or sale: order/web/1001.")],
    reason: Annotated[str, typer.Option(help="Why, for the record.")],
) -> None:
    """Let late facts of KEY into a soft-closed MONTH on their own days."""
    from tillbridge.posting.money import periods

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        month_of(hub, here.who, entity, month)
        if not reason:
            fail("say why with --reason", code=2)
        now, by = hub.clock.now(), here.who.name
        new = periods.admit(connection, entity, month, key, at=now, by=by, reason=reason)
        connection.commit()
    told = f"{key} is admitted to {entity} {month}" + ("" if new else " already")
    here.show({"entity": entity, "period": month, "key": key, "new": new}, told)


@app.command()
def lock(context: typer.Context, entity: str, month: str, reason: _Reason = "") -> None:
    """Lock MONTH (2026-03) of ENTITY once nothing blocks it; a second person approves it. Late
    facts go to the next month that takes them.
    """
    from tillbridge.app.closing import look_again, scope_of
    from tillbridge.posting.money import periods
    from tillbridge.reconciliation.close.closing import refuse_while_blocked
    from tillbridge.triage.approvals import Wish, carry_out

    here = terminal(context)
    proposal = None
    with here.hub() as hub, hub.connect() as connection:
        month_of(hub, here.who, entity, month)
        now = hub.clock.now()
        state = periods.state_of(connection, entity, month)
        if state != "locked":
            look_again(hub, connection, now)
            scope = scope_of(hub, entity, month, now)
            refuse_while_blocked(connection, scope)
            left_out = {"connections": scope.connections, "locations": scope.locations}
            left_out["own"] = scope.own
            change = {"entity": entity, "period": month, "left_out": left_out}
            wish = Wish("periods.lock", f"{entity}/{month}", change, reason, entity)
            proposal = carry_out(connection, here.who, wish, now)
        connection.commit()
    told = f"{entity} {month} " + (proposed(proposal) if proposal else "is locked")
    state = state if proposal else "locked"
    shown = {"entity": entity, "period": month, "state": state, "proposal": proposal}
    here.show(shown, told)


@app.command()
def unlock(context: typer.Context, entity: str, month: str, reason: _Reason = "") -> None:
    """Open a closed MONTH again; a locked one once a second person approves it."""
    from tillbridge.posting.money import periods
    from tillbridge.triage.approvals import Wish, carry_out

    here = terminal(context)
    proposal = None
    with here.hub() as hub, hub.connect() as connection:
        month_of(hub, here.who, entity, month)
        state, now = periods.state_of(connection, entity, month), hub.clock.now()
        if state == "open":
            fail(f"{entity} {month} is not closed")
        if state == "locked":
            change = {"entity": entity, "period": month}
            wish = Wish("periods.unlock", f"{entity}/{month}", change, reason, entity)
            proposal = carry_out(connection, here.who, wish, now)
        else:
            by = here.who.name
            periods.set_period(connection, entity, month, "open", at=now, by=by, reason=reason)
        connection.commit()
    told = f"{entity} {month} " + (proposed(proposal) if proposal else "is open")
    here.show({"entity": entity, "period": month, "proposal": proposal}, told)


def month_of(hub: Hub, who: Who, entity: str, month: str) -> None:
    """Stops with words when there is no such entity in reach, or the month is none."""
    if who.within(entity) not in hub.workspace.settings.entities():
        fail(f"the workspace has no entity {entity!r}")
    if not _MONTH.fullmatch(month):
        fail(f"a month is written 2026-03, not {month!r}", code=2)
