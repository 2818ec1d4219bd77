"""What a person says that goods cost: a fact like that of any list, with who said it and why."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from tillbridge.app.settings import Workspace
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import lane_of
from tillbridge.atoms.money import MoneyError
from tillbridge.canonical.costs import ItemCosted, cost_key, unit_cost_of
from tillbridge.canonical.fact import Entities
from tillbridge.durable import audit, log
from tillbridge.durable.rooms import Connection, Record


def costed(
    workspace: Workspace,
    entity: str,
    product: str,
    cost: str,
    since: date,
    reason: str,
    at: datetime,
) -> ItemCosted:
    """The fact, checked; writes nothing. cost: major units of the entity's currency.

    Raises Refused.
    """
    found = workspace.settings.entities().get(entity)
    if found is None:
        raise Refused(f"the workspace has no entity {entity!r}")
    if not product:
        raise Refused("a cost is of a product")
    try:
        unit_cost = unit_cost_of(Decimal(cost), found.currency)
    except InvalidOperation:
        raise Refused(f"{cost!r} is no cost") from None
    except MoneyError as problem:
        raise Refused(str(problem)) from None
    key = cost_key(entity, product)
    return ItemCosted(
        key=key,
        id=f"{key}/hub/{since.isoformat()}@{at.isoformat()}",
        source="hub",
        mapping="hub/1",
        occurred_at=at,
        business_date=at.date(),
        entities=Entities(selling=entity),
        product=product,
        unit_cost=unit_cost,
        currency=found.currency,
        since=since,
        reason=reason,
    )


def tell(connection: Connection, fact: ItemCosted, actor: str) -> None:
    """Append the fact and note the act; the caller commits at once."""
    audit.record(
        connection,
        actor,
        "costs.set",
        fact.key,
        after=f"{fact.unit_cost} from {fact.since.isoformat()}",
        reason=fact.reason,
    )
    log.append(connection, [Record(fact.key, "ItemCosted", fact, lane_of(fact.key))])
