"""Refunds: with and without tax inside, signs of adjustments, restocking, states of payments."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.shopify.payloads import bag, line, order, tax, translate, with_settings
from tillbridge.canonical.returns import RefundAdjustment, RefundIssued
from tillbridge.contract.names import CrossReferences
from tillbridge.contract.promises import Connection


def back(subtotal: str, taxed: str, **fields: Any) -> dict[str, Any]:
    return {
        "line_item_id": 1,
        "quantity": 1,
        "subtotal": float(subtotal),
        "total_tax": float(taxed),
        "subtotal_set": bag(subtotal),
        "total_tax_set": bag(taxed),
        "restock_type": "return",
        **fields,
    }


def paid(amount: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": 61,
        "kind": "refund",
        "status": "success",
        "gateway": "shopify_payments",
        "amount": amount,
        "currency": "USD",
        "created_at": "2026-03-05T08:00:00-05:00",
        **fields,
    }


def refund(*lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": 51,
        "order_id": 4711,
        "created_at": "2026-03-05T08:00:00-05:00",
        "refund_line_items": list(lines),
        **fields,
    }


def issued(body: dict[str, Any], connection: Connection | None = None) -> RefundIssued:
    found = translate("refunds/create", body, connection or with_settings())
    assert not found.reread, "the order had to be read"
    (fact,) = found.facts
    assert isinstance(fact, RefundIssued)
    return fact


def figures(fact: RefundIssued) -> list[tuple[int, int]]:
    return [(one.net, sum(part.amount for part in one.taxes)) for one in fact.lines]


def test_payments_tell_whether_tax_is_inside() -> None:
    assert figures(issued(refund(back("20.00", "1.20"), transactions=[paid("21.20")]))) == [
        (2000, 120)
    ]
    assert figures(issued(refund(back("20.00", "1.20"), transactions=[paid("20.00")]))) == [
        (1880, 120)
    ]


def test_payments_are_compared_with_the_adjustments_taken_in() -> None:
    kept = {"amount": "5.00", "tax_amount": "0.00", "kind": "refund_discrepancy"}
    shipping = {"amount": "-4.00", "tax_amount": "-0.24", "kind": "shipping_refund"}
    found = issued(
        refund(
            back("20.00", "1.20"), order_adjustments=[kept, shipping], transactions=[paid("20.44")]
        )
    )
    assert figures(found) == [(2000, 120)]
    assert found.adjustments == (
        RefundAdjustment("discrepancy", -500),
        RefundAdjustment("shipping", 400, 24),
    )


def test_rates_tell_where_payments_do_not() -> None:
    on_top = line(1, tax_lines=[tax("4.00", 0.2)])
    assert figures(issued(refund(back("20.00", "4.00", line_item=on_top)))) == [(2000, 400)]
    inside = line(1, tax_lines=[tax("3.33", 0.2)])
    assert figures(issued(refund(back("20.00", "3.33", line_item=inside)))) == [(1667, 333)]


def test_the_setting_tells_where_nothing_else_does_and_else_the_order_is_read() -> None:
    unclear = refund(back("20.00", "1.23"), transactions=[paid("7.00")])
    assert figures(issued(unclear, with_settings(taxes_included=True))) == [(1877, 123)]
    assert figures(issued(unclear, with_settings(taxes_included=False))) == [(2000, 123)]
    names = CrossReferences({})
    found = translate("refunds/create", unclear, names=names)
    assert found.reread == ("reread/order", "gid://shopify/Order/4711")
    assert not found.facts
    assert not names.missing


def test_inside_its_order_the_order_tells() -> None:
    for inclusive, wanted in ((True, [(1000, 200)]), (False, [(1200, 200)])):
        items = line(1, price="12.00", quantity=2, tax_lines=[tax("4.00", 0.2)])
        body = order(
            items,
            total="24.00" if inclusive else "28.00",
            taxes_included=inclusive,
            refunds=[refund(back("12.00", "2.00"))],
        )
        fact = translate("orders/updated", body).facts[-1]
        assert isinstance(fact, RefundIssued)
        assert figures(fact) == wanted
        assert fact.version == "2026-03-05T13:00:00Z"


def test_tax_goes_back_to_the_taxes_it_came_from() -> None:
    item = line(1, tax_lines=[tax("2.00", 0.06, "State"), tax("1.00", 0.03, "City")])
    found = issued(refund(back("10.00", "1.01", line_item=item), transactions=[paid("11.01")]))
    assert [(part.code, part.amount) for part in found.lines[0].taxes] == [
        ("state", 67),
        ("city", 34),
    ]
    bare = issued(refund(back("10.00", "1.01"), transactions=[paid("11.01")]))
    assert [(part.code, part.amount) for part in bare.lines[0].taxes] == [("tax", 101)]


@pytest.mark.parametrize(
    ("fields", "restock"),
    [
        ({"restock_type": "cancel"}, "cancel"),
        ({"restock_type": "return"}, "return"),
        ({"restock_type": "no_restock"}, "no_restock"),
        ({"restock_type": "legacy_restock"}, "return"),
        ({"restock_type": "legacy_restock", "line_item": line(1)}, "cancel"),
        (
            {"restock_type": "legacy_restock", "line_item": line(1, fulfillment_status="partial")},
            "return",
        ),
        ({"restock_type": None}, "no_restock"),
    ],
)
def test_restocking_is_told_in_our_words(fields: dict[str, Any], restock: str) -> None:
    assert issued(refund(back("1.00", "0.00", **fields))).lines[0].restock == restock


def test_shipping_given_back_is_counted_once() -> None:
    new = {"subtotal_amount_set": bag("5.00")}
    old = {"amount": "-5.00", "tax_amount": "0.00", "kind": "shipping_refund"}
    both = issued(refund(refund_shipping_lines=[new], order_adjustments=[old]))
    assert both.adjustments == (RefundAdjustment("shipping", 500),)
    alone = issued(refund(refund_shipping_lines=[new]))
    assert alone.adjustments == both.adjustments


def test_duties_and_fees_given_back_are_adjustments() -> None:
    found = issued(refund(total_duties_set=bag("3.00"), total_additional_fees_set=bag("1.00")))
    assert found.adjustments == (RefundAdjustment("duty", 300), RefundAdjustment("fee", 100))


@pytest.mark.parametrize(
    ("status", "state"),
    [("success", "success"), ("pending", "pending"), ("failure", "failure"), ("error", "failure")],
)
def test_only_a_success_moved_money(status: str, state: str) -> None:
    found = issued(
        refund(transactions=[paid("5.00", status=status), paid("1.00", id=62, kind="void")])
    )
    assert [(one.amount, one.state) for one in found.payments] == [(500, state)]


def test_the_currency_is_the_shops_as_the_refund_shows_it() -> None:
    body = refund(total_duties_set=bag("0.00", "EUR"), transactions=[paid("5.00", currency="EUR")])
    assert issued(body).currency == "EUR"
    found = translate("refunds/create", refund(transactions=[paid("5.00", currency="EUR")]))
    assert found.reread


def test_a_second_telling_has_the_same_id_and_a_later_one_a_higher_version() -> None:
    first = issued(refund(transactions=[paid("5.00", status="pending")]))
    later = paid("5.00", processed_at="2026-03-06T08:00:00-05:00")
    second = issued(refund(transactions=[later]))
    assert first.id == issued(refund(transactions=[paid("5.00", status="pending")])).id
    assert second.version > first.version
    assert second.id != first.id
