"""Goods that a till takes back: whoever sold them is told, breaches of policy are noticed. Pure.

The till's own record books money and goods where it stands. The order or sale they came from is
told so that it counts them as returned and neither refunds nor restocks them again.
"""

from __future__ import annotations

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.returns import GoodsReturned, ReturnedLine, ReturnTold
from tillbridge.canonical.sales import SaleLine, SaleRung, SaleVoided, with_receipt_taxes
from tillbridge.orchestration.orders.returns import fold_return
from tillbridge.orchestration.policies import Policies
from tillbridge.orchestration.sales.state import SaleState
from tillbridge.orchestration.terms import Whom

TOLD, VOIDED = "1", "2"
"""Versions: a till says once what it took back, and once that it was voided."""


def returned(body: SaleRung) -> tuple[GoodsReturned, ...]:
    """What each sale or order is told of goods that this one takes back, by key."""
    by_key: dict[str, list[SaleLine]] = {}
    for line in _back(body):
        key = line.link or _only(body)
        if key:
            by_key.setdefault(key, []).append(line)
    return tuple(
        GoodsReturned(
            key=key,
            id=f"{key}/return/{body.key}",
            source=body.source,
            mapping="hub/1",
            occurred_at=body.occurred_at,
            business_date=body.business_date,
            entities=body.entities,
            return_id=body.key,
            version=TOLD,
            location=body.location,
            lines=tuple(ReturnedLine("", -line.quantity, line.product) for line in lines),
            refunded_by=body.key,
            rung=tuple(lines),
            currency=body.currency,
        )
        for key, lines in by_key.items()
    )


def voided(body: SaleVoided, told: tuple[str, ...]) -> tuple[GoodsReturned, ...]:
    """The buyer took them home again: nothing came back of these sales and orders."""
    return tuple(
        GoodsReturned(
            key=key,
            id=f"{key}/return/{body.voided}/void",
            source=body.source,
            mapping="hub/1",
            occurred_at=body.occurred_at,
            business_date=body.business_date,
            entities=body.entities,
            return_id=body.voided,
            version=VOIDED,
            location=body.location,
            lines=(),
            refunded_by=body.voided,
        )
        for key in told
    )


def fold_back(state: SaleState, body: ReturnTold) -> bool:
    """What became of goods of this sale; False when it tells nothing new."""
    back = dict(state.returns.back)
    if not fold_return(back, body):
        return False
    state.returns = msgspec.structs.replace(state.returns, back=back)
    return True


def remembered(state: SaleState, emits: tuple[GoodsReturned, ...]) -> None:
    """Keep who was told, for a void."""
    if emits:
        keys = tuple(body.key for body in emits)
        state.returns = msgspec.structs.replace(state.returns, told=keys)


def without_receipt(body: SaleRung, policies: Policies) -> tuple[NeedsDecision, ...]:
    """A notice where goods came back that nobody can say were sold, against what is written; a till
    cannot be refused.
    """
    unlinked = [line for line in _back(body) if not (line.link or body.links)]
    if not unlinked:
        return ()
    entity = body.entities.selling
    brand = policies.of(body.channel, entity).brand
    whom = Whom(body.channel, entity, "", brand, body.business_date)
    written, place = dict(policies.sale.said(whom)).get("return_without_receipt", ("", ""))
    given = {one.kind for one in body.tenders if one.amount < 0}
    if not written or (written == "store_credit" and given <= {"store_credit"}):
        return ()
    amount = -sum(line.gross for line in unlinked)
    wanted = "gives store credit alone" if written == "store_credit" else "takes nothing back"
    return (
        NeedsDecision(
            "return_without_receipt",
            f"{body.location} paid back goods without a receipt by "
            f"{', '.join(sorted(given)) or 'exchange'}; the policy ({place}) {wanted}",
            owner="stores",
            amount=amount,
            currency=body.currency,
            details={"till": body.till, "sequence": body.sequence},
        ),
    )


def _back(body: SaleRung) -> list[SaleLine]:
    """Goods that were handed over, with their part of the receipt's taxes; what is given up before
    that is told as such (aisle).
    """
    if all(line.direction != "return" for line in body.lines):
        return []
    return [
        line
        for line in with_receipt_taxes(body)
        if line.direction == "return" and line.kind == "goods" and not line.fulfil
    ]


def _only(body: SaleRung) -> str:
    """The one sale or order the receipt names; of several nobody knows which line is whose."""
    return body.links[0] if len(body.links) == 1 else ""
