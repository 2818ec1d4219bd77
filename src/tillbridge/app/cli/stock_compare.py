"""tillbridge stock compare: the stock book against what ERPs and channels tell of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.terminal import fail, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.quantity import to_text

if TYPE_CHECKING:
    from tillbridge.reconciliation.stock.comparison import Compared

NAMED = 10


def compare(
    context: typer.Context,
    source: Annotated[str, typer.Option("--connection", help="Only this connection.")] = "",
    last: Annotated[
        bool, typer.Option("--last", help="Show the newest comparisons, ask nobody.")
    ] = False,
) -> None:
    """Compare stock with ERPs and channels; every difference is explained or a case."""
    from tillbridge.app.stock_comparisons import comparisons
    from tillbridge.reconciliation.stock import report

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        there = comparisons(hub)
        if source and source not in there:
            known = ", ".join(there) or "none"
            fail(f"connection {source!r} names no locations in compare_stock (these do: {known})")
        names = [source] if source else list(there)
        for name in names:
            here.who.within(hub.workspace.settings.connection[name].entity)
        if not last:
            for name in names:
                there[name].run(connection)
        found = [one for one in report.last(connection, source) if one.connection in names]
    here.show({"comparisons": found}, _page(found))


def _page(found: Sequence[Compared]) -> str:
    headers = ("connection", "location", "basis", "as of (UTC)", "products", "explained", "differ")
    rows = [
        (
            one.connection,
            one.location,
            one.basis,
            f"{one.as_of:%Y-%m-%d %H:%M}",
            one.products,
            len(one.differences) - one.differing,
            one.differing,
        )
        for one in found
    ]
    lines = [table(headers, rows)]
    for one in found:
        for difference in one.differences:
            ours, theirs = to_text(difference.ours), to_text(difference.theirs)
            head = f"{difference.product} at {one.location}: {ours} here, {theirs} at"
            rest = f"{to_text(difference.rest)} unexplained" if difference.rest else "explained"
            lines += ["", f"{head} {one.connection}; {rest}"]
            shown = difference.named[-NAMED:]
            lines += [f"  {to_text(m.quantity)}  {m.at:%Y-%m-%d %H:%M}  {m.what}" for m in shown]
            if len(difference.named) > NAMED:
                lines.append(f"  and {len(difference.named) - NAMED} before")
    return "\n".join(lines)
