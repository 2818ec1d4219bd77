"""Payments of an order: one machine per intent, whoever tells it, in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.orchestration.trade import (
    KEY,
    NOON,
    Model,
    about,
    capture,
    changed,
    line,
    order,
    parcel,
    placed,
    refund,
)
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.cards import GiftCardRedeemed
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.payments import (
    AuthorizationLapsing,
    DisputeResolved,
    Payment,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDisputed,
    PaymentFailed,
    PaymentRefunded,
    PaymentVoided,
    RefundFailed,
)
from tillbridge.canonical.returns import RefundAdjustment
from tillbridge.orchestration.orders.refunding import rank_of, refundable
from tillbridge.orchestration.orders.state import captured, repaid

_SETTINGS = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
P = TypeVar("P", bound=Payment)
ORDER = order([line("a", list=10000, taxes=())])


def told(cls: type[P], reference: str, amount: int, at: int = 1, **words: Any) -> P:
    """A movement of the intent `pi`."""
    full: dict[str, Any] = {
        **about(at),
        "id": f"{KEY}/{cls.__name__}/{reference}",
        "reference": reference,
        "amount": amount,
        "tender": "visa",
        "currency": "USD",
        "intent": "pi",
        **words,
    }
    return cls(**full)


def dispute(amount: int = 10000, at: int = 5, **words: Any) -> PaymentDisputed:
    full = {"dispute": "dp", "tender": "visa", "amount": amount, "currency": "USD", **words}
    return PaymentDisputed(**{**about(at), "id": "dp/opened"}, **full)


def resolved(outcome: str, at: int = 6, **words: Any) -> DisputeResolved:
    full = {"dispute": "dp", "outcome": outcome, "currency": "USD", **words}
    return DisputeResolved(**{**about(at), "id": f"dp/{outcome}/{at}"}, **full)


def standing(model: Model) -> dict[str, Any]:
    """What must not depend on arrival."""
    state = model.state
    standing = set(state.noticed)
    return {
        **model.end(),
        "captured": captured(state),
        "repaid": repaid(state),
        "claimed": {name: amount for name, amount in state.claimed.items() if amount},
        "payments": state.payments,
        "disputes": state.disputes,
        "noticed": standing,
        "lapses": state.lapses_at,
    }


_amounts = st.integers(1, 9000)


@st.composite
def tellings(draw: st.DrawFn) -> list[Fact]:
    """An order of one or two intents, told by up to two roads, with all that may befall it."""
    facts: list[Fact] = [placed(ORDER)]
    if draw(st.booleans()):
        paid = msgspec.structs.replace(
            ORDER, paid_stated=draw(_amounts), tenders=("visa",), version="2026-03-02T13:00:00Z"
        )
        facts.append(changed(paid))
    for intent in draw(st.sampled_from((("pi-1",), ("pi-1", "pi-2")))):
        facts += draw(_intent(intent))
    if draw(st.booleans()):
        facts.append(dispute(draw(_amounts), fee=draw(st.integers(0, 1500)), intent="pi-1"))
        for at in (6, 7):
            if draw(st.booleans()):
                facts.append(resolved(draw(st.sampled_from(("won", "lost"))), at))
    if draw(st.booleans()):
        facts.append(parcel("p", {"a": 1}))
    return facts


@st.composite
def _intent(draw: st.DrawFn, intent: str) -> list[Fact]:
    facts: list[Fact] = []
    for road in draw(st.sampled_from((("",), ("provider",), ("", "provider")))):

        def one(cls: type[P], name: str, at: int, *, road: str = road, **words: Any) -> P:
            amount = draw(_amounts)
            reference = f"{intent}{road}{name}"
            return told(cls, reference, amount, at, intent=intent, road=road, **words)

        held = draw(st.booleans())
        parent = f"{intent}{road}auth" if held else ""
        if held:
            facts.append(one(PaymentAuthorized, "auth", 1))
        facts += [
            one(PaymentCaptured, f"cap{n}", 2 + n, parent=parent)
            for n in range(draw(st.integers(0, 2)))
        ]
        if held and draw(st.booleans()):
            facts.append(one(PaymentVoided, "void", draw(st.integers(1, 5)), parent=parent))
        if draw(st.booleans()):
            facts.append(one(PaymentFailed, "bad", 3, parent=parent))
        if draw(st.booleans()):
            back = one(PaymentRefunded, "back", 8)
            facts.append(back)
            if draw(st.booleans()):
                failed = (back.reference, back.amount, 9)
                facts.append(told(RefundFailed, *failed, intent=intent, road=road))
    return facts


@_SETTINGS
@given(facts=tellings(), data=st.data())
def test_any_order_and_duplication_of_tellings_ends_alike(
    facts: Sequence[Fact], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(facts), max_size=4))
    shuffled = data.draw(st.permutations([*facts, *again]))
    assert standing(Model().tell(shuffled)) == standing(Model().tell(facts))


@_SETTINGS
@given(facts=tellings(), data=st.data())
def test_deposits_are_what_was_captured_and_disputes_stand_at_what_is_undecided(
    facts: Sequence[Fact], data: st.DataObject
) -> None:
    model = Model().tell(data.draw(st.permutations(facts)))
    assert model.state.deposited == captured(model.state)
    assert sum(model.state.refunded.values()) <= sum(captured(model.state).values())
    undecided = sum(
        one.amount for one in model.state.disputes.values() if one.tender and not one.outcome
    )
    assert model.balances.get("disputes", 0) == undecided


@_SETTINGS
@given(facts=tellings(), data=st.data())
def test_the_machine_survives_being_stored_between_any_two_tellings(
    facts: Sequence[Fact], data: st.DataObject
) -> None:
    stored = Model()
    for fact in data.draw(st.permutations(facts)):
        stored.tell([fact])
        bytes_ = msgspec.json.encode(stored.state)
        stored.state = msgspec.json.decode(bytes_, type=type(stored.state))
    assert standing(stored) == standing(Model().tell(facts))


def test_what_two_roads_tell_of_one_intent_counts_once() -> None:
    answer = told(PaymentCaptured, "checkout-1", 10000)
    webhook = told(PaymentCaptured, "ch_1", 10000, road="provider", tender="stripe")
    stated = changed(
        msgspec.structs.replace(
            ORDER, paid_stated=10000, tenders=("visa",), version="2026-03-02T13:00:00Z"
        )
    )
    for facts in ([answer, webhook, stated], [webhook, stated, answer], [stated, webhook, answer]):
        model = Model().tell([placed(ORDER), *facts])
        assert captured(model.state) == {"stripe": 10000}  # the provider knows its account
        assert model.balances == {**model.balances, "customer-deposits": -10000}
        assert model.notices == []


def test_parts_told_by_one_road_add_up_and_the_other_road_catches_up() -> None:
    parts = [told(PaymentCaptured, "c1", 3000), told(PaymentCaptured, "c2", 7000, 2)]
    model = Model().tell([placed(ORDER), parts[0]])
    model.tell([told(PaymentCaptured, "ch_1", 3000, road="provider")])
    assert sum(captured(model.state).values()) == 3000
    model.tell([told(PaymentCaptured, "ch_2", 7000, 2, road="provider"), parts[1]])
    assert sum(captured(model.state).values()) == 10000


def test_a_payment_told_with_another_amount_stops_the_order() -> None:
    model = Model().tell([placed(ORDER), told(PaymentAuthorized, "a", 10000)])
    with pytest.raises(NeedsDecision, match=r"payment a was told as 100\.00 USD and now as 90\.00"):
        model.tell([told(PaymentAuthorized, "a", 9000)])


def test_a_payment_in_another_currency_is_never_added() -> None:
    model = Model()
    with pytest.raises(NeedsDecision, match="in USD, but its payment a in ISK"):
        model.tell([placed(ORDER), told(PaymentAuthorized, "a", 10000, currency="ISK")])


HELD = told(PaymentAuthorized, "auth", 10000, until=NOON + timedelta(days=7))


@pytest.mark.parametrize(
    ("facts", "reason", "amount"),
    [
        (
            [told(PaymentCaptured, "c", 10400, 2, parent="auth")],
            "capture_beyond_authorization",
            400,
        ),
        (
            [told(PaymentCaptured, "c", 2500, 4), told(PaymentVoided, "v", 0, 3, parent="auth")],
            "capture_after_void",
            2500,
        ),
        ([told(PaymentFailed, "f", 10000, 2, parent="auth")], "capture_failed", 10000),
        (
            [
                told(PaymentCaptured, "c", 9500, 2),
                told(PaymentVoided, "v", 0, 3, parent="auth"),
                parcel("p", {"a": 1}),
            ],
            "settled_below_value",
            500,
        ),
        (
            [
                told(PaymentCaptured, "c", 10000, 2),
                told(PaymentCaptured, "ch", 9900, 2, road="provider"),
            ],
            "payment_roads_differ",
            100,
        ),
        (
            [
                told(PaymentCaptured, "c", 10000, 2),
                told(PaymentRefunded, "r", 3000, 3),
                told(RefundFailed, "r", 3000, 4),
            ],
            "refund_failed",
            3000,
        ),
        ([told(PaymentCaptured, "c", 10000, 2), dispute()], "payment_disputed", 10000),
        (
            [
                told(PaymentCaptured, "c", 10000, 2),
                dispute(),
                resolved("lost"),
                told(PaymentRefunded, "r", 4000, 3),
            ],
            "refund_while_disputed",
            4000,
        ),
    ],
)
def test_what_is_wrong_is_a_notice_with_its_amount_in_either_order(
    facts: list[Fact], reason: str, amount: int
) -> None:
    for ordered in (facts, facts[::-1]):
        model = Model().tell([placed(ORDER), HELD, *ordered])
        assert model.state.noticed == (reason,)
        model.tell([told(PaymentFailed, "again", 1, 30, intent="other")])  # told anew with money
        assert model.amounts[reason] == amount


def test_a_notice_ends_with_its_ground() -> None:
    failed = [
        told(PaymentCaptured, "c", 10000, 2),
        told(PaymentRefunded, "r", 3000, 3),
        told(RefundFailed, "r", 3000, 4),
    ]
    model = Model().tell([placed(ORDER), *failed])
    assert model.balances["customer-deposits"] == -10000  # owed again
    model.tell([told(PaymentRefunded, "r2", 3000, 5)])
    assert (model.state.noticed, model.settled) == ((), ["refund_failed"])
    assert model.balances["customer-deposits"] == -7000


def test_a_refund_told_by_channel_and_provider_goes_out_once() -> None:
    paid = [told(PaymentCaptured, "c", 10000, 2), told(PaymentCaptured, "ch", 10000, 2, road="p")]
    record = refund("r1", adjustments=[RefundAdjustment("goodwill", 3000)])
    (payment,) = record.payments
    record = msgspec.structs.replace(
        record, payments=(msgspec.structs.replace(payment, parent="c"),)
    )
    provider = told(PaymentRefunded, "re_1", 3000, 4, road="p")
    for facts in ([record, provider], [provider, record]):
        model = Model().tell([placed(ORDER), *paid, *facts])
        assert repaid(model.state) == {"visa": 3000}


def test_a_hold_without_an_end_lasts_as_long_as_the_terms_say() -> None:
    model = Model().tell([placed(ORDER), told(PaymentAuthorized, "auth", 10000, 0)])
    assert model.end_of_hold() == NOON + timedelta(days=7)
    model.tell([told(PaymentCaptured, "c", 4000, 1, parent="auth")])
    assert model.end_of_hold() == NOON + timedelta(days=7)
    clock = AuthorizationLapsing(
        reference="auth", until=NOON + timedelta(days=7), **{**about(9), "id": "lapse"}
    )
    model.tell([clock, clock])
    assert model.notices == ["authorization_lapsing"]
    assert model.end_of_hold() is None
    assert model.amounts["authorization_lapsing"] == 6000
    model.tell([told(PaymentCaptured, "c2", 6000, 2, parent="auth")])
    assert model.settled == ["authorization_lapsing"]


def test_a_card_redeemed_is_the_payment_with_that_card() -> None:
    used = told(PaymentCaptured, "t-9", 4000, 2, tender="gift-card", intent="", card="G-1234")
    ledger = GiftCardRedeemed(
        card="G-1234",
        amount=4000,
        currency="USD",
        reference="gct-1",
        order=KEY,
        tender="gift-card",
        **{**about(2), "id": "card/G-1234/gct-1"},
    )
    for facts in ([used, ledger], [ledger, used], [ledger]):
        model = Model().tell([placed(ORDER), *facts, capture(6000)])
        assert sum(captured(model.state).values()) == 10000
        assert model.items["gift-card-liability", "card/G-1234"] == 4000


def test_what_a_dispute_took_cannot_be_refunded_again() -> None:
    rank = rank_of(("card",), lambda tender: "card")
    model = Model().tell([placed(ORDER), told(PaymentCaptured, "c", 10000, 2), dispute(6000)])
    assert refundable(model.state, rank) == {"visa": 4000}
    model.tell([resolved("won", amount=5000)])
    assert refundable(model.state, rank) == {"visa": 9000}


def test_money_goes_back_to_the_card_it_came_from() -> None:
    used = told(PaymentCaptured, "t-9", 4000, 2, tender="gift-card", intent="", card="G-1234")
    back = told(PaymentRefunded, "r", 1500, 3, tender="gift-card", intent="", card="G-1234")
    model = Model().tell([back, placed(ORDER), used])
    assert model.items["gift-card-liability", "card/G-1234"] == 2500
