"""tillbridge taxes: what tax services were asked and what they said; returns that they failed."""

from __future__ import annotations

from typing import Annotated

import typer

from tillbridge.app.cli.terminal import MOST, terminal
from tillbridge.app.text_table import table

app = typer.Typer(no_args_is_help=True)
returns_app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_taxes(
    context: typer.Context,
    state: Annotated[
        str,
        typer.Option(
            help="asked, calculated, committed, voided, refused, open (asked or refused)."
        ),
    ] = "",
    returns: Annotated[bool, typer.Option("--returns", help="Only returns.")] = False,
    limit: Annotated[int, typer.Option(min=0, max=MOST, help="At most so many.")] = 1000,
) -> None:
    """Tax documents by order, with the state each has at its tax service."""
    from tillbridge.watch import tax_documents

    here = terminal(context)
    wanted = tax_documents.OPEN if state == "open" else state
    with here.database() as connection:
        found = tax_documents.papers(
            connection, state=wanted, returns=returns, entities=here.who.entities, limit=limit
        )
    rows = [
        (one.number, one.subject, one.direction, one.state, one.service, one.value, one.key)
        for one in found
    ]
    heads = ("order", "what", "direction", "state", "service", "on", "document")
    here.show({"taxes": found}, table(heads, rows))


@returns_app.command("tax-failed")
def tax_failed(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=0, max=MOST, help="At most so many.")] = 1000,
) -> None:
    """Returns that failed tax recalculation, each with its case and what mends it."""
    from tillbridge.watch import tax_documents

    here = terminal(context)
    with here.database() as connection:
        found = tax_documents.papers(
            connection,
            state=tax_documents.FAILED,
            returns=True,
            entities=here.who.entities,
            limit=limit,
        )
    rows = [(o.number, o.subject, o.value, o.service, o.since, o.case, o.words) for o in found]
    text = table(("order", "return", "on", "service", "since", "case", "why"), rows)
    cases = [one.case for one in found if one.case is not None]
    text += "".join(f"\ntillbridge cases replay {case}" for case in cases)
    here.show({"returns": found}, text if found else "none: every return has its tax")
