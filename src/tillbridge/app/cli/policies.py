"""tillbridge policies: what buyers are promised, and which line says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillbridge.app.cli.terminal import fail, terminal
from tillbridge.app.text_table import table
from tillbridge.orchestration.terms import PARTS, SHARES

if TYPE_CHECKING:
    from tillbridge.app.order_terms import Term

app = typer.Typer(no_args_is_help=True)


@app.callback()
def policies() -> None:
    """Terms of sale: windows, refund order, limits."""


@app.command()
def show(
    context: typer.Context,
    order: Annotated[str, typer.Argument(help="Its number or key; none: all policies.")] = "",
) -> None:
    """The workspace's policies, or what counts for one order and which line says so."""
    from tillbridge.app.channel_policies import terms_of
    from tillbridge.app.order_terms import terms_told
    from tillbridge.triage.reach import key_within
    from tillbridge.watch.story import find

    here = terminal(context)
    with here.hub() as hub:
        if not order:
            written = terms_of(hub.workspace).policies
            rows = [(one.place, one.since, _whom(one), _says(one.says)) for one in written]
            page = table(("policy", "from", "for", "says"), rows) if rows else "none is written"
            here.show({"policies": written}, page)
            return
        with hub.connect() as connection:
            key = find(connection, order)
            key_within(connection, key, here.reach)
            told = terms_told(connection, hub.workspace, key)
    if not told:
        fail(f"{key} is no order that was told")
    here.show({"key": key, "terms": told}, terms_page(told))


def terms_page(told: list[Term]) -> str:
    """The terms of an order as a table."""
    rows = [
        (one.name, _value(one.name, one.value), one.place or "the program's own") for one in told
    ]
    return table(("term", "is", "says"), rows)


def _whom(policy: Any) -> str:
    named = [
        f"{name} {', '.join(getattr(policy, name))}"
        for name in ("channel", "entity", "country", "brand")
        if getattr(policy, name)
    ]
    return "; ".join(named) or "all"


def _says(says: Any) -> str:
    return ", ".join(f"{name} {_value(name, value)}" for name, value in says.items())


def _value(name: str, value: Any) -> str:
    if name in SHARES and value is not None:
        if isinstance(value, dict):
            return ", ".join(f"{part} {_percent(rate)}" for part, rate in value.items())
        return _percent(value)
    if isinstance(value, tuple | list):
        return ", ".join(value)
    if isinstance(value, dict):
        from tillbridge.atoms.money import to_text

        return ", ".join(f"{to_text(amount, money)} {money}" for money, amount in value.items())
    return "never" if value is None else str(value)


def _percent(parts: int) -> str:
    return f"{100 * parts / PARTS:g} %"
