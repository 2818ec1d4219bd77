"""The books of one simulated Stripe account: every movement of its balance, and its payouts.

A payout takes everything that is not in one yet; its own transaction is negative and one of its
members. One that fails brings its amount back by a transaction that goes into the next.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tillbridge.atoms.clock import Clock

_ARRIVES_AFTER = timedelta(days=2)


class StripeBooks:
    """Amounts in minor units. Lists are kept newest first, as the API shows them."""

    def __init__(
        self, name: str, clock: Clock, *, live: bool = True, currency: str = "usd"
    ) -> None:
        self.name = name
        self._clock = clock
        self._live = live
        self._currency = currency
        self._transactions: list[dict[str, Any]] = []
        self._payouts: list[dict[str, Any]] = []
        self._sources: dict[str, dict[str, Any]] = {}
        self._in: dict[str, str] = {}

    def rows(self, what: str) -> list[dict[str, Any]]:
        """All objects of a list, newest first."""
        return self._payouts if what == "payouts" else self._transactions

    def members(self, payout: str) -> set[str]:
        """Transactions of a payout; none before it is reconciled."""
        if self._payout(payout)["reconciliation_status"] != "completed":
            return set()
        return {line for line, of in self._in.items() if of == payout}

    def source(self, name: str | None) -> dict[str, Any] | str | None:
        """What moved the money, expanded."""
        return self._sources.get(name, name) if name else None

    def charge(self, charge: str, amount: int, fee: int, intent: str = "", order: str = "") -> None:
        """A card was charged."""
        details = {"name": "Canaria Featherstone", "email": "canaria@birds.example"}
        self._sources[charge] = {
            "id": charge,
            "object": "charge",
            "amount": amount,
            "billing_details": details,
            "payment_intent": intent or None,
            "metadata": {"order": order} if order else {},
        }
        self._moved(amount, fee, "charge", "charge", charge)

    def refund(self, refund: str, charge: str, amount: int) -> None:
        """Money was given back."""
        self._sources[refund] = self._about(refund, "refund", charge)
        self._moved(-amount, 0, "refund", "refund", refund)

    def dispute(self, dispute: str, charge: str, amount: int, fee: int) -> None:
        """The buyer's bank took the money back."""
        self._sources[dispute] = self._about(dispute, "dispute", charge)
        self._moved(-amount, fee, "adjustment", "dispute", dispute)

    def win(self, dispute: str, amount: int) -> None:
        """A dispute was decided for us."""
        self._moved(amount, 0, "adjustment", "dispute_reversal", dispute)

    def pay_out(self, payout: str, *, reconciled: bool = True, automatic: bool = True) -> int:
        """Send what is there to the bank; gives the amount. A manual payout names no members."""
        waiting = [one for one in self._transactions if one["id"] not in self._in]
        amount: int = sum(one["net"] for one in waiting)
        now = self._clock.now()
        self._payouts.insert(
            0,
            {
                "id": payout,
                "object": "payout",
                "amount": amount,
                "arrival_date": int((now + _ARRIVES_AFTER).timestamp()),
                "automatic": automatic,
                "created": int(now.timestamp()),
                "currency": self._currency,
                "destination": f"ba_{self.name}",
                "failure_code": None,
                "failure_message": None,
                "livemode": self._live,
                "metadata": {},
                "reconciliation_status": (
                    "not_applicable"
                    if not automatic
                    else "completed"
                    if reconciled
                    else "in_progress"
                ),
                "status": "pending",
                "trace_id": None,
            },
        )
        own = self._moved(-amount, 0, "payout", "payout", payout)
        for one in (*waiting, own):
            self._in[one["id"]] = payout
        return amount

    def reconcile(self, payout: str) -> None:
        """Its transactions can be listed from now on."""
        self._payout(payout)["reconciliation_status"] = "completed"

    def send(self, payout: str) -> None:
        """It is on its way to the bank."""
        self._payout(payout)["status"] = "in_transit"

    def arrive(self, payout: str, trace: str = "") -> None:
        """The bank has it."""
        told = self._payout(payout)
        told["status"] = "paid"
        told["trace_id"] = {"status": "supported", "value": trace} if trace else None

    def fail(self, payout: str, words: str = "The bank account has been closed.") -> None:
        """The bank refused it, perhaps days after it was called paid."""
        told = self._payout(payout)
        told |= {"status": "failed", "failure_code": "account_closed", "failure_message": words}
        self._moved(told["amount"], 0, "payout_failure", "payout_reversal", payout)

    def _payout(self, name: str) -> dict[str, Any]:
        return next(one for one in self._payouts if one["id"] == name)

    def _about(self, name: str, kind: str, charge: str) -> dict[str, Any]:
        intent = self._sources[charge]["payment_intent"]
        return {"id": name, "object": kind, "charge": charge, "payment_intent": intent}

    def _moved(
        self, amount: int, fee: int, type_: str, category: str, source: str
    ) -> dict[str, Any]:
        row = {
            "id": f"txn_{self.name}_{len(self._transactions) + 1:06}",
            "object": "balance_transaction",
            "amount": amount,
            "available_on": int(self._clock.now().timestamp()),
            "balance_type": "payments",
            "created": int(self._clock.now().timestamp()),
            "currency": self._currency,
            "description": None,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [],
            "net": amount - fee,
            "reporting_category": category,
            "source": source,
            "status": "available",
            "type": type_,
        }
        self._transactions.insert(0, row)
        return row
