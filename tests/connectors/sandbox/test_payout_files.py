"""Provider and bank of the example retailer: files that tie, and one charge that does not."""

from __future__ import annotations

import io

import pytest

from tillbridge.canonical.settlement import (
    BankLine,
    PayoutTold,
    SettlementLine,
    StatementTold,
    Told,
)
from tillbridge.connectors.camt import inbound as camt
from tillbridge.connectors.camt.config import CamtConfig
from tillbridge.connectors.sandbox.payout_files import GATEWAY, SHORT, PayoutFiles, payout_files
from tillbridge.connectors.sandbox.retailer import DayOfTrade, day_of_trade
from tillbridge.connectors.shopify_payments import inbound
from tillbridge.connectors.shopify_payments.config import ShopifyPaymentsConfig


@pytest.fixture(params=[7, 8, 21])
def day(request: pytest.FixtureRequest) -> DayOfTrade:
    return day_of_trade(int(request.param))


@pytest.fixture
def files(day: DayOfTrade) -> PayoutFiles:
    return payout_files(day.stories, day.day)


def told(body: bytes) -> list[Told]:
    return list(inbound.read(io.BytesIO(body), ShopifyPaymentsConfig()))


def test_the_payout_comes_to_its_lines_and_the_bank_has_it(files: PayoutFiles) -> None:
    (payout,) = told(files.payouts)
    lines = [one for one in told(files.transactions) if isinstance(one, SettlementLine)]
    assert isinstance(payout, PayoutTold)
    assert payout.amount == sum(line.net for line in lines) == files.amount
    assert {line.payout for line in lines} == {payout.payout} == {files.payout}
    assert files.amount == files.charged - files.refunded - files.fees
    statement = list(camt.read(io.BytesIO(files.statement), CamtConfig()))
    booked = [one for one in statement if isinstance(one, BankLine)]
    (head,) = [one for one in statement if isinstance(one, StatementTold)]
    assert files.amount in [one.amount for one in booked]
    assert head.opening is not None
    assert head.closing == head.opening + sum(one.amount for one in booked)
    assert head.lines == len(booked) == 2


def test_only_one_charge_is_not_what_the_shop_took(day: DayOfTrade, files: PayoutFiles) -> None:
    taken = {
        story.order.id + 7: story.order.total
        for story in day.stories
        if story.order.gateway == GATEWAY and story.last.paid
    }
    lines = [one for one in told(files.transactions) if isinstance(one, SettlementLine)]
    charged = {int(one.reference): one.gross for one in lines if one.type == "sale"}
    off = {number: charged[number] - taken[number] for number in taken}
    assert charged.keys() == taken.keys()
    assert [one for one in off.values() if one] == [-SHORT]
    refunds = {one.transaction: -one.amount for s in day.stories for one in s.last.refunds}
    assert {int(one.reference): one.gross for one in lines if one.type == "refund"} == refunds


def test_the_same_day_gives_the_same_bytes(day: DayOfTrade, files: PayoutFiles) -> None:
    again = day_of_trade(day.seed)
    assert payout_files(again.stories, again.day) == files
