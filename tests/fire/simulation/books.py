"""What a run ends in: balances, open items, stock, orders, documents; and what must hold of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import msgspec
from psycopg import Connection

from tests.fire.simulation.outside import Erp, Shop
from tillbridge.watch.verify import verify

_STATE = {
    "balances": "select e.entity || ' ' || l.account || ' ' || e.currency, sum(l.amount)::bigint"
    " from entry e join entry_line l on l.entry = e.id group by 1 having sum(l.amount) <> 0",
    "open items": "select l.item || ' ' || l.account, sum(l.amount)::bigint from entry_line l"
    " where l.item <> '' group by 1 having sum(l.amount) <> 0",
    "stock": "select location || ' ' || product || ' ' || condition,"
    " on_hand || '/' || case when product = 'CART-1' then '-' else reserved::text end"
    " from stock",  # who of the buyers came first decides who holds the scarce product
    "orders": "select key, channel || ' ' || number || ' ' ||"
    " case when channel = 'hotline' then '-' else status end || ' ' ||"
    " coalesce(total::text, '-') from order_state",
    "sales": "select key, coalesce(total::text, '-') || ' ' || voided::text from sale_state",
    "reservations": "select key || ' ' || location || ' ' || product, sum(quantity)::bigint"
    " from reservation where product <> 'CART-1' group by 1",
    # two parcels learnt of at once are one invoice of the sum, so documents are summed per kind
    "documents": "select key || ' ' || kind, string_agg(distinct state, ',') || ' ' ||"
    " coalesce(sum(total)::text, '-') from document where kind not in ('journal', 'reread')"
    " and kind not like 'sales_order%' group by key, kind",
    # what was changed before the order was sent needs no paper: what stands there is compared
    "sales orders": "select key, convert_from(body, 'UTF8')::jsonb ->> 'ordered' from order_state"
    " where coalesce(convert_from(body, 'UTF8')::jsonb ->> 'ordered', '') not in ('', 'nothing')",
    "sales orders refused": "select key || ' ' || kind, count(*) from document"
    " where kind like 'sales_order%' and state <> 'accepted' group by 1",
    "journals": "select regexp_replace(key, '/[0-9-]+$', ''), string_agg(distinct state, ',')"
    " from document where kind = 'journal' group by 1",  # a locked month moves the day
    "cases": "select reason || ' ' || regexp_replace(key, '^(delivery/.*/)[0-9]+$', '\\1N'),"
    " count(*) from exception_case where state = 'open'"
    " and reason <> 'stock_short' group by 1",  # the morning's stock may come late
    "parked": "select room || ' ' || regexp_replace(key, '^(delivery/.*/)[0-9]+$', '\\1N'),"
    " count(*) from parked group by 1",
}

State = dict[str, dict[str, Any]]


def state_of(connection: Connection, erp: Erp) -> State:
    """Everything that has to be the same however the day was told."""
    state: State = {}
    for name, query in _STATE.items():
        rows = connection.execute(query.encode()).fetchall()
        state[name] = dict(sorted((str(key), value) for key, value in rows))
    connection.rollback()
    state["the ERP's ledger"] = {
        f"{currency} {account}": amount
        for (currency, account), amount in sorted(erp.books.store.balances().items())
        if amount
    }
    sums: Counter[str] = Counter()
    for document in erp.books.store.page(0, 1_000_000):
        if document.kind in ("invoice", "credit_note"):
            sums[f"{document.kind} {document.currency}"] += document.total
    state["the ERP's documents"] = dict(sorted(sums.items()))
    return state


def differences(clean: State, found: State, limit: int = 12) -> list[str]:
    """Where two states differ, in words."""
    words = []
    for name, wanted in clean.items():
        have = found[name]
        for key in sorted(wanted.keys() | have.keys()):
            if wanted.get(key) != have.get(key):
                words.append(f"{name}: {key}: {wanted.get(key)!r} clean, {have.get(key)!r} now")
    return words[:limit]


def hash_of(state: State) -> str:
    """One hash of a state."""
    return hashlib.sha256(msgspec.json.encode(state, order="sorted")).hexdigest()


def lies(connection: Connection, *, quiesced: bool) -> list[str]:
    """Broken invariants, in words."""
    verdict = verify(connection, quiesced=quiesced)
    return [f"verify: {one.name}: {one.rows[:3]}" for one in verdict.invariants if one.lies]


def unlike_erp(connection: Connection, erp: Erp) -> list[str]:
    """The ERP's own books against the hub's intents: a bijection with equal amounts."""
    rows = connection.execute(
        "select op, state, total, remote_id from document where kind <> 'reread'"
    ).fetchall()
    connection.rollback()
    ours = {op: (state, total, remote) for op, state, total, remote in rows}
    theirs = erp.books.store.page(0, 1_000_000)
    words = [f"the ERP has {n} documents {op}" for op, n in erp.books.store.duplicates().items()]
    for document in theirs:
        state, total, remote = ours.get(document.external_id, ("never owed", None, None))
        if state != "accepted":
            words.append(f"the ERP has {document.external_id}, which is {state} here")
        elif total is not None and total != document.total:
            words.append(f"{document.external_id}: {total} here, {document.total} in the ERP")
        elif remote not in (str(document.id), document.number):
            words.append(f"{document.external_id}: {remote} here, {document.number} in the ERP")
    there = {document.external_id for document in theirs}
    words += [
        f"{op} is accepted here and not in the ERP"
        for op, (state, _, _) in ours.items()
        if state == "accepted" and op not in there
    ]
    return words


def unlike_shop(connection: Connection, shop: Shop) -> list[str]:
    """What the shop holds for acknowledged is kept, byte for byte, and nothing is kept twice."""
    rows = connection.execute(
        "select delivery, encode(sha256(body), 'hex') from message"
    ).fetchall()
    connection.rollback()
    kept = {(delivery, digest) for delivery, digest in rows}
    lost = [
        event for event, (delivery, digest) in shop.acked.items() if (delivery, digest) not in kept
    ]
    words = f"{len(lost)} deliveries were acknowledged and are missing or changed: {lost[:3]}"
    twice = [row for row, times in Counter(rows).items() if times > 1]
    told = f"{len(twice)} deliveries are kept more than once: {twice[:3]}"
    return [words] * bool(lost) + [told] * bool(twice)
