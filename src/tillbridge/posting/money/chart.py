"""The chart of accounts: our account names, their kind, their name in Beancount, their owner.

`chart.toml` holds `[[account]]` tables: account (a name, or a pattern where `*` stands for one
part), type, beancount (a pattern with as many `*`), owner: `hub` or `erp`. The owner says which
side writes the account where an entity's ledger follows the ERP's documents.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

import msgspec

from tillbridge.atoms.toml_tables import table_lines

TYPES = {
    "asset": "Assets",
    "liability": "Liabilities",
    "income": "Income",
    "expense": "Expenses",
    "equity": "Equity",
}
OWNERS = ("hub", "erp")
_PART = re.compile(r"[a-z0-9][a-z0-9_.-]*|\*")
_BEANCOUNT_PART = re.compile(r"[A-Z0-9][A-Za-z0-9-]*|\*")


class BookRefused(ValueError):
    """Chart or rules cannot be used; `problems` holds one sentence each, with file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Account(msgspec.Struct, frozen=True):
    """One row of the chart; `account` and `beancount` are names or patterns."""

    account: str
    type: str
    beancount: str
    owner: str = "hub"

    @property
    def parts(self) -> tuple[str, ...]:
        """The name's parts between slashes."""
        return tuple(self.account.split("/"))


class Chart:
    """All rows of a chart, found by account name."""

    def __init__(self, accounts: tuple[Account, ...]) -> None:
        # the row with more fixed parts first: `sales/shoes` before `sales/*`
        self.accounts = tuple(sorted(accounts, key=lambda a: (a.parts.count("*"), a.account)))
        self._found: dict[str, Account | None] = {}

    def find(self, account: str) -> Account | None:
        """Row for an account, or for a template whose fields stand for any part; None if none."""
        if account not in self._found:
            if len(self._found) > 10_000:
                self._found.clear()
            self._found[account] = self._search(tuple(account.split("/")))
        return self._found[account]

    def _search(self, parts: tuple[str, ...]) -> Account | None:
        for row in self.accounts:
            if len(row.parts) == len(parts) and all(
                mine in ("*", theirs) for mine, theirs in zip(row.parts, parts, strict=True)
            ):
                return row
        return None


def parse_chart(text: str, file: str) -> Chart:
    """Chart from the text of a `chart.toml`; raises BookRefused with file and line."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise BookRefused([f"{file}: {problem}"]) from None
    tables = document.get("account", [])
    lines = table_lines(text, "account")
    problems = [f"{file}: unknown table {name!r}" for name in document if name != "account"]
    accounts: dict[str, Account] = {}
    for number, table in enumerate(tables):
        place = f"{file}:{lines[number] if number < len(lines) else 1}"
        why = _problem_of(table) or (
            f"account {table['account']!r} is there twice" if table["account"] in accounts else ""
        )
        if why:
            problems.append(f"{place}: {why}")
        else:
            accounts[table["account"]] = Account(**table)
    if problems:
        raise BookRefused(problems)
    return Chart(tuple(accounts.values()))


def _problem_of(table: dict[str, Any]) -> str:
    wanted = {"account", "type", "beancount"}
    if not wanted <= set(table) or not set(table) <= wanted | {"owner"}:
        return "an account has account, type, beancount and, if it is not the hub, owner"
    if not all(isinstance(value, str) for value in table.values()):
        return "account, type, beancount and owner are texts"
    if not all(_PART.fullmatch(part) for part in table["account"].split("/")):
        return f"account {table['account']!r}: parts are lower-case words or *"
    if table["type"] not in TYPES:
        return f"type {table['type']!r}: one of {', '.join(TYPES)}"
    if table.get("owner", "hub") not in OWNERS:
        return f"owner {table['owner']!r}: one of {', '.join(OWNERS)}"
    return _problem_of_beancount(table["account"], table["type"], table["beancount"])


def _problem_of_beancount(account: str, kind: str, beancount: str) -> str:
    root, *rest = beancount.split(":")
    if root != TYPES[kind] or not rest:
        return f"beancount {beancount!r} must begin with {TYPES[kind]}:"
    if not all(_BEANCOUNT_PART.fullmatch(part) for part in rest):
        return f"beancount {beancount!r}: parts begin with a capital or digit, or are *"
    if rest.count("*") != account.split("/").count("*"):
        return f"beancount {beancount!r} needs as many * as {account!r}"
    return ""
