"""Availability at the shop: compare-and-set in both versions, what goes wrong line by line."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

import tillbridge.connectors.shopify as package
from tests.connectors.shopify.publishing_target import PLACE, Target, publishing_target
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.connectors.sandbox.erp_faults import Fault
from tillbridge.connectors.shopify import connector as shopify
from tillbridge.contract.conformance import load_suite
from tillbridge.contract.conformance.checks import LIVE_PUBLISHING_CHECKS
from tillbridge.contract.offers import Offer, Shown
from tillbridge.contract.transport import Request, Response


def publish(target: Target, *offers: Offer) -> list[Shown]:
    return shopify.publish(offers, target.connection, target.secrets, target.transport)


@pytest.mark.parametrize("check", LIVE_PUBLISHING_CHECKS, ids=lambda check: check.__name__)
def test_the_older_version_compares_under_another_name(check: object) -> None:
    suite = load_suite(shopify, Path(str(package.__file__)).parent)
    with publishing_target("2026-01") as target:
        assert callable(check)
        assert check(suite, target) == []


def test_many_lines_go_in_one_call() -> None:
    with publishing_target() as target:
        offers = target.offers(250)
        assert {shown.outcome for shown in publish(target, *offers)} == {"applied"}
        assert target.shop.inventory.calls == 1


def test_a_complaint_that_names_no_line_is_found_by_halves() -> None:
    with publishing_target() as target:
        offers = list(target.offers(7))
        offers[4] = msgspec.structs.replace(offers[4], quantity=-1000)
        target.shop.inventory.names_lines = False
        outcomes = [shown.outcome for shown in publish(target, *offers)]
        assert outcomes == ["applied"] * 4 + ["refused"] + ["applied"] * 2


def test_two_offers_of_one_place_do_not_sink_each_other() -> None:
    with publishing_target() as target:
        (one,) = target.offers(1)
        two = msgspec.structs.replace(one, operation="other", product="P-other")
        first, second = publish(target, one, two)
        assert (first.outcome, second.outcome) == ("applied", "refused")
        assert "place of another product" in second.words


def test_names_that_lack_are_told_without_a_call() -> None:
    with publishing_target() as target:
        (offer,) = target.offers(1)
        unnamed = msgspec.structs.replace(offer, products=("variant:5",))
        nowhere = msgspec.structs.replace(offer, operation="2", places=("default",))
        told = publish(target, unnamed, nowhere)
        assert [shown.outcome for shown in told] == ["refused", "refused"]
        assert "neither SKU nor inventory item" in told[0].words
        assert target.shop.calls == 0


def test_an_item_is_found_by_its_sku_once() -> None:
    with publishing_target() as target:
        (offer,) = target.offers(1)
        item = offer.products[1].partition(":")[2]
        target.shop.inventory.skus |= {item: "O'Neil\\7", "999": "O'Neil\\7-XL"}
        by_sku = msgspec.structs.replace(offer, products=("O'Neil\\7",))
        (shown,) = publish(target, by_sku)
        assert (shown.outcome, shown.reference) == (
            "applied",
            f"gid://shopify/InventoryItem/{item}",
        )
        assert target.shop.calls == 2
        known = msgspec.structs.replace(
            by_sku, operation="2", quantity=4000, previous=5000, reference=shown.reference
        )
        assert publish(target, known)[0].outcome == "applied"
        assert target.shop.calls == 3


def test_a_sku_of_no_item_or_of_two_is_refused() -> None:
    with publishing_target() as target:
        one, two = target.offers(2)
        target.shop.inventory.skus |= {"1": "TWICE", "2": "TWICE"}
        asked = [
            msgspec.structs.replace(one, products=("NONE",)),
            msgspec.structs.replace(two, products=("TWICE",)),
        ]
        none, twice = publish(target, *asked)
        assert (none.outcome, twice.outcome) == ("refused", "refused")
        assert "no items" in none.words
        assert "2 items" in twice.words


def test_what_is_not_stocked_there_is_refused_when_it_is_read() -> None:
    with publishing_target() as target:
        (offer,) = target.offers(1)
        elsewhere = msgspec.structs.replace(offer, places=("77",), previous=None)
        (shown,) = publish(target, elsewhere)
        assert shown.outcome == "refused"
        assert "activate" in shown.words


def test_a_shop_that_throttles_in_the_middle_leaves_what_is_known() -> None:
    with publishing_target() as target:
        offers = target.offers(2)
        target.sells(offers[0])
        target.shop.faults.add(Fault(do="throttle", on="read", skip=2, seconds=7))
        stale, other = publish(target, *offers)
        assert (stale.outcome, stale.actual) == ("conflict", 8000)
        assert (other.outcome, other.after_seconds) == ("retry", 7.0)
        assert target.shows(offers[1]) == offers[1].previous


def test_away_as_a_whole_or_refused_as_a_whole_is_told_so() -> None:
    with publishing_target() as target:
        (offer,) = target.offers(1)
        target.shop.faults.add(Fault(do="busy", on="read"))
        with pytest.raises(RetryLater):
            publish(target, offer)
        with pytest.raises(Refused, match="401"):
            shopify.publish([offer], target.connection, {"access_token": "x"}, target.transport)


def test_a_call_still_under_way_over_there_is_not_known() -> None:
    class Busy:
        def send(self, request: Request) -> Response:
            error = {"code": "IDEMPOTENCY_CONCURRENT_REQUEST", "field": None, "message": "wait"}
            answer = {"data": {"inventorySetQuantities": {"userErrors": [error]}}}
            return Response(status=200, headers={}, body=msgspec.json.encode(answer))

    with publishing_target() as target:
        (offer,) = target.offers(1)
        with pytest.raises(RetryLater) as caught:
            shopify.publish([offer], target.connection, target.secrets, Busy())
        assert caught.value.unknown


def test_the_place_is_the_one_of_the_target() -> None:
    with publishing_target() as target:
        (offer,) = target.offers(1)
        publish(target, offer)
        (change,) = target.shop.inventory.changes
        assert (change.location, change.before, change.after) == (PLACE, 9, 5)
