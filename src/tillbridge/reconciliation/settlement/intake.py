"""Settlement files into the tables: one file, one transaction, streamed; nothing is believed yet.

A line is written once, under the provider's own id; told again with the same content it is a
duplicate, with other content a case. The log gets one fact per payout and statement with control
totals, so that a million lines are a few records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any, BinaryIO

from tillbridge.atoms.ids import key_of, lane_of
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.registry import Body, name_of
from tillbridge.canonical.settlement import (
    BankLine,
    BankStatementReported,
    Broken,
    FileTotal,
    PayoutFailed,
    PayoutReported,
    PayoutTold,
    SettlementLine,
    StatementTold,
    Told,
    TypeSum,
)
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import ReadsSettlements
from tillbridge.durable import log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.reconciliation.settlement.file_cases import (
    tell_broken,
    tell_statements,
    tell_twice,
)
from tillbridge.reconciliation.settlement.taken import At, Taken

QUERIES = load(
    "tillbridge.reconciliation.settlement",
    "intake.sql",
    "no_limit",
    "make_told",
    "copy_told",
    "analyze_told",
    "doubled",
    "drop_doubled",
    "add_file",
    "add_payouts",
    "heads",
    "told_twice",
    "add_lines",
    "sums",
    "make_told_bank",
    "copy_told_bank",
    "add_statements",
    "add_bank_lines",
    "statements_again",
    "bank_sums",
)
ENDED = ("failed", "canceled")


class SettlementFiles:
    """Takes the files of one connection in."""

    def __init__(self, connector: ReadsSettlements, source: Source) -> None:
        self._connector = connector
        self._source = source

    def takes(self, name: str, head: bytes) -> bool:
        """Whether a file is a settlement or a statement, by its name and first 4 KiB."""
        return self._connector.settles(name, head, self._source)

    def take(
        self, connection: Connection, stream: BinaryIO, name: str, digest: bytes, now: datetime
    ) -> Taken:
        """As `told`, and what follows is appended to the log; the caller commits."""
        taken, records = self.told(connection, stream, name, digest, now)
        log.append(connection, records)
        return taken

    def told(
        self, connection: Connection, stream: BinaryIO, name: str, digest: bytes, now: datetime
    ) -> tuple[Taken, list[Record]]:
        """Write what a file tells; the caller appends the records, last of all, and commits.

        digest: SHA-256 of the file. Raises NeedsDecision when it is unreadable.
        """
        connection.execute(QUERIES.no_limit)
        taken = Taken()
        told = self._connector.settlement(stream, name, self._source)
        begun = _until_known(told)
        bank = bool(begun) and isinstance(begun[-1], (StatementTold, BankLine))
        rest = chain(begun, told)
        if bank:
            self._copy(connection, taken, rest, QUERIES.make_told_bank, QUERIES.copy_told_bank)
        else:
            self._copy(connection, taken, rest, QUERIES.make_told, QUERIES.copy_told)
        row = (self._source.name, name, digest, taken.lines, len(taken.broken), now)
        file = connection.execute(QUERIES.add_file, row).fetchone()
        number = int(file[0]) if file else 0
        at = At(digest.hex(), number, now)
        facts = self._statements(connection, taken, at) if bank else self._payouts(connection, at)
        if not bank:
            facts = [*self._heads(connection, taken, at), *facts]
        tell_broken(connection, self._source.name, taken, name, at)
        return taken, [Record(f.key, name_of(f), f, lane_of(f.key)) for f in facts]

    # -- lines ------------------------------------------------------------------------------------

    def _copy(
        self, connection: Connection, taken: Taken, told: Iterable[Told], make: str, into: str
    ) -> None:
        connection.execute(make.encode())
        with connection.cursor() as cursor, cursor.copy(into.encode()) as copy:
            for one in told:
                if isinstance(one, SettlementLine):
                    row = taken.line(one)
                elif isinstance(one, BankLine):
                    row = taken.bank_line(one)
                else:
                    taken.further(one)
                    continue
                if row is not None:
                    copy.write_row(row)

    # -- payouts ----------------------------------------------------------------------------------

    def _heads(self, connection: Connection, taken: Taken, at: At) -> list[Body]:
        """Merge the heads; gives a fact for each that says something new."""
        heads = list(taken.heads.values())
        if not heads:
            return []
        source = self._source
        columns = (
            [self._key(head.payout) for head in heads],
            [head.payout for head in heads],
            [head.currency for head in heads],
            [head.amount for head in heads],
            [head.state for head in heads],
            [head.paid_on for head in heads],
            [head.itemised for head in heads],
            [head.bank_reference for head in heads],
            [head.reason for head in heads],
        )
        changed = connection.execute(
            QUERIES.heads, (source.name, source.entity, at.now, *columns)
        ).fetchall()
        news = {name: (state, amount) for name, state, amount in changed}
        facts: list[Body] = []
        for head in heads:
            if head.payout not in news:
                continue
            facts.append(self._reported(head.payout, head.currency, at, head))
            state, amount = news[head.payout]
            if state in ENDED and amount:
                facts.append(
                    PayoutFailed(
                        **self._about(head.payout, "failed", at.now),
                        account=source.name,
                        payout=head.payout,
                        currency=head.currency,
                        amount=amount,
                        reason=head.reason,
                    )
                )
        return facts

    def _payouts(self, connection: Connection, at: At) -> list[Body]:
        """Lines into their table; gives a fact per payout with its control totals."""
        source = self._source
        connection.execute(QUERIES.analyze_told)
        doubled = connection.execute(QUERIES.doubled).fetchall()
        if doubled:
            connection.execute(QUERIES.drop_doubled)
        connection.execute(QUERIES.add_payouts, (source.name, source.entity, at.now))
        other = connection.execute(QUERIES.told_twice, {"account": source.name}).fetchall()
        connection.execute(QUERIES.add_lines, {"account": source.name, "file": at.file})
        tell_twice(connection, source.name, doubled, other, at)
        sums: dict[tuple[str, str], list[TypeSum]] = {}
        hashes: dict[tuple[str, str], int] = {}
        for payout, currency, type_, count, gross, fee, hashed in connection.execute(QUERIES.sums):
            of = (payout, currency)
            sums.setdefault(of, []).append(TypeSum(type_, count, int(gross), int(fee)))
            hashes[of] = hashes.get(of, 0) + int(hashed)
        return [
            self._reported(payout, currency, at, None, tuple(rows), hashes[payout, currency])
            for (payout, currency), rows in sums.items()
        ]

    def _reported(
        self,
        payout: str,
        currency: str,
        at: At,
        head: PayoutTold | None,
        sums: tuple[TypeSum, ...] = (),
        hashed: int = 0,
    ) -> PayoutReported:
        what = "head" if head is not None else f"lines-{currency}"
        return PayoutReported(
            **self._about(payout, f"told/{what}/{at.digest[:16]}", at.now),
            account=self._source.name,
            payout=payout,
            currency=currency,
            amount=head.amount if head else None,
            state=head.state if head else "",
            paid_on=head.paid_on if head else None,
            itemised=head.itemised if head else True,
            bank_reference=head.bank_reference if head else "",
            lines=sum(one.lines for one in sums),
            sums=sums,
            hash=f"{hashed % 2**64:016x}" if sums else "",
            file=at.digest,
        )

    # -- statements -------------------------------------------------------------------------------

    def _statements(self, connection: Connection, taken: Taken, at: At) -> list[Body]:
        source = self._source
        heads = list(taken.statements.values())
        columns = (
            [head.statement for head in heads],
            [head.account for head in heads],
            [head.currency for head in heads],
            [head.opening for head in heads],
            [head.closing for head in heads],
            [head.last_day for head in heads],
        )
        new = connection.execute(
            QUERIES.add_statements, (source.name, at.file, at.now, *columns)
        ).fetchall()
        connection.execute(QUERIES.add_bank_lines, {"account": source.name, "file": at.file})
        sums = connection.execute(QUERIES.bank_sums, (source.name, at.file)).fetchall()
        told = {head.statement: head for head in heads}
        again = connection.execute(QUERIES.statements_again, (source.name, at.file, list(told)))
        tell_statements(connection, source.name, again.fetchall(), at)
        told_new = {name for (name,) in new}
        return [
            BankStatementReported(
                key=key_of("statement", source.name, name),
                id=key_of("statement", source.name, name),
                source=source.name,
                mapping="settlement/1",
                occurred_at=at.now,
                business_date=told[name].last_day or at.now.date(),
                entities=Entities(selling=source.entity),
                account=source.name,
                statement=name,
                currency=told[name].currency,
                opening=told[name].opening,
                closing=told[name].closing,
                lines=lines,
                net=int(net),
                hash=f"{int(hashed) % 2**64:016x}",
                file=at.digest,
            )
            for name, lines, net, hashed in sums
            if name in told_new
        ]

    def _key(self, payout: str) -> str:
        return key_of("payout", self._source.name, payout)

    def _about(self, payout: str, what: str, now: datetime) -> dict[str, Any]:
        key = self._key(payout)
        return {
            "key": key,
            "id": f"{key}/{what}",
            "source": self._source.name,
            "mapping": "settlement/1",
            "occurred_at": now,
            "business_date": now.date(),
            "entities": Entities(selling=self._source.entity),
        }


def _until_known(told: Iterator[Told]) -> list[Told]:
    """The first pieces, up to the one that shows whether this is a settlement or a statement."""
    begun: list[Told] = []
    for one in told:
        begun.append(one)
        if not isinstance(one, (Broken, FileTotal)):
            break
    return begun
