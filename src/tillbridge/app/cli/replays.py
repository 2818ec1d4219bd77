"""tillbridge cases replay, plans, plan, cancel: trying again what cases hold back."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from tillbridge.app.cli.terminal import MOST, RowNumber, fail, proposed, terminal
from tillbridge.app.text_table import table

if TYPE_CHECKING:
    from tillbridge.app.hub import Hub
    from tillbridge.durable.rooms import Connection
    from tillbridge.triage.plans import Plan, Wanted
    from tillbridge.triage.rights import Reach, Who


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(replay)
    app.command("plans")(list_plans)
    app.command("plan")(show_plan)
    app.command()(cancel)


def replay(  # noqa: PLR0913, PLR0917 - one per option
    context: typer.Context,
    numbers: Annotated[
        list[int] | None, typer.Argument(min=1, max=MOST, help="Case numbers.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Only of this reason.")] = "",
    owner: Annotated[str, typer.Option(help="Only this owner's.")] = "",
    connection_name: Annotated[
        str, typer.Option("--connection", help="Only of this connection or destination.")
    ] = "",
    key: Annotated[str, typer.Option(help="Only keys that begin so (order/web/).")] = "",
    since: Annotated[datetime | None, typer.Option(help="Only opened since (UTC).")] = None,
    all_open: Annotated[bool, typer.Option("--all", help="All open cases.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    why: Annotated[
        str, typer.Option("--note", help="Why, for the second person that many cases take.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
) -> None:
    """Show what trying cases again would do, ask, then do it as a plan (see `cases plans`)."""
    from tillbridge.app.replay.preview import preview
    from tillbridge.app.replay.preview_page import page, plain
    from tillbridge.triage import plans

    here = terminal(context)
    if not (numbers or reason or owner or connection_name or key or since or all_open):
        fail("name cases, --reason, --owner, --connection, --key, --since or --all", code=2)
    wanted = plans.Wanted(
        numbers=tuple(numbers or ()),
        reason=reason,
        owner=owner,
        connection=connection_name,
        key=key,
        since=None if since is None else since.replace(tzinfo=UTC),
    )
    with here.hub() as hub:
        with hub.connect() as connection:
            chosen = _within_reach(connection, wanted, here.reach)
        if not chosen:
            here.show({"matched": 0, "plan": None}, "no open case that holds anything back matches")
            return
        found = preview(hub, chosen)
        if dry_run:
            here.show({**plain(found), "plan": None}, page(found))
            return
        if not yes:
            here.tell(page(found))
            _ask(len(chosen))
        made, words = _begin(hub, here.who, wanted, chosen, why)
    text = f"{page(found)}\n\n{words}" if yes else words
    here.show({**plain(found), "plan": made}, text)


def _within_reach(connection: Connection, wanted: Wanted, reach: Reach) -> list[int]:
    """The cases meant; raises Refused for a number out of the operator's reach."""
    from tillbridge.triage.plans import match
    from tillbridge.triage.reach import cases_within, only_within

    only_within(connection, wanted.numbers, reach)
    chosen = match(connection, wanted)
    mine = cases_within(connection, chosen, reach)
    return [number for number in chosen if number in mine]


def _begin(
    hub: Hub, who: Who, wanted: Wanted, chosen: list[int], why: str
) -> tuple[Plan | None, str]:
    """Make the plan and its first cases ready, or propose it: the plan, and what to say."""
    from tillbridge.triage import plans
    from tillbridge.triage.approvals import Wish, carry_out

    change = {"cases": chosen, "wanted": msgspec.to_builtins(wanted)}
    wish = Wish("cases.replay", f"{len(chosen)} cases", change, why, size=len(chosen))
    now = hub.clock.now()
    with hub.connect() as connection:
        proposal = carry_out(connection, who, wish, now)
        connection.commit()
        if proposal is not None:
            return None, proposed(proposal)
        plans.advance(connection, now)
        connection.commit()
        made = next(plan for plan in plans.plans(connection) if plan.made_by == who.name)
    return made, (
        f"plan {made.id}: {made.matched} cases, {made.ready} are tried now"
        " (a worker carries them, or `tillbridge drain`)"
    )


def _ask(cases: int) -> None:
    """Go on only when a person says so."""
    if not sys.stdin.isatty():
        fail(
            "nothing was done; to do it, run the same with --yes (to only look, --dry-run)", code=2
        )
    if not typer.confirm(f"try {cases} cases again?", err=True):
        fail("nothing was done")


def list_plans(context: typer.Context) -> None:
    """The newest plans and how far they are."""
    from tillbridge.triage import plans

    here = terminal(context)
    with here.database() as connection:
        found = plans.plans(connection)
    rows = [(p.id, p.state, p.matched, p.done, p.failed, p.ready, p.waiting) for p in found]
    headers = ("plan", "state", "cases", "done", "failed", "ready", "waiting")
    here.show({"plans": found}, table(headers, rows))


def show_plan(context: typer.Context, number: RowNumber) -> None:
    """One plan: who made it, how far it is, and which cases still need somebody."""
    from tillbridge.triage import plans
    from tillbridge.triage.reach import cases_within

    here = terminal(context)
    with here.database() as connection:
        plan = plans.plan(connection, number)
        failed = plans.failed(connection, number)
        mine = cases_within(connection, [one.case for one in failed], here.reach)
        failed = [one for one in failed if one.case in mine]
    text = _told(plan)
    if failed:
        rows = [(one.case, one.state, one.words) for one in failed]
        text += "\n\nstill need somebody\n" + table(("case", "state", "what"), rows)
    here.show({"plan": plan, "failed": failed}, text)


def cancel(context: typer.Context, plan: RowNumber) -> None:
    """Stop a plan: what is not being tried yet stays parked."""
    from tillbridge.triage import plans
    from tillbridge.triage.reach import only_within

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        only_within(connection, plans.members(connection, plan), here.reach)
        stopped = plans.cancel(connection, plan, here.who.name, hub.clock.now())
        connection.commit()
    here.show(stopped, _told(stopped))


def _told(plan: Plan) -> str:
    counts = f"{plan.done} done, {plan.failed} failed again, {plan.ready} being tried"
    return (
        f"plan {plan.id} ({plan.state}) by {plan.made_by}: {plan.matched} cases\n"
        f"{counts}, {plan.waiting} waiting, {plan.left} left\n"
        f"chosen by {plan.wanted}"
    )
