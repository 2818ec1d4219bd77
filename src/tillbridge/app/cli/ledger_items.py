"""tillbridge ledger open, write-off and reserve: what stayed open, what is expected back."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

import msgspec
import typer

from tillbridge.app.cli.terminal import fail, proposed, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.money import MoneyError, to_minor, to_text

_Entity = Annotated[str, typer.Argument(help="Legal entity.")]
_Account = Annotated[str, typer.Argument(help="customer-deposits or customer-accounts.")]


def open_(
    context: typer.Context,
    entity: _Entity,
    account: _Account,
    most: Annotated[str, typer.Option(help="Only items of at most so much.")] = "5.00",
) -> None:
    """Small open items of an account, the oldest first."""
    from tillbridge.reconciliation.write_offs import small

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        here.who.within(entity)
        currency = hub.money_policy.functional_of(entity)
        try:
            limit = to_minor(Decimal(most), currency)
        except (InvalidOperation, MoneyError) as problem:
            fail(f"{most!r} is no amount of {currency}: {problem}", code=2)
        found = small(connection, entity, account, limit)
    rows = [
        (one.item, one.since.isoformat(), to_text(one.amount, one.currency), one.currency)
        for one in found
    ]
    here.show({"items": found}, table(("item", "since", "open", ""), rows))


def write_off(
    context: typer.Context,
    entity: _Entity,
    account: _Account,
    item: Annotated[str, typer.Argument(help="The open item, such as order/web/1001.")],
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
) -> None:
    """Give up what is open of an item, all of it. A second person approves it."""
    from tillbridge.reconciliation.write_offs import open_item, within_policy
    from tillbridge.triage.approvals import Wish, carry_out

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        here.who.within(entity)
        now = hub.agreed_clock.now()
        one = open_item(connection, entity, account, item)
        within_policy(hub.policies.sale, one, now.date())
        change = {
            "entity": entity,
            "account": account,
            "item": item,
            "amount": one.amount,
            "currency": one.currency,
        }
        wish = Wish("items.write_off", item, change, reason, entity, abs(one.amount))
        proposal = carry_out(connection, here.who, wish, now)
        connection.commit()
    told = f"{to_text(one.amount, one.currency)} {one.currency} of {item}: "
    told += proposed(proposal) if proposal else "written off"
    here.show({**msgspec.to_builtins(one), "proposal": proposal}, told)


def reserve(
    context: typer.Context,
    entity: _Entity,
    month: Annotated[str, typer.Argument(help="Month, 2026-03.")],
) -> None:
    """Work out what of a month's sales is expected back; the schedule does so for last month."""
    from tillbridge.durable import audit
    from tillbridge.reconciliation.returns_reserve import reserve as work_out

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        here.who.within(entity)
        currency = hub.money_policy.functional_of(entity)
        now = hub.agreed_clock.now()
        facts = work_out(connection, hub.policies.sale, entity, currency, month, now)
        if facts:
            told = sum(row.refund for fact in facts for row in fact.rows)
            subject = f"{entity} {month}"
            audit.record(connection, here.who.name, "returns.reserve", subject, after=told)
        connection.commit()
        with hub.connect(worker=True) as working:
            hub.runner(working).drain()
    rows = [
        (
            fact.period,
            fact.channel,
            row.department,
            to_text(row.refund, currency),
            to_text(row.cost, currency),
            f"{row.rate_ppm / 10_000:g} %",
        )
        for fact in facts
        for row in fact.rows
    ]
    page = table(("month", "channel", "department", "refunds", "cost", "rate"), rows)
    here.show({"told": [msgspec.to_builtins(fact) for fact in facts]}, page if rows else "no news")
