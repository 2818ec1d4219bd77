"""tillbridge partners: what is due to those whose goods we sell, and to those who sell ours."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from tillbridge.app.cli.terminal import terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.money import to_text

app = typer.Typer(no_args_is_help=True)


@app.callback()
def partners() -> None:
    """Partners: concessions in our stores, franchise stores that sell ours."""


@app.command()
def statement(
    context: typer.Context,
    partner: Annotated[str, typer.Argument(help="The partner's code in rules/policies.toml.")],
    period: Annotated[str, typer.Argument(help="The month, such as 2026-03.")],
    entity: Annotated[str, typer.Option(help="In whose books.")],
) -> None:
    """A month of a partner: what he was due before, what was sold and kept, what he is due now."""
    from tillbridge.watch import partners as books

    here = terminal(context)
    with here.database() as connection:
        here.who.within(entity)
        found = books.statement(connection, partner, entity, period)
    accounts = [
        (
            one.account,
            *(to_text(sum_, found.currency) for sum_ in (one.opening, one.moved, one.closing)),
        )
        for one in found.balances
    ]
    rows = [
        (row.day, row.account, to_text(row.amount, found.currency), row.entries)
        for row in found.rows
    ]
    page = "\n\n".join(
        (
            f"{partner} at {entity}, {period}, {found.currency}; what we owe is negative",
            table(("account", "before", "moved", "after"), accounts),
            table(("day", "against", "amount", "entries"), rows),
        )
    )
    here.show({**msgspec.to_builtins(found), "difference": found.difference}, page)
