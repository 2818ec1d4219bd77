"""What a module of the model offers as fact or command can be stored; sums are what they say."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import ModuleType

import pytest

from tillbridge.canonical import (
    catalogue,
    documents,
    intake,
    orders,
    payments,
    returns,
    sales,
    settlement,
    shipments,
    stock,
    valued,
)
from tillbridge.canonical.fact import Command, Fact
from tillbridge.canonical.registry import TYPES, decode, encode

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MODULES = (
    catalogue,
    documents,
    intake,
    orders,
    payments,
    returns,
    sales,
    settlement,
    shipments,
    stock,
    valued,
)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rsplit(".", 1)[1])
def test_every_fact_and_command_of_a_module_is_registered(module: ModuleType) -> None:
    own = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, (Fact, Command))
        and kind.__module__ == module.__name__
        and not kind.__subclasses__()
    ]
    assert own
    assert {kind.__name__ for kind in own} <= set(TYPES)


def test_a_line_is_worth_list_less_discount_plus_its_taxes() -> None:
    taxes = (orders.TaxLine("n", "de", 19), orders.TaxLine("k", "de", 1))
    line = orders.OrderLine("1", "goods", "sku", 1000, 120, 20, taxes)
    assert (line.net, line.tax, line.gross) == (100, 20, 120)
    rung = sales.SaleLine("1", "goods", "return", "sku", -1000, -120, -20)
    assert rung.net == -100


def test_a_document_has_exactly_the_body_it_was_given() -> None:
    journal = documents.JournalDocument(
        currency="EUR",
        journal_date=date(2026, 1, 1),
        narration="n",
        lines=(documents.JournalLine("cash", 5), documents.JournalLine("sales", -5)),
    )
    command = documents.SubmitDocument(
        key="k", id="i", kind="journal", entity="DE", journal=journal
    )
    assert command.body is journal
    again = decode("SubmitDocument", 1, encode(command))
    assert again == command
    empty = documents.SubmitDocument(key="k", id="i", kind="journal", entity="DE")
    with pytest.raises(ValueError, match="no body"):
        _ = empty.body


def test_what_is_not_told_is_not_stored() -> None:
    stored = encode(stock.MoveStock(key="k", id="i", kind="sale", lines=(), occurred_at=NOON))
    assert b"cause" not in stored
    assert stock.StockLine("1", "sku", 5) == stock.StockLine("1", "sku", 5, "")
