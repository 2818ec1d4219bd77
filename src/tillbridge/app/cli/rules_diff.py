"""tillbridge rules diff: what the rules of the files would have booked otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.terminal import MOST, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms import csv_cells
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.money import to_text

if TYPE_CHECKING:
    from tillbridge.durable.rooms import Connection
    from tillbridge.posting.money.book import RuleBook
    from tillbridge.posting.money.differences import FactDifference, Tally

HEADS = ("day", "fact", "entity", "account", "item", "currency", "booked", "would be", "why")


def diff(
    context: typer.Context,
    since: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="First business day to look at.")
    ],
    limit: Annotated[int, typer.Option(min=0, max=MOST, help="Facts shown; all are summed.")] = 50,
    proposal: Annotated[
        int, typer.Option(min=0, max=MOST, help="The rules of this proposal, not the files'.")
    ] = 0,
    out: Annotated[Path | None, typer.Option(help="CSV file for every line that differs.")] = None,
) -> None:
    """What the rules of the workspace's files, or of a proposal, would have booked otherwise.

    Nothing is written.
    """
    from tillbridge.posting.money import activation
    from tillbridge.posting.money.differences import Tally, differences

    here = terminal(context)
    tally = Tally()
    shown: list[FactDifference] = []
    with ExitStack() as stack:
        hub = stack.enter_context(here.hub())
        connection = stack.enter_context(hub.connect())
        changed = proposed_book(connection, proposal) if proposal else hub.book
        found = activation.in_force(connection)
        in_force = found.book() if found else changed
        file = stack.enter_context(out.open("w", encoding="utf-8", newline="")) if out else None
        if file is not None:
            file.write(csv_cells.row(HEADS))
        for one in differences(
            connection, in_force, changed, hub.money_policy, since.date(), tally
        ):
            mine = [line.entity for line in one.lines if here.who.sees(line.entity)]
            if mine and len(shown) < limit:
                shown.append(one)
            if mine and file is not None:
                file.writelines(csv_cells.row(row) for row in _rows([one], here.who.sees))
    sums = [
        (entity, account, currency, to_text(booked, currency), to_text(would_be, currency))
        for (entity, account, currency), (booked, would_be) in sorted(tally.sums.items())
        if here.who.sees(entity)
    ]
    told = {"facts": tally.facts, "differing": tally.differing, "undecided": tally.undecided}
    heads = ("entity", "account", "currency", "booked", "would_be")
    totals = [dict(zip(heads, row, strict=True)) for row in sums]
    page = _page(tally, _rows(shown, here.who.sees), sums)
    here.show({**told, "sums": totals, "differences": shown}, page)


def proposed_book(connection: Connection, number: int) -> RuleBook:
    """The rules that wait for a second person; raises Refused when the proposal is of none."""
    from tillbridge.posting.money import activation
    from tillbridge.triage.approvals import approval

    found = approval(connection, number)
    if found.action != "rules.activate":
        raise Refused(f"proposal {number} is of {found.action}, not of posting rules")
    return activation.book_of(found.change["files"])


def _rows(
    found: Iterable[FactDifference], sees: Callable[[str], bool]
) -> Iterator[tuple[str, ...]]:
    for one in found:
        why = one.decision or ("taken back by a void" if one.taken_back else "")
        for line in one.lines:
            if sees(line.entity):
                yield (
                    one.business_date.isoformat(),
                    one.fact,
                    line.entity,
                    line.account,
                    line.item,
                    line.currency,
                    to_text(line.booked, line.currency),
                    to_text(line.would_be, line.currency),
                    why,
                )


def _page(tally: Tally, rows: Iterable[tuple[str, ...]], sums: Sequence[tuple[str, ...]]) -> str:
    lines = [f"{tally.facts} facts looked at, {tally.differing} would be booked otherwise"]
    if tally.undecided:
        lines[0] += f", {tally.undecided} were told with two contents and are left out"
    if tally.differing:
        lines += [table(HEADS, list(rows)), "", "in sum"]
        lines.append(table(("entity", "account", "currency", "booked", "would be"), sums))
    return "\n".join(lines)
