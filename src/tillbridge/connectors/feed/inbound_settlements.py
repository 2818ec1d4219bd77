"""Settlements in a retailer's own mapping: rows to settlement lines and payouts, streaming. Pure.

They are taken in as files, not as deliveries: a line of a settlement is no fact of its own. A row
is a line, a total of its payout, or both, as `when` says; one that is neither is told as broken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from msgspec.structs import replace

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import MoneyError, exponent
from tillbridge.canonical.settlement import Broken, PayoutTold, SettlementLine, Told
from tillbridge.connectors.feed.config import FeedConfig, mapping_of
from tillbridge.connectors.feed.control import control_problem, is_control
from tillbridge.connectors.feed.delivery import Delivery
from tillbridge.connectors.feed.fields import Reading, readings
from tillbridge.connectors.feed.files import Columns, rereadable
from tillbridge.connectors.feed.mapping import Mapping
from tillbridge.connectors.feed.rows import rows
from tillbridge.contract.promises import Connection, Translation

KIND = "settlement"


def settles(connection: Connection) -> bool:
    """Whether the connection's mapping is one of settlements."""
    return mapping_of(cast("FeedConfig", connection.settings)).kind == KIND


def no_delivery(delivery: Delivery) -> Translation:
    """Nothing: settlements are taken in as files."""
    return Translation(ignored=f"{delivery.mapping.name} maps settlements, which come as files")


def read(stream: BinaryIO, connection: Connection) -> Iterator[Told]:
    """What the file says. Raises NeedsDecision when it cannot be read, or its control totals do
    not agree: half of it might be missing.
    """
    mapping = mapping_of(cast("FeedConfig", connection.settings))
    if mapping.kind != KIND:
        raise _unreadable(f"{mapping.name} maps {mapping.kind}, no settlements")
    if mapping.control is None:
        yield from _told(stream, mapping, connection)
        return
    with rereadable(stream) as source:
        start = source.tell()
        line, words = control_problem(rows(source, mapping.layout), mapping)
        if words:
            raise _unreadable(f"line {line}: the whole file is refused: {words}")
        source.seek(start)
        yield from _told(source, mapping, connection)


def _told(stream: BinaryIO, mapping: Mapping, connection: Connection) -> Iterator[Told]:
    columns = Columns(mapping)
    for row in rows(stream, mapping.layout):
        if row.skipped or is_control(row, mapping.control):
            continue
        if not columns.headed:
            if words := columns.take_header(row):
                raise _unreadable(words)
            continue
        values, words, column = columns.values(row)
        if values is None:
            yield Broken(row.line, f"column {column}: {words}")
            continue
        try:
            told = list(_of_row(mapping, values, row.line, connection))
        except NeedsDecision as problem:
            yield Broken(row.line, problem.words)
        except (MoneyError, ValueError) as problem:
            yield Broken(row.line, str(problem))
        else:
            yield from told or [Broken(row.line, "no section of the mapping reads this row")]
    if not columns.headed:
        raise _unreadable("the file has no header")


def _of_row(
    mapping: Mapping, values: dict[str, Any], n: int, connection: Connection
) -> Iterator[Told]:
    for section, tell in (("total", _total), ("row", _line)):
        for reading in readings(mapping, [values], [f"line {n}"], section):
            currency = reading.text("currency").upper() or connection.currency
            exponent(currency)
            yield tell(replace(reading, currency=currency), n, connection)


def _line(row: Reading, n: int, connection: Connection) -> SettlementLine:
    gross, net = row.amount("gross"), row.amount("net")
    fee = row.amount("fee") or 0
    if gross is None and net is None:
        raise ValueError("the row has neither a gross nor a net amount")
    gross = (net or 0) + fee if gross is None else gross
    type_ = row.choice("type")
    return SettlementLine(
        line=row.text("line"),
        type=type_,
        told=row.text("told") or type_,
        gross=gross,
        fee=fee,
        net=gross - fee if net is None else net,
        currency=row.currency,
        payout=row.text("payout"),
        reference=row.text("reference"),
        parent=row.text("parent"),
        order=row.text("order"),
        tender=row.text("tender"),
        at=row.instant("at", connection.timezone),
        n=n,
    )


def _total(row: Reading, n: int, connection: Connection) -> PayoutTold:
    del connection
    return PayoutTold(
        payout=row.text("payout"),
        currency=row.currency,
        amount=row.amount("amount"),
        state=row.choice("state"),
        paid_on=row.day("paid_on") if row.has("paid_on") else None,
        bank_reference=row.text("bank_reference"),
        n=n,
    )


def _unreadable(words: str) -> NeedsDecision:
    return NeedsDecision("settlement_unreadable", words, owner="integration")
