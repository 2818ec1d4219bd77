"""What of the shared tables an operator of some legal entities sees: keys and cases.

A key that no rule can give to an entity is seen by those without a limit only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tillbridge.atoms.errors import Refused
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.triage.rights import Reach

SCANNED = 100_000
"""Cases looked through for an operator of some entities."""
QUERIES = load("tillbridge.triage", "reach.sql", "mine", "cases")


def keys_within(connection: Connection, keys: Iterable[str], reach: Reach) -> set[str]:
    """Those keys that belong to the reach."""
    wanted = set(keys)
    if reach.everything:
        return wanted
    values = {**reach.values(), "keys": sorted(wanted)}
    return {key for (key,) in connection.execute(QUERIES.mine, values).fetchall()}


def cases_within(connection: Connection, numbers: Sequence[int], reach: Reach) -> set[int]:
    """Those cases that belong to the reach."""
    if reach.everything:
        return set(numbers)
    rows = connection.execute(QUERIES.cases, {"cases": list(numbers)}).fetchall()
    keys = keys_within(connection, (key for _, key, _ in rows), reach)
    return {
        number
        for number, key, entity in rows
        if (entity in reach.entities if entity else key in keys)
    }


def only_within(connection: Connection, numbers: Sequence[int], reach: Reach) -> None:
    """Raises Refused for a case outside of the reach, in the words for one that is not there."""
    missing = sorted(set(numbers) - cases_within(connection, numbers, reach))
    if missing and not reach.everything:
        raise Refused(f"there is no case {missing[0]}")


def unknown(text: str) -> str:
    """The words for what is not there, or not within reach."""
    return (
        f"nothing is known of {text!r} (an order number, a receipt, a number of the ERP, a line of "
        "a payout or a bank, an entry or a key)"
    )


def key_within(connection: Connection, key: str, reach: Reach) -> None:
    """Raises Refused for a key outside of the reach, in the words for one that is not there."""
    if not keys_within(connection, [key], reach):
        raise Refused(unknown(key))
