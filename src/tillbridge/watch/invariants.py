"""The invariants: what never happens, as queries whose rows are the lies.

They stand in the `invariants*.sql` files beside this module, one block each:

    -- name: every_body_is_as_it_came          the sentence; it is told in ARCHITECTURE.md too
    -- says: One line for finance or operations people.
    -- do: What to do when it is broken.
    -- owner: finance                          whose case it is; integration when left out
    -- at rest                                 only true once nothing moves (`--quiesced`)
    select ... rows that prove a lie ...

A block may read every table and the temporary ones of `snapshot.sql`. A new invariant is a block
and a row in the tests that breaks it.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import LiteralString

import msgspec

from tillbridge.durable.queries import load

_PACKAGE = "tillbridge.watch"
FILES = (
    "invariants_messages.sql",
    "invariants_orders.sql",
    "invariants_taxes.sql",
    "invariants_money.sql",
    "invariants_settlement.sql",
    "invariants_receivables.sql",
    "invariants_stock.sql",
    "invariants_publication.sql",
    "invariants_documents.sql",
    "invariants.sql",
)
_WORD = re.compile(r"^-- (says|do|owner): (.+)$", re.MULTILINE)
_AT_REST = re.compile(r"^-- at rest$", re.MULTILINE)


class Invariant(msgspec.Struct, frozen=True):
    """One truth. name: the sentence with underscores.

    query: the lies, or what Python works them out of. says, do: words for people. owner: whose case
    a lie is. at_rest: only true once nothing moves. deep: folds the whole log, so only checked when
    asked for.
    """

    name: str
    query: LiteralString = ""
    says: str = ""
    do: str = ""
    owner: str = "integration"
    at_rest: bool = False
    deep: bool = False

    @property
    def sentence(self) -> str:
        """The name as people read it."""
        return self.name.replace("_", " ")


LANES = Invariant(
    "every_record_is_in_its_lane",
    "select key, lane from seen_record group by key, lane"
    " union all select key, lane from parked_key",
    says="All records of a key are in the one lane our function gives it.",
    do="Records of a key may be carried out of order: stop the workers, report a defect.",
)
ACCOUNTS = Invariant(
    "every_account_is_in_the_chart",
    says="Every account in the money book stands in the chart of accounts.",
    do="Put the row back into chart.toml; without it the export refuses the account.",
    owner="finance",
)
PENDING = Invariant(
    "nothing_is_pending",
    says="Every record has been carried.",
    do="Wait for `tillbridge drain`; if it does not go down, look at the worker's log.",
    at_rest=True,
)
FOLD = Invariant(
    "order_state_is_the_fold_of_its_facts",
    says="What is kept of every order is what its facts tell, folded again from the log.",
    do="Report a defect with the order's story; nothing of it may be corrected by hand before.",
    deep=True,
)
BOOKED = Invariant(
    "what_an_order_booked_is_what_it_told",
    says="Money and pieces an order counts as booked are those of the facts it gave out.",
    do="Report a defect with the order's story: state and books have parted.",
    owner="finance",
    deep=True,
)
READABLE = Invariant(
    "every_record_can_be_read",
    says="This program understands every record in the log.",
    do="Written by a newer release: update. Else the log is damaged: restore from a backup.",
    deep=True,
)


def _read(file: str) -> list[Invariant]:
    queries = load(_PACKAGE, file)
    found = []
    for name, query in queries.items():
        words = dict(_WORD.findall(query))
        found.append(
            Invariant(
                name,
                query,
                says=words.get("says", ""),
                do=words.get("do", ""),
                owner=words.get("owner", "integration"),
                at_rest=_AT_REST.search(query) is not None,
            )
        )
    return found


def _all() -> tuple[Invariant, ...]:
    """Those of the files, then those worked out in Python; raises ValueError for a double name."""
    there = {one.name for one in resources.files(_PACKAGE).iterdir()}
    unread = {name for name in there if name.startswith("invariants") and name.endswith(".sql")}
    if unread != set(FILES):
        raise ValueError(f"{unread ^ set(FILES)}: not the files that FILES lists")
    found = [one for file in FILES for one in _read(file)]
    found += [LANES, ACCOUNTS, PENDING, READABLE, FOLD, BOOKED]
    names = [one.name for one in found]
    double = {name for name in names if names.count(name) > 1}
    if double:
        raise ValueError(f"two invariants are called {', '.join(sorted(double))}")
    return tuple(found)


INVARIANTS = _all()
