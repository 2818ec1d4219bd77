"""A made-up provider over a real database: money in the log, files as they are told, looks."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, BinaryIO

import msgspec
from psycopg import Connection

from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.payments import PaymentCaptured, PaymentRefunded
from tillbridge.canonical.registry import name_of
from tillbridge.canonical.settlement import PayoutTold, SettlementLine, Told
from tillbridge.contract.promises import Connection as Source
from tillbridge.durable import log
from tillbridge.durable.rooms import Record
from tillbridge.reconciliation.settlement.intake import SettlementFiles
from tillbridge.reconciliation.settlement.look import Looked, look_at_settlements
from tillbridge.reconciliation.settlement.rules import Account, SettleRules
from tillbridge.reconciliation.settlement.taken import Taken

NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)
DAY = date(2026, 3, 5)


class Teller:
    """Yields what it is given."""

    def __init__(self, told: Sequence[Told]) -> None:
        self._told = told

    def settles(self, name: str, head: bytes, connection: Source) -> bool:
        """Any file."""
        return bool(name) or not head or bool(connection)

    def settlement(self, stream: BinaryIO, name: str, connection: Source) -> Iterator[Told]:
        """The same for any file."""
        del stream, name, connection
        yield from self._told


class Provider:
    """One account, `psp`, of entity `us`."""

    def __init__(self, connection: Connection[Any], **rules: Any) -> None:
        self.connection = connection
        self.account = Account(
            name="psp",
            entity="us",
            channel="web",
            functional="USD",
            rules=msgspec.convert(rules, SettleRules),
            carries_forward=rules.get("carries_forward", False),
        )
        self._files = 0

    def captured(self, reference: str, amount: int, **fields: Any) -> None:
        """Money came in, or with a negative amount went back."""
        key = fields.pop("key", f"order/web/{reference}")
        kind = PaymentCaptured if amount >= 0 else PaymentRefunded
        fact = kind(
            key=key,
            id=f"{key}/{reference}",
            source="web",
            mapping="test/1",
            occurred_at=NOW,
            business_date=DAY,
            entities=Entities(selling="us"),
            reference=reference,
            tender=fields.pop("tender", "psp"),
            amount=abs(amount),
            currency=fields.pop("currency", "USD"),
            **fields,
        )
        log.append(self.connection, [Record(key, name_of(fact), fact, lane_of(key))])

    def file(self, told: Sequence[Told], name: str = "psp") -> Taken:
        """A file comes in."""
        self._files += 1
        source = Source(name=name, entity="us", channel="web", currency="USD")
        digest = hashlib.sha256(f"{name}{self._files}".encode()).digest()
        files = SettlementFiles(Teller(told), source)
        return files.take(self.connection, io.BytesIO(b""), f"f{self._files}", digest, NOW)

    def look(self, now: datetime = NOW) -> Looked:
        """What the schedule does."""
        return look_at_settlements(self.connection, [self.account], now)

    def cases(self) -> dict[str, int]:
        """Open cases: reason -> minor units at stake."""
        rows = self.connection.execute(
            "select reason, coalesce(amount, 0) from exception_case where state = 'open'"
        )
        return {reason: int(amount) for reason, amount in rows}

    def told(self) -> dict[str, int]:
        """What was told to the books, by kind."""
        found: dict[str, int] = {}
        for (body,) in self.connection.execute(
            "select body from record where type = 'SettlementMatched' order by id"
        ):
            for row in msgspec.json.decode(body)["rows"]:
                found[row["kind"]] = found.get(row["kind"], 0) + row["amount"]
        return {kind: amount for kind, amount in found.items() if amount}


def line(reference: str, gross: int, fee: int = 0, **fields: Any) -> SettlementLine:
    """A line of payout p1 about a movement."""
    usual: dict[str, Any] = {
        "line": f"t-{reference}",
        "type": "sale" if gross >= 0 else "refund",
        "told": "row",
        "currency": "USD",
        "n": 1,
        "payout": "p1",
        "reference": reference,
    }
    return SettlementLine(**{**usual, "gross": gross, "fee": fee, "net": gross - fee, **fields})


def head(amount: int | None, payout: str = "p1", **fields: Any) -> PayoutTold:
    """The head of a payout that is paid."""
    usual: dict[str, Any] = {"currency": "USD", "state": "paid", "paid_on": DAY}
    return PayoutTold(payout=payout, amount=amount, **{**usual, **fields})
