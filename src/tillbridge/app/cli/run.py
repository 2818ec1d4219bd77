"""tillbridge init, up, api, worker, demo: making a workspace and running the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tillbridge.app.cli.terminal import fail, terminal


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(init)
    app.command()(up)
    app.command()(api)
    app.command()(worker)
    app.command()(demo)


def init(context: typer.Context, folder: Path) -> None:
    """Make a workspace with commented example files in a new or empty FOLDER."""
    from tillbridge.app.sealed_secrets import SealedSecrets
    from tillbridge.app.workspace import init as make
    from tillbridge.atoms.ids import SystemIds

    here = terminal(context)
    made = make(folder.resolve(), SystemIds())
    key = SealedSecrets(folder.resolve()).master_place()
    text = f"made {folder} with {', '.join(made)}\n"
    if key is not None:
        text += f"the master key of its secrets is {key}; keep a copy apart from the backups\n"
    text += f"next: tillbridge --workspace {folder} up"
    here.show({"folder": str(folder), "files": made, "master_key": str(key or "")}, text)


def up(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(help="Port; the workspace's by default.")] = None,
) -> None:
    """Run all roles in one process tree until stopped: intake, flow, delivery, schedules."""
    from tillbridge.app.up import run

    here = terminal(context)
    with here.hub() as hub:
        run(hub, roles=("api", "worker"), port=port, tell=here.tell, beside=True)


def api(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(help="Port; the workspace's by default.")] = None,
) -> None:
    """Run only the HTTP role: webhook intake, health, metrics."""
    from tillbridge.app.up import run

    here = terminal(context)
    with here.hub() as hub:
        run(hub, roles=("api",), port=port, tell=here.tell)


def worker(context: typer.Context) -> None:
    """Run only the worker role: flow, delivery, drop folders, polls, schedules."""
    from tillbridge.app.up import run

    here = terminal(context)
    with here.hub() as hub:
        run(hub, roles=("worker",), port=None, tell=here.tell)


def demo(
    context: typer.Context,
    erp: Annotated[
        str, typer.Option(help="tryton (real, set up beside the hub) or sandbox.")
    ] = "tryton",
    orders: Annotated[int, typer.Option(min=5, max=2000, help="Web orders of the day.")] = 20,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Keep the hub running afterwards.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Another day of trade.")] = 7,
    workspace: Annotated[
        Path | None, typer.Option(help="Folder of the demo; ./tillbridge-demo by default.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout instead of tables.")
    ] = False,
) -> None:
    """A day of trade of the example retailer, end to end, in a workspace of its own."""
    from tillbridge.app.demo import run
    from tillbridge.app.demo.place import FOLDER

    here = terminal(context)
    if erp not in ("tryton", "sandbox"):
        fail(f"--erp is tryton or sandbox, not {erp!r}", code=2)
    source = context.parent.get_parameter_source("workspace") if context.parent else None
    given = source is not None and source.name != "DEFAULT"
    folder = workspace or (here.folder if given else Path(FOLDER))
    code = run(folder, erp=erp, orders=orders, wait=wait, seed=seed, json=json or here.json)
    raise typer.Exit(code)
