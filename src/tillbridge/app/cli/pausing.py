"""tillbridge pause, resume: keep the hub from starting anything with a connection, or one kind."""

from __future__ import annotations

from typing import Annotated

import typer

from tillbridge.app.cli.terminal import fail, terminal
from tillbridge.app.settings_tables import Settings

WHAT = "CONNECTION, or CONNECTION/KIND of document (or reread)."


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(pause)
    app.command()(resume)


def pause(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help=WHAT)],
    reason: Annotated[str, typer.Option(help="Why; shown to everybody.")] = "",
) -> None:
    """Start nothing with a connection (no calls, no files), or no document of one kind."""
    from tillbridge.durable import pauses

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        name, kind = _named(what, hub.workspace.settings)
        now = hub.agreed_clock.now()
        new = pauses.pause(connection, name, kind, here.who.name, reason.strip()[:500], now)
        connection.commit()
    words = f"{what} is paused" if new else f"{what} was paused already"
    here.show({"what": what, "paused": True, "changed": new}, words)


def resume(context: typer.Context, what: Annotated[str, typer.Argument(help=WHAT)]) -> None:
    """Go on with a paused connection or kind of document."""
    from tillbridge.durable import pauses

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        name, _, kind = what.partition("/")  # even when the settings no longer have it
        changed = pauses.resume(
            connection, name, kind, by=here.who.name, now=hub.agreed_clock.now()
        )
        connection.commit()
    if not changed:
        fail(f"{what} is not paused")
    here.show({"what": what, "paused": False, "changed": True}, f"{what} goes on")


def _named(what: str, settings: Settings) -> tuple[str, str]:
    """Connection and kind of document of what a person wrote."""
    from tillbridge.durable.pauses import KINDS

    name, slash, kind = what.partition("/")
    if name not in settings.connection:
        known = ", ".join(settings.connection)
        fail(f"the workspace has no connection {name!r} (there are {known})", code=2)
    if slash and kind not in KINDS:
        fail(f"there is no kind of document {kind!r} (there are {', '.join(KINDS)})", code=2)
    return name, kind
