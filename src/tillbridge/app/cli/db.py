"""tillbridge db: the database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from tillbridge.app.cli.terminal import terminal
from tillbridge.app.text_table import table
from tillbridge.durable import audit

app = typer.Typer(no_args_is_help=True)


@app.command()
def start(context: typer.Context) -> None:
    """Start the database and leave it running until `db stop`."""
    from tillbridge.durable import postgres

    here = terminal(context)
    status_now = postgres.start(here.workspace().folder)
    here.show(_told(status_now), f"running on port {status_now.port} ({status_now.version})")


@app.command()
def stop(context: typer.Context) -> None:
    """Stop the database; commands that still use it keep it up until they end."""
    from tillbridge.durable import postgres

    here = terminal(context)
    stopped = postgres.stop(here.workspace().folder)
    here.show({"stopped": stopped}, "stopped" if stopped else "it was not running")


@app.command()
def status(context: typer.Context) -> None:
    """What runs where."""
    from tillbridge.durable import postgres

    here = terminal(context)
    found = _told(postgres.status(here.workspace().folder))
    here.show(found, table(("what", "is"), [(k, v) for k, v in found.items() if v != ""]))


@app.command(context_settings={"ignore_unknown_options": True})
def psql(
    context: typer.Context, arguments: Annotated[list[str] | None, typer.Argument()] = None
) -> None:
    """A psql shell on the workspace's database (arguments go to psql)."""
    from tillbridge.durable.postgres.shell import psql as shell

    here = terminal(context)
    with here.database() as connection:
        audit.record(connection, here.who.name, "database.shell", "psql")
        connection.commit()
        code = shell(here.workspace().folder, arguments or [])
    raise typer.Exit(code)


@app.command()
def backup(context: typer.Context, target: Path) -> None:
    """A physical backup (pg_basebackup with its WAL) into a new folder."""
    from tillbridge.durable.postgres.archive import backup as save

    here = terminal(context)
    with here.database() as connection:
        audit.record(connection, here.who.name, "database.backup", target.name)
        connection.commit()
    saved = save(here.workspace().folder, target)
    here.show(_told(saved), f"saved to {target}")


@app.command()
def restore(
    context: typer.Context,
    source: Path,
    force: Annotated[bool, typer.Option(help="Replace what is there.")] = False,
) -> None:
    """Restore a backup; leased and sent work becomes unknown and is looked up first."""
    from tillbridge.app.machine_account import account
    from tillbridge.durable.migrate import migrate
    from tillbridge.durable.postgres import database
    from tillbridge.durable.postgres.archive import restore as load
    from tillbridge.durable.session import connect

    here = terminal(context)
    folder = here.workspace().folder
    restored = load(folder, source, force=force)
    with database(folder) as url, connect(url) as connection:
        migrate(connection)
        who = f"account:{account(os.getuid())}"  # what was restored may not know this operator
        audit.record(connection, who, "database.restore", source.name)
        connection.commit()
    here.show(_told(restored), f"restored from {source}")


@app.command()
def checkpoint(
    context: typer.Context,
    keep: Annotated[int, typer.Option(min=1, help="How many to keep; older ones go.")] = 3,
) -> None:
    """Keep a copy of the state at this place of the log, for a replay to start from."""
    from tillbridge.app.replay.checkpoint import take

    here = terminal(context)
    with here.hub() as hub:
        taken = take(hub, keep)
        with hub.connect() as connection:
            audit.record(connection, here.who.name, "database.checkpoint", taken.folder)
            connection.commit()
    words = f"record {taken.position}, {taken.bytes:,} bytes in checkpoints/{taken.folder}"
    here.show(taken, f"{words}, state {taken.state_hash}")


@app.command("replay-log")
def replay_log(
    context: typer.Context,
    into: Annotated[
        str, typer.Option(help="Address of an empty database to replay into; it is kept.")
    ] = "",
    from_checkpoint: Annotated[
        bool, typer.Option(help="Only from the newest checkpoint on.")
    ] = False,
) -> None:
    """Replay the whole log into an empty database; exit 1 when the state is another one."""
    from tillbridge.app.replay import findings, whole_log

    here = terminal(context)
    with here.hub() as hub:
        found = whole_log.replay_log(
            hub, into=into, from_checkpoint=from_checkpoint, tell=here.tell
        )
    here.show(found, findings.page(found))
    if not found.ok:
        raise typer.Exit(1)


def _told(found: Any) -> dict[str, Any]:
    values = {name: getattr(found, name) for name in found.__dataclass_fields__}
    return {k: str(v) if isinstance(v, Path) else v for k, v in values.items() if v is not None}
