"""The changes that need a second person, each with the right it takes and how it is applied.

A change is plain JSON that says the whole of it, so that what is approved is what is applied.
`state` is what it was proposed upon: when that is something else on approval, the proposal is void.
The database asks for the approval on its own (migration 0021); this table only carries it out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.returns import RefundApproved, ReturnAuthorized
from tillbridge.durable import log
from tillbridge.durable.rooms import Connection, Record
from tillbridge.mapping import names
from tillbridge.posting.money import activation, periods
from tillbridge.posting.stock import activation as availability
from tillbridge.reconciliation import write_offs
from tillbridge.reconciliation.blocking import Scope
from tillbridge.reconciliation.close.closing import close_month
from tillbridge.reconciliation.replenishment import activation as replenishment
from tillbridge.reconciliation.settlement import residuals
from tillbridge.triage import cases, operators, plans, policy

Change = Mapping[str, Any]


class Hand(msgspec.Struct, frozen=True):
    """Whose change it is, why, and when it is applied."""

    by: str
    reason: str
    now: datetime


class Kind(msgspec.Struct, frozen=True):
    """One kind of change. right: the action (triage.rights) author and approver both need. state:
    None where a change is as good whatever it meets.
    """

    right: str
    state: Callable[[Connection, Change], Any] | None
    apply: Callable[[Connection, Change, Hand], None]

    def ground(self, connection: Connection, change: Change) -> Any:
        """What the change would be made upon now, as JSON gives it back."""
        return None if self.state is None else msgspec.to_builtins(self.state(connection, change))


def _rows(change: Change) -> list[names.NameRow]:
    return msgspec.convert(change["names"], list[names.NameRow])


def _names_now(connection: Connection, change: Change) -> Any:
    return msgspec.to_builtins(names.current(connection, _rows(change)))


def _set_names(connection: Connection, change: Change, hand: Hand) -> None:
    names.set_names(connection, _rows(change), hand.by, hand.reason)


def _period_now(connection: Connection, change: Change) -> Any:
    return periods.state_of(connection, change["entity"], change["period"])


def _unlock(connection: Connection, change: Change, hand: Hand) -> None:
    entity, period = change["entity"], change["period"]
    periods.set_period(
        connection, entity, period, "open", at=hand.now, by=hand.by, reason=hand.reason
    )


def _lock(connection: Connection, change: Change, hand: Hand) -> None:
    """The close list has to be empty still: a case may have come since it was proposed."""
    left_out = change["left_out"]
    scope = Scope(
        entity=change["entity"],
        period=change["period"],
        now=hand.now,
        connections=tuple(left_out["connections"]),
        locations=tuple(left_out["locations"]),
        own=tuple(left_out.get("own", ())),
    )
    close_month(connection, scope, "locked", hand.by, hand.reason)


def _rights_now(connection: Connection, change: Change) -> Any:
    return operators.state_of(connection, change["name"])


def _grant(connection: Connection, change: Change, hand: Hand) -> None:
    grant = msgspec.convert(change, operators.Grant)
    operators.put(connection, grant, hand.by, hand.reason)


def _rules_now(connection: Connection, _: Change) -> Any:
    found = activation.in_force(connection)
    return found.hash.hex() if found else ""


def _activate(connection: Connection, change: Change, hand: Hand) -> None:
    activation.activate(connection, change["files"], hand.by, hand.reason)


def _availability_now(connection: Connection, _: Change) -> Any:
    found = availability.in_force(connection)
    return found.hash.hex() if found else ""


def _activate_availability(connection: Connection, change: Change, hand: Hand) -> None:
    availability.activate(connection, change["text"], hand.by, hand.reason)


def _replenishment_now(connection: Connection, _: Change) -> Any:
    found = replenishment.in_force(connection)
    return found.hash.hex() if found else ""


def _activate_replenishment(connection: Connection, change: Change, hand: Hand) -> None:
    replenishment.activate(connection, change["text"], hand.by, hand.reason)


def _case_now(connection: Connection, change: Change) -> Any:
    one = cases.show(connection, change["case"]).case
    return [one.state, one.amount, one.currency]


def _give_up(connection: Connection, change: Change, hand: Hand) -> None:
    cases.resolve(connection, change["case"], hand.by, change["note"])


def _replay(connection: Connection, change: Change, hand: Hand) -> None:
    wanted = msgspec.convert(change["wanted"], plans.Wanted)
    chosen = plans.match(connection, plans.Wanted(numbers=tuple(change["cases"])))
    plans.make(connection, wanted, chosen, hand.by, hand.reason)


def _authorize(connection: Connection, change: Change, _: Hand) -> None:
    fact = msgspec.convert(change["fact"], ReturnAuthorized)
    log.append(connection, [Record(fact.key, "ReturnAuthorized", fact, lane_of(fact.key))])


def _payout_now(connection: Connection, change: Change) -> Any:
    return residuals.standing(connection, change["payout"])


def _accept(connection: Connection, change: Change, hand: Hand) -> None:
    residuals.accept(connection, change, hand.by, hand.reason, hand.now)


def _write_off(connection: Connection, change: Change, hand: Hand) -> None:
    write_offs.write_off(connection, change, hand.by, hand.reason, hand.now)


def _approve_refund(connection: Connection, change: Change, _: Hand) -> None:
    fact = msgspec.convert(change["fact"], RefundApproved)
    log.append(connection, [Record(fact.key, "RefundApproved", fact, lane_of(fact.key))])


def _policy_now(connection: Connection, _: Change) -> Any:
    return msgspec.to_builtins(policy.read(connection))


def _set_policy(connection: Connection, change: Change, hand: Hand) -> None:
    wanted = msgspec.convert(change, policy.SecondPerson)
    policy.write(connection, wanted, hand.by, hand.reason)


KINDS: Mapping[str, Kind] = {
    "names.change": Kind("names.set", _names_now, _set_names),
    "periods.lock": Kind("periods.close", _period_now, _lock),
    "periods.unlock": Kind("periods.close", _period_now, _unlock),
    "operators.grant": Kind("operators.manage", _rights_now, _grant),
    "rules.activate": Kind("rules.activate", _rules_now, _activate),
    "stock.rules": Kind("stock.rules", _availability_now, _activate_availability),
    "stock.replenishment": Kind("stock.rules", _replenishment_now, _activate_replenishment),
    "cases.give_up": Kind("cases.decide", _case_now, _give_up),
    "cases.replay": Kind("cases.decide", None, _replay),
    "settlement.accept": Kind("settlement.decide", _payout_now, _accept),
    "items.write_off": Kind("items.write_off", write_offs.standing, _write_off),
    "returns.authorize": Kind("returns.decide", None, _authorize),
    "refunds.approve": Kind("returns.decide", None, _approve_refund),
    "approvals.policy": Kind("approvals.policy", _policy_now, _set_policy),
}
