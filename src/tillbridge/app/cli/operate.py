"""tillbridge ingest, drain, bench: putting data in and working it off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tillbridge.app.cli.terminal import fail, terminal
from tillbridge.app.pending import Pending
from tillbridge.app.text_table import table
from tillbridge.durable import audit

BENCHES = ("intake", "flow", "verify", "reserve", "availability", "settle")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(ingest)
    app.command()(drain)
    app.command()(bench)


def ingest(
    context: typer.Context,
    paths: list[Path],
    connection_name: Annotated[str, typer.Option("--connection", help="Whose deliveries.")],
    topic: Annotated[str, typer.Option(help="Webhook topic of raw payload files.")] = "",
) -> None:
    """Take files, or raw payload JSON, in as if they were delivered; then translate and book."""
    from tillbridge.app.ingest import ingest as take

    here = terminal(context)
    with here.hub() as hub:
        settings = hub.workspace.settings.connection.get(connection_name)
        if settings is not None:
            here.who.within(settings.entity)
        with hub.connect() as connection:
            told = {"files": len(paths), "topic": topic}
            audit.record(connection, here.who.name, "data.ingest", connection_name, after=told)
            connection.commit()
        report = take(hub, connection_name, paths, topic)
    rows = list(msgspec.to_builtins(report).items())
    here.show(
        report,
        table(
            ("what", "count"),
            [(k, v) for k, v in rows if not isinstance(v, dict)]
            + [(f"case: {k}", v) for k, v in report.cases.items()],
        ),
    )


def drain(
    context: typer.Context,
    timeout: Annotated[float, typer.Option(help="Seconds at most.")] = 300.0,
) -> None:
    """Work until nothing is pending; records that need a decision become cases and are counted.

    Exit 1 when the time was up before.
    """
    from tillbridge.app.worker import drain as work
    from tillbridge.watch.status import status

    here = terminal(context)
    with here.hub(run_beside=True) as hub, _progress(quiet=here.json) as progress:
        left = work(hub, timeout, progress)
        with hub.connect() as connection:
            found = status(connection)
    data = {
        "pending": left,
        "drained": not left.moving,
        "cases": sum(found.open_cases.values()),
        "cases_by_reason": found.open_cases,
        "documents": found.documents,
        "entries": found.entries,
        "facts": found.facts,
    }
    rows = [(name, value) for name, value in msgspec.to_builtins(left).items()]
    if not left.for_window:
        rows = [row for row in rows if row[0] not in {"for_window", "opens"}]
    rows += [(f"open cases: {reason}", count) for reason, count in found.open_cases.items()]
    here.show(data, table(("left", "count"), rows))
    if left.moving:
        raise typer.Exit(1)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[Pending], None]]:
    """A line on stderr that says what is left."""
    from rich.console import Console
    from rich.status import Status

    with Status("working", console=Console(stderr=True, quiet=quiet)) as spinner:

        def show(left: Pending) -> None:
            spinner.update(
                f"{left.records} records, {left.documents} documents waiting, {left.held} held"
                + (f", {left.for_window} for a posting window" if left.for_window else "")
            )

        yield show


def bench(  # noqa: PLR0913, PLR0917 - one option each
    context: typer.Context,
    what: Annotated[str, typer.Argument(help=f"{', '.join(BENCHES)}.")],
    seconds: Annotated[float, typer.Option(help="Length of a timed part.")] = 10.0,
    orders: Annotated[int, typer.Option(help="Orders of the flow bench.")] = 20_000,
    connections: Annotated[int, typer.Option(help="Open connections of the HTTP benches.")] = 64,
    processes: Annotated[int, typer.Option(help="HTTP server processes.")] = 1,
    profile: Annotated[bool, typer.Option(help="Print the profile's top rows.")] = False,
    records: Annotated[int, typer.Option(help="Records of the verify bench.")] = 1_000_000,
    lines: Annotated[int, typer.Option(help="Lines of the settlement bench.")] = 1_000_000,
) -> None:
    """Measure, compared in the same run with another way to do the same writes."""
    from tillbridge.app.bench import availability, flow, intake, reserve, settle, verify
    from tillbridge.app.bench.scratch import scratch_database

    if what not in BENCHES:
        fail(f"there is no bench {what!r} ({', '.join(BENCHES)})", code=2)
    here = terminal(context)
    with scratch_database(here) as url:
        if what == "flow":
            found = flow.run(url, orders=orders, profile=profile, progress=here.tell)
        elif what == "verify":
            found = verify.run(url, records=records, progress=here.tell)
        elif what == "settle":
            found = settle.run(url, lines=lines, progress=here.tell)
        else:
            over_http = {"intake": intake, "reserve": reserve, "availability": availability}[what]
            found = over_http.run(
                url,
                seconds=seconds,
                connections=connections,
                processes=processes,
                progress=here.tell,
            )
    here.show(found, table(("what", "is"), [(k, v) for k, v in found.items()]))
