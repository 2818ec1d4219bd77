"""Quirks of Shopify Payments: test mode, disputes given back, pending rows, broken answers."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.settlement import LINE_TYPES, Broken, SettlementLine, Told
from tillbridge.connectors.shopify_payments import inbound
from tillbridge.connectors.shopify_payments.config import ShopifyPaymentsConfig
from tillbridge.connectors.shopify_payments.wire import TYPES

ROW: dict[str, Any] = {
    "id": 1,
    "type": "charge",
    "currency": "USD",
    "amount": "10.00",
    "fee": "0.50",
    "net": "9.50",
    "payout_id": 9,
    "source_id": 5,
    "source_order_transaction_id": 7,
}


def _read(*rows: dict[str, Any], take_tests: bool = False) -> list[Told]:
    data = json.dumps({"transactions": rows}).encode()
    return list(inbound.read(io.BytesIO(data), ShopifyPaymentsConfig(take_tests=take_tests)))


def _line(**fields: Any) -> SettlementLine:
    (line,) = _read({**ROW, **fields})
    assert isinstance(line, SettlementLine)
    return line


def test_every_word_means_a_type_of_ours() -> None:
    assert set(TYPES.values()) <= set(LINE_TYPES)


def test_a_sale_is_known_by_its_orders_transaction_and_a_dispute_by_its_own_id() -> None:
    assert _line().reference == "7"
    dispute = {"type": "dispute", "amount": "-10.00", "fee": "15.00", "net": "-25.00"}
    assert (_line(**dispute).type, _line(**dispute).reference) == ("chargeback", "5")
    back = _line(type="dispute", fee="-15.00", net="25.00")
    assert (back.type, back.fee) == ("chargeback_reversed", -1500)


def test_test_transactions_do_not_count_unless_asked_for() -> None:
    assert _read({**ROW, "test": True}) == []
    assert len(_read({**ROW, "test": True}, take_tests=True)) == 1


def test_a_row_without_a_payout_is_in_none_yet_and_further_fields_are_kept() -> None:
    line = _line(payout_id=None, type="lightning", shiny=1)
    assert (line.payout, line.type, line.told) == ("", "unknown", "lightning")
    assert line.extra == '{"shiny":1}'


def test_an_answer_that_breaks_off_is_told() -> None:
    whole = json.dumps({"transactions": [ROW, ROW]}).encode()
    told = list(inbound.read(io.BytesIO(whole[:-20]), ShopifyPaymentsConfig()))
    assert isinstance(told[-1], Broken)


@pytest.mark.parametrize("data", [b"", b"[]", b"id,amount"])
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(NeedsDecision):
        list(inbound.read(io.BytesIO(data), ShopifyPaymentsConfig()))


def test_an_orders_own_transactions_are_not_taken_for_settlements() -> None:
    assert not inbound.is_ours(b'{"transactions": [{"id": 1, "order_id": 2, "kind": "sale"}]}')
    assert inbound.is_ours(b'{"payouts": []}')
