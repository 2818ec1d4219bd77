"""The sandbox ERP's ledger in our words, and what cannot be believed."""

from __future__ import annotations

import pytest

from tillbridge.connectors.sandbox.inbound import account_of, ledger_lines
from tillbridge.connectors.sandbox.wire import read_ledger
from tillbridge.contract.wire import WireError

PAGE = b"""{"moves": [{"document": 1, "move": "MV-INV-000001",
  "external_id": "order/web/1/invoice/1",
  "date": "2026-03-02", "currency": "USD", "lines": [
    {"account": "receivable", "amount": "10.80"}, {"account": "revenue/goods", "amount": "-10.00"},
    {"account": "tax/us-ny", "amount": "-0.80"}]}], "more": false}"""


def test_its_own_accounts_are_named_as_ours() -> None:
    lines = ledger_lines(read_ledger(PAGE))
    assert [(one.account, one.amount) for one in lines] == [
        ("receivable", 1080),
        ("sales", -1000),
        ("sales-tax/us-ny", -80),
    ]
    assert {one.operation for one in lines} == {"order/web/1/invoice/1"}
    assert account_of("clearing/stripe") == "clearing/stripe"


@pytest.mark.parametrize(("old", "new"), [(b"10.80", b"10.8001"), (b"2026-03-02", b"2026-13-02")])
def test_an_amount_or_day_that_is_none_is_not_believed(old: bytes, new: bytes) -> None:
    with pytest.raises(WireError):
        ledger_lines(read_ledger(PAGE.replace(old, new)))
