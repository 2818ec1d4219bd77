"""What the schedules do about money and the worth of goods."""

from __future__ import annotations

from functools import partial

from tillbridge.app.hub import Hub
from tillbridge.app.settings import Workspace
from tillbridge.durable import schedules
from tillbridge.reconciliation.breakage import look_at_breakage
from tillbridge.reconciliation.cards import look_at_cards
from tillbridge.reconciliation.costs.goods import Place, Valuing
from tillbridge.reconciliation.costs.look import look_at_goods
from tillbridge.reconciliation.receivables.look import settle
from tillbridge.reconciliation.returns_reserve import look_at_reserves
from tillbridge.reconciliation.settlement.unsettled import look_at_unsettled

MONEY_RHYTHM = {
    "cards": 300,
    "settlement": 60,
    "unsettled": 3600,
    "costs": 60,
    "breakage": 86_400,
    "reserves": 86_400,
}
"""Seconds between two runs."""


def money_chores(hub: Hub) -> dict[str, schedules.Chore]:
    """What the schedules run, by name."""
    valuing = valuing_of(hub.workspace)
    return {
        "cards": partial(look_at_cards, hub.policies.sale),
        "breakage": partial(look_at_breakage, hub.policies.sale),
        "settlement": lambda one, now: settle(one, hub.accounts, now).words,
        "unsettled": partial(look_at_unsettled, hub.accounts),
        "reserves": partial(look_at_reserves, hub.policies.sale, _currencies(hub.workspace)),
        "costs": lambda one, now: look_at_goods(one, valuing, now).words,
    }


def _currencies(workspace: Workspace) -> dict[str, str]:
    return {one.code: one.currency for one in workspace.settings.entity}


def valuing_of(workspace: Workspace) -> Valuing:
    """Whose stock the hub values, as the workspace says."""
    settings = workspace.settings
    return Valuing(
        {one.code: one.currency for one in settings.entity if one.cost == "hub"},
        {one.code: Place(one.entity, one.timezone) for one in settings.location},
        {name: one.channel for name, one in settings.connection.items()},
    )
