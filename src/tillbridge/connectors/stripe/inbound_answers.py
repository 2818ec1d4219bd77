"""Answers of Stripe's API to payouts and settlement lines. Pure, streaming.

A file is any number of objects one after the other: payouts, lists of payouts, lists of balance
transactions. A transaction does not say which payout it is part of; those that follow a payout are
its own, as they were asked for.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import MoneyError, exponent
from tillbridge.canonical.settlement import UNKNOWN, Broken, PayoutTold, SettlementLine, Told
from tillbridge.connectors.stripe.config import StripeConfig
from tillbridge.connectors.stripe.wire import (
    CATEGORIES,
    STATES,
    TYPES,
    ZERO_IN_HUNDREDTHS,
    Payout,
    Source,
    Transaction,
)
from tillbridge.contract import wire
from tillbridge.contract.json_scanner import Scanner

_OURS = re.compile(
    rb'"object"\s*:\s*"(?:payout|balance_transaction)"'
    rb'|"url"\s*:\s*"/v1/(?:payouts|balance_transactions)"'
)


class _Outer(msgspec.Struct):
    object: str
    data: list[msgspec.Raw] = []


class _Inner(msgspec.Struct):
    object: str = ""


def is_ours(head: bytes) -> bool:
    """Whether it begins as an answer about payouts or balance transactions."""
    return head.startswith(b"{") and _OURS.search(head) is not None


def read(stream: BinaryIO, config: StripeConfig) -> Iterator[Told]:
    """What the file says. Raises NeedsDecision when nothing in it is such an answer."""
    scanner = Scanner(stream)
    n, payout, found = 0, "", False
    while scanner.blanks() == b"{":
        raw = scanner.value()
        if raw is None:
            break
        try:
            pieces, payout = _opened(raw, payout)
        except NeedsDecision as problem:
            n += 1
            yield Broken(n, problem.words[:300])
            continue
        found = True
        for kind, piece in pieces:
            n += 1
            try:
                yield _told(kind, piece, n, payout, config)
            except (NeedsDecision, ValueError, OverflowError, OSError, MoneyError) as problem:
                yield Broken(n, f"object {n}: {problem}"[:300])
    if scanner.blanks():
        if not found:
            words = "this is no answer with payouts or balance transactions"
            raise NeedsDecision("settlement_unreadable", words, owner="integration")
        yield Broken(n + 1, "the file breaks off here, or goes on as something else")
        deque(scanner.rest(), maxlen=0)


def _opened(raw: bytes, payout: str) -> tuple[list[tuple[str, bytes]], str]:
    """The objects of an answer with their kinds, and the payout that what follows is part of."""
    outer = wire.parse(_Outer, raw)
    if outer.object == "payout":
        return [("payout", raw)], wire.parse(Payout, raw).id
    if outer.object != "list":
        return [(outer.object, raw)], payout
    kinds = [wire.parse(_Inner, bytes(one)).object for one in outer.data]
    return [(kind, bytes(one)) for kind, one in zip(kinds, outer.data, strict=True)], payout


def _told(kind: str, raw: bytes, n: int, payout: str, config: StripeConfig) -> Told:
    if kind == "payout":
        return _payout(wire.parse(Payout, raw), n)
    if kind == "balance_transaction":
        return _line(wire.parse(Transaction, raw), n, payout, config)
    raise ValueError(f"{kind[:40]!r} is no payout and no balance transaction")


def _payout(told: Payout, n: int) -> PayoutTold:
    if told.status not in STATES:
        raise ValueError(f"{told.status!r} is no state of a payout")
    return PayoutTold(
        payout=told.id,
        currency=currency_of(told.currency),
        amount=told.amount,
        state=STATES[told.status],
        paid_on=datetime.fromtimestamp(told.arrival_date, UTC).date(),
        itemised=told.automatic,
        bank_reference=(told.trace_id.value or "") if told.trace_id else "",
        reason=told.failure_message or told.failure_code or "",
        n=n,
    )


def _line(told: Transaction, n: int, payout: str, config: StripeConfig) -> SettlementLine:
    source = told.source if isinstance(told.source, Source) else Source(told.source or "")
    return SettlementLine(
        line=told.id,
        type=type_of(told.reporting_category, told.type),
        told=told.reporting_category or told.type,
        gross=told.amount,
        fee=told.fee,
        net=told.net,
        currency=currency_of(told.currency),
        payout=payout,
        reference=source.id,
        parent=source.payment_intent or source.charge or "",
        order=source.metadata.get(config.order_metadata, "") if config.order_metadata else "",
        rate=str(told.exchange_rate) if told.exchange_rate else "",
        at=datetime.fromtimestamp(told.created, UTC),
        n=n,
    )


def type_of(category: str, type_: str) -> str:
    """The category is believed before the type: it splits what `adjustment` throws together."""
    return CATEGORIES.get(category, UNKNOWN) if category else TYPES.get(type_, UNKNOWN)


def currency_of(text: str) -> str:
    """ISO code. Raises ValueError where Stripe counts in other units, MoneyError for none."""
    code = text.strip().upper()
    if code in ZERO_IN_HUNDREDTHS:
        raise ValueError(f"{code} is written in hundredths that do not exist; not taken yet")
    exponent(code)
    return code
