"""tillbridge cases: what a person has to decide or mend."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from tillbridge.app.cli import replays
from tillbridge.app.cli.terminal import MOST, RowNumber, proposed, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.clock import SystemClock
from tillbridge.triage.approvals import Wish, carry_out
from tillbridge.triage.cases import Case
from tillbridge.triage.reach import SCANNED, cases_within, only_within

app = typer.Typer(no_args_is_help=True)
replays.register(app)


@app.command("list")
def list_cases(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="open, resolved or all.")] = "open",
    owner: Annotated[str, typer.Option(help="Only this owner's.")] = "",
    reason: Annotated[str, typer.Option(help="Only of this reason.")] = "",
    limit: Annotated[int, typer.Option(min=0, max=MOST, help="At most so many.")] = 1000,
) -> None:
    """Open cases, each with its owner and the command that mends it."""
    from tillbridge.triage import cases

    here = terminal(context)
    wanted = "" if state == "all" else state
    with here.database() as connection:
        most = limit if here.reach.everything else SCANNED
        found = cases.list_cases(connection, state=wanted, owner=owner, reason=reason, limit=most)
        mine = cases_within(connection, [c.id for c in found], here.reach)
        found = [c for c in found if c.id in mine][:limit]
        counts = cases.counts(connection) if here.reach.everything else []
    rows = [(c.id, c.reason, c.owner, c.parked, c.words) for c in found]
    text = table(("case", "reason", "owner", "parked", "what"), rows)
    text += _mends(found)
    here.show({"cases": found, "counts": counts}, text)


def _mends(found: list[Case]) -> str:
    """The commands that mend the cases, each once with the cases it mends."""
    by_remedy: dict[str, list[int]] = {}
    for case in found:
        if case.remedy:
            by_remedy.setdefault(case.remedy, []).append(case.id)
    if not by_remedy:
        return ""
    lines = []
    for remedy, numbers in by_remedy.items():
        more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
        lines.append(f"  {', '.join(map(str, numbers[:5]))}{more}: {remedy}")
    return "\n\nmended by\n" + "\n".join(lines)


@app.command()
def show(context: typer.Context, case: RowNumber) -> None:
    """One case with its evidence: details, the raw body, the parked records."""
    from tillbridge.triage import cases

    here = terminal(context)
    with here.database() as connection:
        only_within(connection, [case], here.reach)
        view = cases.show(connection, case)
    if view.raw and not here.who.may("look.raw"):
        view = msgspec.structs.replace(view, raw="")
    one = view.case
    lines = [
        f"case {one.id}: {one.reason} ({one.state}), owner {one.owner}",
        one.words,
        f"key {one.key}, room {one.room}, {one.parked} records parked, told {one.copies} times",
    ]
    if one.remedy:
        lines += ["", f"mended by: {one.remedy}"]
    if view.details:
        lines += ["", "details", *[f"  {k}: {v}" for k, v in view.details.items()]]
    if view.raw:
        lines += ["", "as it came", view.raw]
    here.show(view, "\n".join(lines))


@app.command()
def resolve(
    context: typer.Context,
    case: RowNumber,
    note: Annotated[str, typer.Option(help="Why, for the record; no names of buyers.")] = "",
) -> None:
    """Close a case by hand; what it held back is given up."""
    from tillbridge.triage import cases

    here = terminal(context)
    with here.database() as connection:
        only_within(connection, [case], here.reach)
        amount = cases.show(connection, case).case.amount
        wish = Wish(
            "cases.give_up", f"case {case}", {"case": case, "note": note}, note, size=amount
        )
        proposal = carry_out(connection, here.who, wish, SystemClock().now())
        connection.commit()
        view = cases.show(connection, case)
    done = view.resolution or proposed(proposal)
    here.show({"case": case, "done": done, "proposal": proposal}, f"case {case}: {done}")
