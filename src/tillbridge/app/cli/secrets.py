"""tillbridge secrets: set, list, seal plain ones, replace the keys. No verb ever shows a value."""

from __future__ import annotations

import getpass
import sys

import typer

from tillbridge.app.cli.terminal import Terminal, fail, terminal
from tillbridge.app.text_table import table

app = typer.Typer(no_args_is_help=True)


@app.command("set")
def set_secret(context: typer.Context, name: str) -> None:
    """Seal a value under NAME; it is asked for, or read from standard input."""
    from tillbridge.app.sealed_secrets import SealedSecrets
    from tillbridge.atoms.clock import SystemClock
    from tillbridge.atoms.ids import SystemIds

    here = terminal(context)
    here.allow()
    folder = here.workspace().folder
    if sys.stdin.isatty():
        value = getpass.getpass(f"{name}: ")
        if value != getpass.getpass("again: "):
            fail("the two differ; nothing was changed")
    else:
        value = sys.stdin.read().rstrip("\r\n")
    version = SealedSecrets(folder).set(name, value, SystemIds(), SystemClock().now())
    _record(here, "secrets.set", name, {"version": version})
    text = f'secret {name}, version {version}; name it as {{ file = "secrets/{name}" }}'
    here.show({"name": name, "version": version}, text)


@app.command("list")
def list_secrets(context: typer.Context) -> None:
    """Names, versions and dates, never values."""
    from tillbridge.app.sealed_secrets import SealedSecrets

    here = terminal(context)
    here.allow()
    found = SealedSecrets(here.workspace().folder).notes()
    rows = [
        (n.name, n.version, n.key, n.set_at.strftime("%Y-%m-%d %H:%M") if n.set_at else "plain")
        for n in found
    ]
    here.show({"secrets": found}, table(("secret", "version", "key", "set at"), rows))


@app.command("import")
def import_plain(context: typer.Context) -> None:
    """Seal the plain files of `secrets/` where they stand."""
    from tillbridge.app.sealed_secrets import SealedSecrets
    from tillbridge.atoms.clock import SystemClock
    from tillbridge.atoms.ids import SystemIds

    here = terminal(context)
    here.allow()
    done = SealedSecrets(here.workspace().folder).import_plain(SystemIds(), SystemClock().now())
    if done:
        _record(here, "secrets.import", "", {"names": done})
    here.show({"sealed": done}, f"{len(done)} sealed{': ' if done else ''}{', '.join(done)}")


@app.command("rotate-key")
def rotate_key(context: typer.Context) -> None:
    """Seal everything under a new data key and a new master key; the old ones open nothing."""
    from tillbridge.app.sealed_secrets import SealedSecrets
    from tillbridge.atoms.clock import SystemClock
    from tillbridge.atoms.ids import SystemIds

    here = terminal(context)
    here.allow()
    sealed = SealedSecrets(here.workspace().folder)
    done = sealed.rotate(SystemIds(), SystemClock().now())
    _record(here, "secrets.rotate_key", "", {"secrets": done})
    place = sealed.master_place()
    where = f"the master key is {place}" if place else "the master key is the environment's first"
    here.show({"secrets": done, "master_key": str(place or "")}, f"{done} sealed anew; {where}")


def _record(here: Terminal, action: str, subject: str, after: object) -> None:
    """Tell the audit. The change stands in files, so it is recorded right after it was made."""
    from tillbridge.durable import audit

    with here.database() as connection:
        audit.record(connection, here.who.name, action, subject, after=after)
        connection.commit()
