"""One look at all settlements: movements out of the log, lines matched, payouts and bank lines tied
out, what is new told to the books, what is wrong told to finance.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.registry import Body, name_of
from tillbridge.durable import log
from tillbridge.durable.rooms import Connection, Record
from tillbridge.reconciliation.settlement.bank import match_bank, tell_bank
from tillbridge.reconciliation.settlement.cases import tell_cases
from tillbridge.reconciliation.settlement.disputes import untold_disputes
from tillbridge.reconciliation.settlement.movements import read_movements
from tillbridge.reconciliation.settlement.payouts import work_out
from tillbridge.reconciliation.settlement.rules import Account


class Looked(msgspec.Struct):
    """What a look came to."""

    movements: int = 0
    payouts: int = 0
    booked: int = 0
    at_bank: int = 0
    on_account: int = 0
    disputes: int = 0
    cases: int = 0

    @property
    def words(self) -> str:
        """For the schedule."""
        return (
            f"{self.movements} movements read, {self.payouts} payouts worked out, {self.booked}"
            f" told to the books, {self.at_bank} bank lines matched, {self.on_account} payments on"
            f" account, {self.disputes} disputes found, {self.cases} cases opened"
        )


def look_at_settlements(
    connection: Connection, accounts: Sequence[Account], now: datetime
) -> Looked:
    """Work out what is due; the caller commits at once, for the log was appended to. Done again
    without news it changes nothing.
    """
    looked = Looked()
    facts: list[Body] = []
    if not accounts:
        return looked
    looked.movements = read_movements(connection)
    for account in accounts:
        looked.at_bank += match_bank(connection, account)
    looked.cases += tell_bank(connection, accounts, now)
    for account in accounts:
        worked = work_out(connection, account, now)
        facts += worked.facts
        looked.payouts += len(worked.payouts)
        looked.booked += len(worked.facts)
        looked.cases += tell_cases(connection, account, worked.payouts, now)
        disputes = untold_disputes(connection, account, now)
        facts += disputes
        looked.disputes += len(disputes)
    if facts:
        records = [Record(f.key, name_of(f), f, lane_of(f.key)) for f in facts]
        log.append(connection, records)
    return looked
