"""The story: one sale from its first delivery to the ledger and the ERP, on one page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.atoms.money import to_text
from tillbridge.atoms.quantity import to_text as quantity_text
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.triage.reach import unknown
from tillbridge.watch.telling import said

QUERIES = load("tillbridge.watch", "story.sql")
Row = dict[str, Any]


class Story(msgspec.Struct, frozen=True):
    """Everything the hub knows about one aggregate. Amounts in minor units, quantities in
    thousandths, instants in UTC.
    """

    key: str
    title: str
    head: Row
    records: list[Row]
    entries: list[Row]
    movements: list[Row]
    reservations: list[Row]
    documents: list[Row]
    cases: list[Row]
    settlement: list[Row] = []
    summed: list[Row] = []
    invoices: list[Row] = []


def find(connection: Connection, text: str) -> str:
    """The key meant by an order number, receipt or key, else by a number of the ERP, a line of a
    payout or a bank, or an entry. Raises Refused naming the choices.
    """
    values = {"text": text}
    rows = connection.execute(QUERIES.find, values).fetchall()
    rows = rows or connection.execute(QUERIES.find_paper, values).fetchall()
    if not rows:
        raise Refused(unknown(text))
    keys = sorted({row[0] for row in rows})
    if len(keys) > 1:
        raise Refused(f"{text!r} may be any of: {', '.join(keys)}")
    return str(keys[0])


def tell(connection: Connection, key: str) -> Story:
    """The story of a key."""
    head, title = _head(connection, key)
    return Story(
        key=key,
        title=title,
        head=head,
        records=[
            {**row, "body": msgspec.json.decode(row["body"])}
            for row in _rows(connection, QUERIES.records, key)
        ],
        entries=_rows(connection, QUERIES.entries, key),
        movements=_rows(connection, QUERIES.movements, key),
        reservations=_rows(connection, QUERIES.reservations, key),
        documents=_named(connection.execute(QUERIES.documents, {"key": key})),
        cases=_named(connection.execute(QUERIES.cases, {"key": key})),
        settlement=_named(connection.execute(QUERIES.settlement, {"key": key})),
        summed=_named(connection.execute(QUERIES.summed, {"key": key})),
        invoices=_rows(connection, QUERIES.invoices, key),
    )


def _head(connection: Connection, key: str) -> tuple[Row, str]:
    orders = _rows(connection, QUERIES.order, key)
    if orders:
        order = orders[0]
        total = to_text(order["total"] or 0, order["currency"] or "USD")
        return order, f"order {order['number']} · {order['status']} · {total} {order['currency']}"
    sales = _rows(connection, QUERIES.sale, key)
    if sales:
        sale = sales[0]
        amount = ""
        if sale["total"] is not None and sale["currency"]:
            amount = f" · {to_text(sale['total'], sale['currency'])} {sale['currency']}"
        voided = " · voided" if sale["voided"] else ""
        return sale, (
            f"{sale['type']} {sale['location']} till {sale['till']} no. {sale['sequence']}"
            f" of {sale['business_date']}{amount}{voided}"
        )
    return {}, key


def _rows(connection: Connection, query: Any, key: str) -> list[Row]:
    return _named(connection.execute(query, (key,)))


def _named(cursor: Any) -> list[Row]:
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def page(story: Story) -> str:
    """The story as text for a terminal."""
    lines = [story.title, "=" * len(story.title), f"key {story.key}", ""]
    lines += ["what happened"]
    lines += [f"  {_instant(r['at'])}  {r['id']:>6}  {said(r)}" for r in story.records]
    if story.reservations or story.movements:
        lines += ["", "stock"]
        lines += [
            f"  held    {r['product']} x {quantity_text(r['quantity'])} at {r['location']}"
            for r in story.reservations
        ]
        lines += [
            f"  {r['kind']:<7} {r['product']} x {quantity_text(r['quantity'])} at {r['location']}"
            for r in story.movements
        ]
    if story.entries:
        lines += ["", "money book"]
        lines += _journal(story.entries)
    if story.settlement:
        lines += ["", "settlement"]
        lines += [_settled(row, story.key) for row in story.settlement]
    if story.documents:
        lines += ["", "documents"]
        lines += [_document(row) for row in story.documents]
    if story.summed:
        lines += ["", "summed up"]
        lines += _summed(story.summed)
    if story.invoices:
        lines += ["", "on account"]
        lines += [_owed(row) for row in story.invoices]
    if story.cases:
        lines += ["", "cases"]
        lines += [
            f"  {r['id']:>5}  {r['state']:<8} {r['reason']}: {r['words']}" for r in story.cases
        ]
    return "\n".join(lines)


def _journal(rows: list[Row]) -> list[str]:
    lines: list[str] = []
    last = None
    for row in rows:
        if row["id"] != last:
            last = row["id"]
            lines.append(
                f"  {row['posted_date']}  {row['entity']}  {row['fact']}"
                f"  (rule {row['rule']} from {row['rule_version']})"
            )
        amount = to_text(row["amount"], row["currency"])
        lines.append(f"      {row['account']:<40} {amount:>14} {row['currency']}")
    return lines


def _settled(row: Row, key: str) -> str:
    """A provider's line: what it is, its payout and where the bank shows it."""
    currency = row["currency"]
    fee = f", fee {to_text(row['fee'], currency)}" if row["fee"] else ""
    off = row["difference"]
    differs = f", {to_text(off, currency)} off" if off else ""
    whose = row["of_key"] if row["of_key"] and row["payout"] == key else ""
    payout = "" if row["payout"] == key else f"  payout {row['account']} {row['number']}"
    when = f" for {row['paid_on']}" if row["paid_on"] and payout else ""
    bank = f"  at {row['bank']}" if row["bank"] else "  not at the bank yet"
    state = "" if row["tied"] else ", held"
    amount = f"{to_text(row['gross'], currency)} {currency}{fee}{differs}"
    told = f"{row['told']} {row['line']}"
    return f"  {told:<30} {amount:<28} {whose}{payout}{when}{state}{bank}"


def _owed(row: Row) -> str:
    """An invoice on account and what is left to pay of it, or a credit note."""
    currency = row["currency"]
    amount = f"{to_text(abs(row['total']), currency)} {currency}"
    said = f"  {row['number']:<8} {row['kind']:<12} {row['issued_on']}  {amount}"
    if row["kind"] != "invoice":
        return said
    parts = [f"{name} {to_text(row[name], currency)}" for name in ("credited", "paid", "open")]
    return f"{said}, due {row['due_on']}: {', '.join(parts)}"


def _document(row: Row) -> str:
    number = row["number"] or "waiting"
    move = f", ledger move {row['move']}" if row["move"] else ""
    return f"  {row['name']:<8} {row['kind']:<12} {row['state']:<9} {number}{move}"


def _summed(rows: list[Row]) -> list[str]:
    lines = []
    for row in rows:
        amount = f"{to_text(row['amount'], row['currency'])} {row['currency']}"
        lines.append(
            f"  {row['number'] or 'waiting':<10} {amount:>16}  {row['key']}  {row['fact']}"
        )
    for op, count in {row["op"]: row["all"] for row in rows}.items():
        shown = sum(row["op"] == op for row in rows)
        if shown < count:
            lines.append(f"  ... and {count - shown} more of {op}")
    return lines


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
