"""tillbridge ledger and rules: the money book."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tillbridge.app.cli import ledger_items, ledger_margin, ledger_tie, rules_diff
from tillbridge.app.cli.terminal import fail, proposed, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.money import to_text
from tillbridge.triage.approvals import Wish, carry_out

app = typer.Typer(no_args_is_help=True)
rules_app = typer.Typer(no_args_is_help=True)
_Entity = Annotated[str, typer.Option(help="Only this legal entity.")]


@app.command()
def balance(context: typer.Context, entity: _Entity = "") -> None:
    """The trial balance per legal entity."""
    from tillbridge.posting.money.report import trial_balance

    here = terminal(context)
    with here.database() as connection:
        found = [b for name in here.entities(entity) for b in trial_balance(connection, name)]
    rows = [(b.entity, b.account, _money(b.amount, b.currency), b.currency) for b in found]
    totals: dict[str, int] = {}
    for b in found:
        totals[b.entity] = totals.get(b.entity, 0) + b.amount
    rows += [(name, "sum", str(total), "") for name, total in sorted(totals.items())]
    data = {"balances": found, "sums": totals}
    here.show(data, table(("entity", "account", "balance", "currency"), rows))


@app.command()
def journal(
    context: typer.Context,
    entity: _Entity = "",
    key: Annotated[str, typer.Option(help="Only this order or sale.")] = "",
) -> None:
    """All entries with their lines."""
    from tillbridge.posting.money.report import journal as read

    here = terminal(context)
    with here.database() as connection:
        entries = [e for name in here.entities(entity) for e in read(connection, name, key=key)]
    lines: list[str] = []
    for entry in entries:
        lines.append(
            f"{entry.posted_date} {entry.entity} {entry.fact} ({entry.rule} {entry.rule_version})"
        )
        lines += [
            f"    {line.account:<44} {_money(line.amount, entry.currency):>14} {entry.currency}"
            for line in entry.lines
        ]
    here.show({"entries": entries}, "\n".join(lines))


@app.command()
def export(
    context: typer.Context,
    format_: Annotated[
        str, typer.Option("--format", help="beancount, hledger or csv.")
    ] = "beancount",
    entity: _Entity = "",
    out: Annotated[Path | None, typer.Option(help="File to write; stdout by default.")] = None,
) -> None:
    """The money book as a ledger for Beancount or hledger (one entity), or as CSV."""
    from tillbridge.posting.money.export import beancount, csv_rows, hledger

    here = terminal(context)
    ledgers = {"beancount": beancount, "hledger": hledger}
    if format_ not in (*ledgers, "csv"):
        fail(f"--format is beancount, hledger or csv, not {format_!r}", code=2)
    with here.hub() as hub, hub.connect() as connection:
        mine = here.entities(entity)
        chart = hub.book_in_force(connection).chart
        parts: list[str] = []
        if format_ == "csv":
            for name in mine:
                parts += list(csv_rows(connection, name))[1 if parts else 0 :]
        else:
            for name in mine if mine != [""] else hub.workspace.settings.entities():
                parts += [f"{line}\n" for line in ledgers[format_](connection, chart, name)]
                connection.rollback()
    text = "".join(parts)
    if out is not None:
        out.write_text(text, encoding="utf-8", newline="")
        here.show({"file": str(out), "bytes": len(text)}, f"written to {out}")
    elif here.json:
        here.show({"format": format_, "text": text}, "")
    else:
        sys.stdout.write(text)


@rules_app.command("test")
def test(context: typer.Context) -> None:
    """Prove the posting rules and run the examples beside them; exit 1 if one fails."""
    from tillbridge.app.settings import FILE
    from tillbridge.posting.money.book import load_book
    from tillbridge.posting.money.examples import run_examples, run_scenarios

    here = terminal(context)
    folder = here.folder / "rules" if (here.folder / FILE).exists() else None
    book = load_book(folder if folder is not None and folder.is_dir() else None)
    results = [*run_examples(book), *run_scenarios(book)]
    failed = [result for result in results if result.problems]
    lines = [f"{len(book.rules)} rules proven, {len(results)} examples run, {len(failed)} failed"]
    for result in failed:
        lines += [f"{result.place}: {problem}" for problem in result.problems]
    here.show({"rules": len(book.rules), "examples": results}, "\n".join(lines))
    if failed:
        raise typer.Exit(1)


@rules_app.command("list")
def list_rules(context: typer.Context) -> None:
    """The rules in force, with the file and line where each stands."""
    from tillbridge.posting.money.book import load_book

    here = terminal(context)
    folder = here.folder / "rules"
    book = load_book(folder if folder.is_dir() else None)
    rows = [(r.fact, r.purpose, r.entity, r.version, r.place) for r in book.rules]
    here.show(
        {"rules": [list(row) for row in rows]},
        table(("fact", "purpose", "entity", "from", "place"), rows),
    )


@rules_app.command()
def activate(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why; the second person reads it.")] = "",
) -> None:
    """Put the rules of the workspace's files in force, with a second person where one is asked."""
    from tillbridge.posting.money import activation

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        files = hub.rule_files()
        activation.book_of(files)
        wanted = activation.hash_of(files)
        before = activation.first(connection, files)
        proposal = None
        if before.hash != wanted:
            change = {"hash": wanted.hex(), "files": files}
            wish = Wish("rules.activate", wanted.hex()[:16], change, reason)
            proposal = carry_out(connection, here.who, wish, hub.clock.now())
        connection.commit()
    told = f"rules {wanted.hex()[:16]} are in force; start the hub again to post by them"
    if proposal:
        told = f"rules {wanted.hex()[:16]}: {proposed(proposal)}"
    here.show({"rules": wanted.hex(), "proposal": proposal}, told)


app.command("margin")(ledger_margin.margin)
app.command("open")(ledger_items.open_)
app.command("reserve")(ledger_items.reserve)
app.command("write-off")(ledger_items.write_off)
app.command("tie")(ledger_tie.tie)
app.command("behind")(ledger_tie.behind)
rules_app.command("diff")(rules_diff.diff)


def _money(amount: int, currency: str) -> str:
    return to_text(amount, currency)
