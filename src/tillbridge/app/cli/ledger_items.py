"""tillbridge ledger open and write-off: small amounts that stayed open, and giving them up."""

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
