"""tillbridge ledger tie and behind: the ERP's ledger against ours, and back to the sales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.periods import month_of
from tillbridge.app.cli.terminal import fail, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.money import to_text

if TYPE_CHECKING:
    from tillbridge.reconciliation.ledger.tie import TieOut


def tie(
    context: typer.Context,
    entity: Annotated[str, typer.Argument(help="Legal entity.")],
    month: Annotated[str, typer.Argument(help="Month, 2026-03.")],
) -> None:
    """Our ledger against the ERP's, account by account; exit 1 when anything differs."""
    from tillbridge.app.ledger_ties import tie_month

    here = terminal(context)
    with here.hub(run_beside=True) as hub, hub.connect() as connection:
        month_of(hub, here.who, entity, month)
        found = tie_month(hub, connection, entity, month)
    here.show(found, _page(month, found))
    if not found.agrees:
        raise typer.Exit(1)


def _page(month: str, found: TieOut) -> str:
    currency = found.currency
    rows = [
        (
            one.account,
            to_text(one.hub, currency),
            to_text(one.erp, currency),
            to_text(one.difference, currency) if one.difference else "",
            to_text(one.alone, currency) if one.alone else "",
        )
        for one in found.accounts
    ]
    heads = ("account", "hub", "erp", "difference", "in the hub alone")
    lines = [f"{found.entity} {month}, {currency}", table(heads, rows)]
    if found.loose:
        loose = [
            (one.where, one.operation, one.key, to_text(one.amount, currency), one.why)
            for one in found.loose
        ]
        lines += ["", table(("only in", "document", "of", "amount", "why"), loose)]
    elif found.agrees:
        lines.append("every account agrees, and every document is in both")
    return "\n".join(lines)


def behind(
    context: typer.Context,
    number: Annotated[
        str, typer.Argument(help="What the ERP calls the document or move, or our operation.")
    ],
) -> None:
    """The sales behind a line of the ERP's ledger: facts, orders and accounts."""
    from tillbridge.reconciliation.ledger.tie import QUERIES

    here = terminal(context)
    with here.database() as connection:
        rows = connection.execute(QUERIES.behind, {"asked": number}).fetchall()
    rows = [row for row in rows if row[8] is None or here.who.sees(row[8])]
    if not rows:
        fail(f"nothing is known of {number!r} in the ERP")
    operation, kind, state, called = rows[0][:4]
    lines = [
        (str(day), key, fact, account, item, to_text(amount, currency), currency)
        for *_, fact, key, day, _, currency, account, amount, item in rows
        if account is not None
    ]
    heads = ("day", "of", "fact", "account", "item", "amount", "currency")
    told = {"operation": operation, "kind": kind, "state": state, "number": called}
    shown = [dict(zip(heads, line, strict=True)) for line in lines]
    page = f"{kind} {called or operation} ({operation}) is {state}\n{table(heads, lines)}"
    here.show({**told, "lines": shown}, page)
