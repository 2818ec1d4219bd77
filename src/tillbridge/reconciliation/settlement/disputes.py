"""Disputes that only a settlement tells of: the webhook was missed, and the money is gone.

A line of that kind about a payment of an order the hub knows is told to that order as what it is,
under the provider's own id of the dispute, so that the webhook, should it still come, is a second
telling of the same. The order then books it and its case opens; the line finds it at the next look.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tillbridge.canonical.fact import Entities
from tillbridge.canonical.payments import DisputeResolved, PaymentDisputed
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.settlement.rules import Account

QUERIES = load("tillbridge.reconciliation.settlement", "disputes.sql", "untold")


def untold_disputes(
    connection: Connection, account: Account, now: datetime
) -> list[PaymentDisputed | DisputeResolved]:
    """What orders are to be told; the caller appends it to the log in this transaction. An end is
    told once its beginning is known.
    """
    values = {
        "account": account.name,
        "tenders": list(account.tenders),
        "orders": list(account.rules.orders),
    }
    found: list[PaymentDisputed | DisputeResolved] = []
    for dispute, type_, currency, gross, fee, at, paid_on, key, *payment in connection.execute(
        QUERIES.untold, values
    ):
        tender, reference, intent = payment
        about: dict[str, Any] = {
            "key": key,
            "id": f"{key}/dispute/{dispute}/{type_}",
            "source": account.name,
            "mapping": "settlement/1",
            "occurred_at": at or now,
            "business_date": at.date() if at else paid_on or now.date(),
            "entities": Entities(selling=account.entity),
            "dispute": dispute,
            "currency": currency,
        }
        if type_ == "chargeback":
            found.append(
                PaymentDisputed(
                    tender=tender,
                    amount=-gross,
                    fee=fee,
                    reference=reference,
                    intent=intent,
                    **about,
                )
            )
        else:
            found.append(DisputeResolved(outcome="won", amount=gross, **about))
    return found
