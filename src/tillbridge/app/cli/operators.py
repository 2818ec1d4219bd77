"""tillbridge operators and keys: who works here, with which roles, and the keys they come with."""

from __future__ import annotations

from typing import Annotated

import typer

from tillbridge.app.cli.terminal import fail, proposed, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.clock import SystemClock

app = typer.Typer(no_args_is_help=True)
keys_app = typer.Typer(no_args_is_help=True)
_Reason = Annotated[str, typer.Option(help="Why, for the record.")]


@app.command()
def add(
    context: typer.Context,
    name: str,
    role: Annotated[
        list[str],
        typer.Option(help="viewer, operator, accountant, integrator, admin (repeat) or client."),
    ],
    entity: Annotated[
        list[str] | None, typer.Option(help="Only this legal entity; repeat. All by default.")
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="Account of the machine; NAME by default, '' for none.")
    ] = None,
    channel: Annotated[str, typer.Option(help="The sales channel a client speaks for.")] = "",
    reason: _Reason = "",
) -> None:
    """Make an operator, or give one other roles; between two admins it takes both."""
    from tillbridge.triage.approvals import Wish, carry_out
    from tillbridge.triage.operators import Grant, check
    from tillbridge.triage.rights import CLIENT

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        settings = hub.workspace.settings
        if account is None:
            account = "" if CLIENT in role else name
        grant = Grant(name, role, entity or [], account, channel)
        given = check(grant, set(settings.entities()), set(settings.channels()))
        change = {
            "name": given.name,
            "roles": given.roles,
            "entities": given.entities,
            "os_user": given.os_user,
        }
        if given.channel:
            change["channel"] = given.channel
        wish = Wish("operators.grant", given.name, change, reason)
        proposal = carry_out(connection, here.who, wish, hub.clock.now())
        connection.commit()
    told = f"{given.name} is {', '.join(given.roles)}"
    here.show(
        {**change, "proposal": proposal}, f"{told}: {proposed(proposal)}" if proposal else told
    )


@app.command("list")
def list_operators(context: typer.Context) -> None:
    """Everybody with roles, entities and number of live keys."""
    from tillbridge.triage.operators import operators

    here = terminal(context)
    with here.database() as connection:
        found = operators(connection)
    rows = [
        (
            o.name,
            ", ".join(o.roles),
            o.channel or ", ".join(o.entities) or "all",
            o.os_user,
            o.keys,
            "revoked" if o.revoked_at else "",
        )
        for o in found
    ]
    headers = ("operator", "roles", "entities or channel", "account", "keys", "")
    here.show({"operators": found}, table(headers, rows))


@app.command()
def revoke(context: typer.Context, name: str, reason: _Reason = "") -> None:
    """Take roles and keys from an operator, at once."""
    from tillbridge.triage.operators import revoke as take

    here = terminal(context)
    with here.database() as connection:
        take(connection, name, here.who.name, reason)
        connection.commit()
    here.show({"revoked": name}, f"{name} is no operator any more")


@keys_app.command()
def make(
    context: typer.Context,
    operator: Annotated[str, typer.Option(help="Whose; your own by default.")] = "",
    days: Annotated[int, typer.Option(help="How long it lasts, 366 at most.")] = 90,
    scope: Annotated[
        list[str] | None, typer.Option(help="What a client's key is good for; repeat.")
    ] = None,
    rate: Annotated[
        int, typer.Option(help="Requests per second of a client's key; 0 = the hub's own.")
    ] = 0,
) -> None:
    """Make a key; it is shown this once. One made for another never approves your changes, nor
    does one made with it.
    """
    from tillbridge.atoms.ids import SystemIds
    from tillbridge.triage.operators import KeyTerms, make_key
    from tillbridge.triage.rights import require

    here = terminal(context)
    with here.database() as connection:
        whose = operator or here.who.name
        if whose != here.who.name:
            require(here.who, "operators.manage")
        now = SystemClock().now()
        key = make_key(
            connection,
            whose,
            here.who.name,
            KeyTerms(days, tuple(scope or ()), rate),
            now=now,
            ids=SystemIds(),
            key=here.who.key,
        )
        connection.commit()
    here.show({"operator": whose, "key": key}, key)


@keys_app.command("list")
def list_keys(context: typer.Context) -> None:
    """Your keys, or everybody's for an admin; by prefix, never the keys."""
    from tillbridge.triage.operators import keys

    here = terminal(context)
    with here.database() as connection:
        found = keys(connection, "" if here.who.may("operators.manage") else here.who.name)
    rows = [
        (
            k.prefix,
            k.operator,
            k.made_by,
            f"{k.expires_at:%Y-%m-%d}",
            ", ".join(k.scopes),
            "revoked" * bool(k.revoked_at),
        )
        for k in found
    ]
    here.show({"keys": found}, table(("key", "operator", "made by", "until", "scopes", ""), rows))


@keys_app.command("revoke")
def revoke_key(context: typer.Context, prefix: str, reason: _Reason = "") -> None:
    """Make a key worthless from the next call on; PREFIX as `keys list` shows it."""
    from tillbridge.triage.operators import keys
    from tillbridge.triage.operators import revoke_key as take

    here = terminal(context)
    with here.database() as connection:
        mine = [key.prefix for key in keys(connection, here.who.name)]
        if prefix not in mine and not here.who.may("operators.manage"):
            fail(f"there is no live key {prefix!r}")
        whose = take(connection, prefix, here.who.name, reason)
        connection.commit()
    here.show({"operator": whose, "revoked": prefix}, f"key {prefix} of {whose} is revoked")
