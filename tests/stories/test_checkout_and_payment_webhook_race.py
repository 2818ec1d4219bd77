"""The checkout's answer, the order and the provider's webhook come at once: one order, one payment.

Other systems lose the order or take the money twice, one time in twenty. Here the payment intent is
the identity: whoever comes second adds a proof and no money.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import pytest

from tests.stories.checkout import Checkout, checkout
from tests.stories.shop import House, house


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def tellers(web: Checkout, number: str) -> dict[str, Callable[[], object]]:
    """Who tells of the payment of an order, none of whom waits for another."""
    intent = f"pi_{number}"
    return {
        "order": lambda: web.order(number, "65.00", paid="65.00", tender="card", flow=False),
        "answer": lambda: web.payment(
            number, "captured", f"checkout-{number}", "65.00", intent=intent, flow=False
        ),
        "webhook": lambda: web.payment(
            number,
            "captured",
            f"ch_{number}",
            "65.00",
            intent=intent,
            told_by="provider",
            flow=False,
        ),
    }


def test_whoever_comes_first_the_money_is_booked_once(shop: House) -> None:
    with checkout(shop) as web:
        for round_, names in enumerate(permutations(("order", "answer", "webhook"))):
            told = tellers(web, f"C-{round_}")
            for name in names:
                told[name]()
                if round_ % 2:  # each by itself, or all in one go
                    shop.flow()
            told[names[-1]]()  # and once more
            shop.flow()
    assert shop.cases() == []
    assert shop.balances() == {"clearing/card": 6 * 6500, "customer-deposits": -6 * 6500}
    assert not shop.drain().moving
    assert shop.erp.store.counts() == {"sales_order": 6}
    assert shop.erp.store.duplicates() == {}
    assert shop.stock("P1") == (20, 6)
    assert shop.statuses() == {f"C-{n}": "paid" for n in range(6)}
    # both tellings are kept as proof of the one payment
    kept = shop.rows("select count(*) from record where type = 'PaymentCaptured'")
    assert kept == [(6 * 2 + 4,)]  # four times the last one to speak told a payment again
    assert shop.lies() == []


def test_a_payment_that_is_really_taken_twice_is_a_case_with_its_amount(shop: House) -> None:
    with checkout(shop) as web:
        web.payment("C-9", "authorized", "auth-9", "65.00", intent="pi_9")
        web.order("C-9", "65.00")
        web.payment("C-9", "captured", "ch_a", "65.00", intent="pi_9", parent="auth-9")
        assert shop.cases() == []
        web.payment("C-9", "captured", "ch_b", "65.00", intent="pi_9", parent="auth-9")
        assert shop.rows("select reason, owner, amount from exception_case") == [
            ("capture_beyond_authorization", "finance", 6500)
        ]
        assert shop.balances() == {"clearing/card": 13000, "customer-deposits": -13000}
        web.payment("C-9", "refunded", "re_1", "65.00", intent="pi_9", parent="ch_b")
    assert shop.balances() == {"clearing/card": 6500, "customer-deposits": -6500}
    assert shop.lies(quiesced=False) == []
