"""The verbs and what they share. Each verb loads what it needs when it is called."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tillbridge.app.cli import (
    approvals,
    audit,
    cards,
    cases,
    close,
    costs,
    db,
    goods,
    invoices,
    ledger,
    observe,
    operate,
    operators,
    orders,
    partners,
    pausing,
    people,
    periods,
    policies,
    purchases,
    reconcile,
    run,
    secrets,
    stock,
    stores,
    sweep,
    taxes,
    tills,
    transfers,
    xref,
)
from tillbridge.app.cli.terminal import Terminal, log_to_stderr
from tillbridge.atoms.errors import Refused

app = typer.Typer(
    name="tillbridge",
    help="The open retail integration hub: every sale in once, booked, delivered, explained.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
run.register(app)
operate.register(app)
observe.register(app)
stores.register(app)
close.register(app)
sweep.register(app)
pausing.register(app)
app.add_typer(cases.app, name="cases", help="Exceptions: list, show, replay, plans, resolve.")
app.add_typer(xref.app, name="xref", help="Cross-references: import, list, set, propose.")
app.add_typer(
    ledger.app,
    name="ledger",
    help="The money book: balance, journal, export, tie, behind, margin, open, write-off, reserve.",
)
app.add_typer(ledger.rules_app, name="rules", help="Posting rules: test, list, diff, activate.")
app.add_typer(periods.app, name="periods", help="Months: list, soft-close, admit, lock, unlock.")
app.add_typer(
    stock.app,
    name="stock",
    help="The stock book: show, available, compare, adjust, move, rules, replenish.",
)
app.add_typer(
    purchases.app, name="purchases", help="Goods bought: list, show, order, receive, close."
)
app.add_typer(
    transfers.app, name="transfers", help="Goods between places: list, show, order, cancel."
)
app.add_typer(orders.app, name="orders", help="Goods of orders: pick-failed, source.")
app.add_typer(cards.app, name="cards", help="Gift cards and store credit: show, tie, breakage.")
app.add_typer(costs.app, name="costs", help="What goods cost and are worth: set, show, value.")
app.add_typer(invoices.app, name="invoices", help="Invoices and credit notes: list, show.")
app.add_typer(partners.app, name="partners", help="Concessions and franchise stores: statement.")
app.add_typer(policies.app, name="policies", help="Terms of sale: show.")
app.add_typer(reconcile.app, name="reconcile", help="Settlement: status, show, accept, run.")
app.add_typer(taxes.app, name="taxes", help="Tax documents: list.")
app.add_typer(taxes.returns_app, name="returns", help="Returns: tax-failed.")
app.add_typer(goods.app, name="items", help="The item master: import, show.")
app.add_typer(secrets.app, name="secrets", help="Secrets: set, list, import, rotate-key.")
app.add_typer(operators.app, name="operators", help="Who works here: add, list, revoke.")
app.add_typer(operators.keys_app, name="keys", help="Keys of operators: make, list, revoke.")
app.add_typer(
    approvals.app, name="approvals", help="Two persons: list, show, approve, reject, policy."
)
app.add_typer(tills.app, name="tills", help="Tills: close-report.")
app.add_typer(people.app, name="people", help="A person: find, export, erase, hold, release.")
app.add_typer(audit.app, name="audit", help="What people did: list, digest, verify, export.")
app.add_typer(
    db.app,
    name="db",
    help="The database: start, stop, status, psql, backup, restore, checkpoint, replay-log.",
)


@app.callback()
def options(
    context: typer.Context,
    workspace: Annotated[
        Path,
        typer.Option(envvar="TILLBRIDGE_WORKSPACE", help="Folder with tillbridge.toml."),
    ] = Path(),
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout instead of tables.")
    ] = False,
) -> None:
    """The open retail integration hub: every sale in once, booked, delivered, explained."""
    log_to_stderr()
    context.obj = Terminal(folder=workspace.resolve(), json=json)


def _readable(words: list[str]) -> None:
    """Raises Refused for an argument that is no text: nothing in the hub could be called so."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            shown = word.encode("utf-8", "backslashreplace").decode()
            raise Refused(f"the argument {shown} is not UTF-8") from None


def main() -> None:
    """Entry point: no bare traceback reaches a person."""
    from tillbridge.app.cli.problems import words_of

    try:
        _readable(sys.argv[1:])
        app()
    except KeyboardInterrupt:
        sys.stderr.write("tillbridge: stopped\n")
        raise SystemExit(1) from None
    except Exception as problem:
        words = words_of(problem)
        if words is None:
            raise
        sys.stderr.write(f"tillbridge: {words}\n")
        raise SystemExit(1) from None
