"""What the shop is told, and what it refuses (`delivery`, `dealings`, `outbound_orders`), against
the simulated shop (`shop_dealings`, `shop_refunding`).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.shopify.conformance_target import PLACED, Target, delivery_target, order_of
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.canonical.returns import RefundPayment
from tillbridge.connectors.sandbox.shop_dealings import ToSend
from tillbridge.connectors.sandbox.shop_orders import State
from tillbridge.connectors.sandbox.shop_refunding import Refusal, given_back
from tillbridge.connectors.shopify import connector
from tillbridge.connectors.shopify.dealings import Sent
from tillbridge.connectors.shopify.delivery import number_of
from tillbridge.connectors.shopify.outbound_orders import key_of, mark_of
from tillbridge.contract.promises import Assignment, Receipt


@pytest.fixture(scope="module", params=["2026-01", "2026-10"])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    with delivery_target(request.param) as found:
        yield found


def sent(target: Target, document: SubmitDocument) -> Receipt:
    """The receipt of one document."""
    task = [Assignment(document=document)]
    way = (target.connection, target.secrets, target.directory, target.transport)
    (receipt,) = connector.deliver(task, *way)
    return receipt


def standing(target: Target, document: SubmitDocument) -> State:
    """The order in the shop."""
    number = int(document.key.split("/")[2])
    return next(state for order, state in target.shop.standing() if order.id == number)


def test_goods_leave_from_where_they_left(target: Target) -> None:
    document = target.fresh("fulfilment", location="store-nyc")
    receipt = sent(target, document)
    assert (receipt.outcome, receipt.number) == ("accepted", receipt.remote_id)
    (parcel,) = standing(target, document).shipped
    assert (parcel.location, parcel.tracking, parcel.display) == ("5502", "T-1", "DELIVERED")


def test_a_place_the_shop_does_not_know_changes_nothing_else(target: Target) -> None:
    document = target.fresh("fulfilment", location="wh-west", state="shipped")
    assert sent(target, document).outcome == "accepted"
    assert standing(target, document).shipped[0].location == "5501"


def test_more_than_remains_is_refused_in_words(target: Target) -> None:
    document = target.fresh("fulfilment", pieces=2)
    assert sent(target, document).outcome == "accepted"
    number = int(document.key.split("/")[2])
    more = target.document("fulfilment", number, 1, step=2, tracking="T-2", fulfilment="wms/P2")
    assert "the shop has 0 to send" in sent(target, more).words


def test_a_refund_beyond_what_is_left_is_refused(target: Target) -> None:
    document = target.fresh("refund", pieces=2)
    receipt = sent(target, document)
    assert receipt.outcome == "accepted"
    assert [(one.amount, one.state, one.tender) for one in receipt.payments] == [
        (4000, "success", "shop-pay")
    ]
    number = int(document.key.split("/")[2])
    again = target.document("refund", number, 1, step=2)
    assert "too little of it left" in sent(target, again).words
    other = target.fresh("refund", payments=(RefundPayment("", "paypal", 2000),))
    assert sent(target, other).outcome == "refused"


def test_an_order_with_fulfilments_is_not_cancelled(target: Target) -> None:
    document = target.fresh("fulfilment")
    sent(target, document)
    number = int(document.key.split("/")[2])
    assert "with fulfillments" in sent(target, target.document("order_cancel", number)).words


def test_keys_and_marks_are_the_operation_s_own() -> None:
    assert key_of("a/1") == key_of("a/1") != key_of("a/2")
    assert mark_of("a/1") == "[a/1]"
    assert number_of(Sent("gid://shopify/Fulfillment/7", "SUCCESS", "", "", {})) == "7"
    assert ToSend(1, "5501", {2: 1}).status == "OPEN"


def test_the_shop_gives_back_to_the_payment_only() -> None:
    row = {"kind": "REFUND", "orderId": "gid://shopify/Order/10", "amount": "1.00"}
    row |= {"parentId": "gid://shopify/OrderTransaction/99", "gateway": "shopify_payments"}
    with pytest.raises(Refusal, match="parent"):
        given_back([row], order_of(10), State(at=PLACED, paid=True))
