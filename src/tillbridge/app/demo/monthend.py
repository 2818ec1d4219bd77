"""The demo's month end: provider and bank are heard, what blocks the close is listed with its
owners, each owner does what the list says, and the list is empty.

Through the doors everybody has: files in drop folders, and the functions behind the verbs that are
named. Nothing is locked: a person may go on with the month.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from datetime import date, timedelta

import msgspec

from tillbridge.app.closing import look_again, scope_of
from tillbridge.app.demo.trade import drop_settlement, drop_whole_log, lost_sale, waiting_files
from tillbridge.app.hub import Hub
from tillbridge.app.machine_account import account
from tillbridge.app.tie_outs import every_tie_out
from tillbridge.app.worker import chores
from tillbridge.atoms.ids import key_of
from tillbridge.atoms.money import to_text
from tillbridge.connectors.sandbox.payout_files import PayoutFiles, payout_files
from tillbridge.connectors.sandbox.retailer import DayOfTrade
from tillbridge.durable.rooms import Connection
from tillbridge.mapping.names import NameRow, set_names
from tillbridge.publishing.journals import summarise
from tillbridge.reconciliation.blocking import Blocker
from tillbridge.reconciliation.close.checks import blockers
from tillbridge.reconciliation.settlement import report, residuals
from tillbridge.reconciliation.tie_outs import TieOut
from tillbridge.reconciliation.tills.closing import TillClose, closes
from tillbridge.triage import operators
from tillbridge.triage.approvals import Wish, approve, carry_out
from tillbridge.triage.rights import Who

DAY_OF_MONTH = 13
SECOND = operators.Grant("pat", ["accountant"])
LOOKS = ("tills", "cards", "settlement")
KIND = "adjustment"
REASON = "the provider says it took 0.40 less"
Counted = Callable[[], tuple[int, int]]


class Step(msgspec.Struct, frozen=True):
    """What somebody did: whose work it was, who, and the verb or (verb = False) the deed."""

    owner: str
    by: str
    did: str
    verb: bool = True


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The month at one instant. close_lists: by entity. tie_outs: as in `reconcile status`."""

    payout: report.PayoutView
    tie_outs: list[TieOut]
    close_lists: dict[str, list[Blocker]]


class MonthEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The month end before and after people worked. tills: the counts of all stores that day."""

    period: str
    files: tuple[str, ...]
    difference: int
    before: View
    steps: list[Step]
    after: View
    tills: list[TillClose]


def trading_day(today: date) -> date:
    """A day of the month before, so that its month is over and its books can be closed."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=DAY_OF_MONTH)


class Closing:
    """Plays the month end. until: waits for a count, and shows it."""

    def __init__(
        self,
        hub: Hub,
        connection: Connection,
        day: DayOfTrade,
        until: Callable[[str, Counted], None],
        settled: Callable[[], None],
    ) -> None:
        """settled: waits until the flow has carried everything and the ERP has answered."""
        self._hub = hub
        self._connection = connection
        self._day = day
        self._until = until
        self._settled = settled
        self._period = f"{day.day:%Y-%m}"
        self._files: PayoutFiles = payout_files(day.stories, day.day)
        self._payout = key_of("payout", "shop-pay", self._files.payout)

    def play(self) -> MonthEnd:
        """Everything in its order."""
        dropped = drop_settlement(self._hub.workspace.folder, self._files)
        self._taken("files of provider and bank taken in", len(dropped))
        self._look()
        before = self._view()
        off, _ = residuals.difference(self._connection, self._payout, [])
        self._connection.rollback()
        steps = [self._name_the_product(), self._send_the_log_again()]
        self._look()
        steps += self._accept_the_difference()
        self._look()
        return MonthEnd(
            period=self._period,
            files=dropped,
            difference=off,
            before=before,
            steps=steps,
            after=self._view(),
            tills=self._tills(),
        )

    # -- what the hub does by itself ------------------------------------------------------------

    def _taken(self, name: str, files: int) -> None:
        folder = self._hub.workspace.folder
        self._until(name, lambda: (files - waiting_files(folder), files))

    def _look(self) -> None:
        """What the worker's schedules do every few minutes, now; and what follows from it."""
        self._settled()
        todo = chores(self._hub)
        for name in LOOKS:
            todo[name](self._connection, self._hub.clock.now())
            self._connection.commit()
            self._settled()
        summarise(
            self._connection, self._hub.destinations_known(self._connection), self._hub.clock.now()
        )
        self._connection.commit()
        self._settled()

    # -- what people do -------------------------------------------------------------------------

    def _name_the_product(self) -> Step:
        late = self._day.late
        row = NameRow(late.connection, late.table, late.theirs, late.ours)
        me = self._me().name
        set_names(self._connection, [row], me)
        self._connection.commit()
        words = (row.connection, row.table, row.theirs, row.ours)
        return Step("ecommerce", me, f"xref set {' '.join(shlex.quote(word) for word in words)}")

    def _send_the_log_again(self) -> Step:
        store, number = lost_sale(self._day)
        name = drop_whole_log(self._hub.workspace.folder, self._day)
        self._taken("the whole log taken in", 1)
        return Step(
            "stores", store, f"sent its log again, whole, with sale {number}: {name}", False
        )

    def _accept_the_difference(self) -> list[Step]:
        """One proposes what the difference is, another approves it."""
        me, now = self._me(), self._hub.clock.now()
        off, lines = residuals.difference(self._connection, self._payout, [])
        entity, currency = residuals.entity_of(self._connection, self._payout)
        change = {
            "payout": self._payout,
            "kind": KIND,
            "amount": off,
            "tender": "",
            "lines": lines,
        }
        wish = Wish("settlement.accept", self._payout, change, REASON, entity, abs(off))
        proposal = carry_out(self._connection, me, wish, now)
        self._connection.commit()
        told = f'reconcile accept {self._payout} --as {KIND} --reason "{REASON}"'
        found = [Step("finance", me.name, f"{told}   # {to_text(off, currency)} {currency}")]
        if proposal is not None:
            operators.put(self._connection, SECOND, me.name, "the second person of the demo")
            second = Who(SECOND.name, tuple(SECOND.roles))
            approve(self._connection, second, proposal, now)
            self._connection.commit()
            found.append(Step("finance", second.name, f"approvals approve {proposal}"))
        return found

    def _me(self) -> Who:
        """Whoever plays the demo owns its folder, and is its first admin."""
        name = account(os.getuid())
        who = operators.of_account(self._connection, name, name)
        self._connection.commit()
        return who

    # -- what is to be seen ---------------------------------------------------------------------

    def _view(self) -> View:
        connection, now = self._connection, self._hub.clock.now()
        look_again(self._hub, connection, now)
        entities = self._hub.workspace.settings.entities()
        seen = View(
            payout=report.payout(connection, self._payout),
            tie_outs=every_tie_out(self._hub, connection, self._hub.accounts, ()),
            close_lists={
                code: blockers(connection, scope_of(self._hub, code, self._period, now))
                for code in entities
            },
        )
        connection.rollback()
        return seen

    def _tills(self) -> list[TillClose]:
        days = [(store.location, self._day.day) for store in self._day.stores]
        kind_of = self._hub.policies.kind_of
        found = closes(self._connection, days, self._hub.expected, kind_of)
        self._connection.rollback()
        return found
