"""Payouts and balance transactions of Shopify Payments to settlement lines. Pure, streaming.

The files are answers of the API: `{"payouts": [...]}` and `{"transactions": [...]}`, any number of
them one after the other. The sale behind a line is known by `source_order_transaction_id`, which is
the id of the order's own transaction.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Generator, Iterator
from datetime import UTC
from typing import BinaryIO

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import MoneyError, exponent
from tillbridge.canonical.settlement import UNKNOWN, Broken, PayoutTold, SettlementLine, Told
from tillbridge.connectors.shopify_payments.config import ShopifyPaymentsConfig
from tillbridge.connectors.shopify_payments.wire import STATES, TYPES, Payout, Transaction
from tillbridge.contract.csv_files import minor_of
from tillbridge.contract.json_scanner import Scanner

_FIRST = re.compile(rb'\s*(?:\xef\xbb\xbf)?\s*\{\s*"(payouts|transactions|notice)"')
_LINE_FIELDS = (b'"payout_id"', b'"source_order_transaction_id"', b'"payout_status"')
_TRANSACTION = msgspec.json.Decoder(Transaction)
_PAYOUT = msgspec.json.Decoder(Payout)
_ANY = msgspec.json.Decoder(dict[str, msgspec.Raw])
_READ = frozenset(Transaction.__struct_fields__)


def is_ours(head: bytes) -> bool:
    """Whether it begins as one of the two answers; an order's own transactions are no such."""
    found = _FIRST.match(head)
    if found is None:
        return False
    if found[1] == b"payouts" or b'"payouts"' in head:
        return True
    return any(field in head for field in _LINE_FIELDS)


def read(stream: BinaryIO, config: ShopifyPaymentsConfig) -> Iterator[Told]:
    """What the file says. Raises NeedsDecision when it is no such answer."""
    scanner = Scanner(stream)
    if scanner.ahead(3) == b"\xef\xbb\xbf":
        scanner.take(3)
    found = False
    while scanner.blanks() == b"{":
        found = True
        yield from _answer(scanner, config)
    if not found or scanner.blanks():
        words = "this is no answer with payouts or transactions"
        if not found:
            raise NeedsDecision("settlement_unreadable", words, owner="integration")
        yield Broken(scanner.line, f"{words} from here on")


def _answer(scanner: Scanner, config: ShopifyPaymentsConfig) -> Iterator[Told]:
    scanner.take(1)
    while True:
        mark = scanner.blanks()
        if mark in (b",", b"}"):
            scanner.take(1)
            if mark == b"}":
                return
            continue
        key = scanner.value() if mark == b'"' else None
        if key is None or scanner.blanks() != b":":
            yield Broken(scanner.line, "the object breaks off here")
            _leave(scanner)
            return
        scanner.take(1)
        if scanner.blanks() == b"[" and key in (b'"payouts"', b'"transactions"'):
            scanner.take(1)
            ended = yield from _list(scanner, key, config)
            if not ended:
                return
        elif scanner.value() is None:
            yield Broken(scanner.line, "a value does not end")
            _leave(scanner)
            return


def _list(
    scanner: Scanner, key: bytes, config: ShopifyPaymentsConfig
) -> Generator[Told, None, bool]:
    """Objects of a list; gives whether it ended."""
    n = 0
    while mark := scanner.blanks():
        if mark in (b",", b"]"):
            scanner.take(1)
            if mark == b"]":
                return True
            continue
        raw = scanner.value()
        n += 1
        if not raw:
            break
        try:
            if key == b'"payouts"':
                yield _payout(_PAYOUT.decode(raw), n)
            elif (line := _line(raw, n, config)) is not None:
                yield line
        except (msgspec.MsgspecError, ValueError, MoneyError) as problem:
            yield Broken(n, f"object {n}: {problem}"[:300])
    yield Broken(n, "the file ends inside its list")
    _leave(scanner)
    return False


def _leave(scanner: Scanner) -> None:
    """Read to the end of what can no longer be told apart."""
    deque(scanner.rest(), maxlen=0)


def _payout(wire: Payout, n: int) -> PayoutTold:
    if wire.status not in STATES:
        raise ValueError(f"{wire.status!r} is no state of a payout")
    return PayoutTold(
        payout=str(wire.id),
        currency=wire.currency,
        amount=minor_of(wire.amount, exponent(wire.currency)),
        state=STATES[wire.status],
        paid_on=wire.date,
        n=n,
    )


def _line(raw: bytes, n: int, config: ShopifyPaymentsConfig) -> SettlementLine | None:
    wire = _TRANSACTION.decode(raw)
    if wire.test and not config.take_tests:
        return None
    places = exponent(wire.currency)
    further = {name: value for name, value in _ANY.decode(raw).items() if name not in _READ}
    type_ = TYPES.get(wire.type, UNKNOWN)
    gross = minor_of(wire.amount, places)
    if type_ == "chargeback" and gross > 0:  # given back, told under the same word
        type_ = "chargeback_reversed"
    about = wire.source_order_transaction_id
    if type_ in ("chargeback", "chargeback_reversed") or about is None:
        about = wire.source_id
    sale = wire.source_order_transaction_id
    parent = "" if sale is None or about == sale else str(sale)
    words = (wire.type, wire.adjustment_reason or "", wire.source_type or "")
    return SettlementLine(
        line=str(wire.id),
        type=type_,
        told="/".join(word for word in words if word),
        gross=gross,
        fee=minor_of(wire.fee, places),
        net=minor_of(wire.net, places),
        currency=wire.currency,
        payout="" if wire.payout_id is None else str(wire.payout_id),
        reference="" if about is None else str(about),
        parent=parent,
        order="" if wire.source_order_id is None else str(wire.source_order_id),
        at=wire.processed_at.astimezone(UTC) if wire.processed_at else None,
        n=n,
        extra=msgspec.json.encode(further).decode() if further else "",
    )
