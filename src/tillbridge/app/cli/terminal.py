"""What every verb shares: workspace and output options, a database for the command's own life,
and errors that reach a person as words (exit 1: a check found a lie or the command failed; 2:
usage).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from tillbridge.app.hub import Hub
from tillbridge.app.settings import Workspace, load_workspace
from tillbridge.atoms.clock import SystemClock
from tillbridge.durable.rooms import Connection
from tillbridge.triage.rights import EVERYTHING, Reach, Who

MOST = 2**63 - 1
"""The largest number of a row, a limit or an amount that the database holds."""
RowNumber = Annotated[int, typer.Argument(min=1, max=MOST)]


class Terminal(msgspec.Struct):
    """Options that stand before the verb, the verb itself, and who uses it once a hub is open."""

    folder: Path = Path()
    json: bool = False
    verb: str = ""
    operator: Who | None = None
    reach: Reach = EVERYTHING

    @property
    def who(self) -> Who:
        """The operator of this call, known from the first look into the database on."""
        if self.operator is None:
            raise RuntimeError("nobody looked into the database yet")
        return self.operator

    def workspace(self) -> Workspace:
        """The workspace; raises SettingsRefused."""
        return load_workspace(self.folder)

    @contextmanager
    def hub(self, *, run_beside: bool = False) -> Iterator[Hub]:
        """The hub over the workspace's database, migrated; both only for this command's life
        unless they run anyway. Raises Refused when the operator may not use the verb.
        """
        from tillbridge.app.beside import services_beside
        from tillbridge.app.cli.identity import allowed, identify
        from tillbridge.app.reach import reach
        from tillbridge.durable.migrate import migrate
        from tillbridge.durable.postgres import database
        from tillbridge.durable.session import connect

        workspace = self.workspace()
        with database(workspace.folder) as url:
            with connect(url) as connection:
                migrate(connection)
                self.operator = identify(connection, workspace.folder, SystemClock().now())
                allowed(self.operator, self.verb)
                self.reach = reach(self.operator, workspace.settings)
            with (
                services_beside(workspace, url, run=run_beside, tell=self.tell) as overrides,
                Hub(workspace, url, overrides=overrides) as hub,
            ):
                yield hub

    def allow(self) -> None:
        """Raises Refused when the operator may not use the verb; for what stands in files."""
        with self.hub():
            pass

    @contextmanager
    def database(self) -> Iterator[Connection]:
        """A connection to the workspace's database."""
        with self.hub() as hub, hub.connect() as connection:
            yield connection

    def entities(self, asked: str = "") -> list[str]:
        """Entities to report on: the one asked for, else those in reach; [""] stands for all.

        Raises Refused for one out of reach.
        """
        if asked:
            return [self.who.within(asked)]
        return list(self.who.entities) or [""]

    def show(self, data: Any, text: str) -> None:
        """One JSON object on stdout with --json, else the text; cards by their last four."""
        from tillbridge.app.card_masks import told_json, told_text

        told = msgspec.json.encode(data)
        if self.json:
            sys.stdout.write(told_json(told).decode() + "\n")
        else:
            sys.stdout.write(told_text(text, told).rstrip("\n") + "\n")
        sys.stdout.flush()

    def tell(self, words: str) -> None:
        """A line for the person, on stderr, never part of the result."""
        sys.stderr.write(words + "\n")
        sys.stderr.flush()


def log_to_stderr() -> None:
    """The hub's own log lines never mix with a command's result."""
    from tillbridge.app.logs import log_to

    log_to(sys.stderr)


def terminal(context: typer.Context) -> Terminal:
    """The options given before the verb."""
    found = context.obj if isinstance(context.obj, Terminal) else Terminal()
    words: list[str] = []
    step: Any = context
    while step is not None and step.parent is not None:
        words.insert(0, step.info_name or "")
        step = step.parent
    found.verb = " ".join(words)
    return found


def fail(words: str, code: int = 1) -> NoReturn:
    """Stop with words on stderr."""
    sys.stderr.write(f"tillbridge: {words}\n")
    raise typer.Exit(code)


def proposed(number: int | None) -> str:
    """What to tell somebody whose change waits for a second person."""
    return f"waits for a second person as proposal {number} (tillbridge approvals show {number})"
