"""An entry as the rules make it: balanced, of one entity, explaining one fact. Pure."""

from __future__ import annotations

import msgspec


class EntryLine(msgspec.Struct, frozen=True, gc=False):
    """One line of an entry. amount: functional minor units, debit positive.

    txn_amount, txn_currency: the same in the fact's own currency.
    """

    account: str
    amount: int
    txn_amount: int
    txn_currency: str
    item: str = ""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A balanced entry of one entity in its functional currency; explains exactly one fact.

    rule, rule_version, rule_hash: what made it; joined by " + " when several purposes did.
    """

    entity: str
    currency: str
    lines: tuple[EntryLine, ...]
    rule: str
    rule_version: str
    rule_hash: bytes
