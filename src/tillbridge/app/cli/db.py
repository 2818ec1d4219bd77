"""tillbridge db: the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tillbridge.app.cli.terminal import terminal
from tillbridge.app.text_table import table

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

    raise typer.Exit(shell(terminal(context).workspace().folder, arguments or []))


@app.command()
def backup(context: typer.Context, target: Path) -> None:
    """A physical backup (pg_basebackup with its WAL) into a new folder."""
    from tillbridge.durable.postgres.archive import backup as save

    here = terminal(context)
    saved = save(here.workspace().folder, target)
    here.show(_told(saved), f"saved to {target}")


@app.command()
def restore(
    context: typer.Context,
    source: Path,
    force: Annotated[bool, typer.Option(help="Replace what is there.")] = False,
) -> None:
    """Restore a backup; leased and sent work becomes unknown and is looked up first."""
    from tillbridge.durable.postgres.archive import restore as load

    here = terminal(context)
    restored = load(here.workspace().folder, source, force=force)
    here.show(_told(restored), f"restored from {source}")


@app.command("replay-log")
def replay_log(
    context: typer.Context,
    into: Annotated[
        str, typer.Option(help="Address of an empty database to replay into; it is kept.")
    ] = "",
) -> None:
    """Replay the whole log into an empty database; exit 1 when the state is another one."""
    from tillbridge.app.replay import findings, whole_log

    here = terminal(context)
    with here.hub() as hub:
        found = whole_log.replay_log(hub, into=into, tell=here.tell)
    here.show(found, findings.page(found))
    if not found.ok:
        raise typer.Exit(1)


def _told(found: Any) -> dict[str, Any]:
    values = {name: getattr(found, name) for name in found.__dataclass_fields__}
    return {k: str(v) if isinstance(v, Path) else v for k, v in values.items() if v is not None}
