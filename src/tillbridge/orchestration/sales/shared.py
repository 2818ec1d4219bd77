"""What of a till sale concerns partners: target less booked, by what is agreed. Pure.

The sale's own record is booked as ours; SaleShared takes out of our books what is the partner's.
What a till takes back of a sale counts where it was sold, so that what all of it was shared for
comes back to the cent, whichever piece came last.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.partners import KEPT_TENDERS, SHARED_KINDS, SaleShared
from tillbridge.canonical.registry import Body
from tillbridge.canonical.sales import SaleLine, SaleRung, with_receipt_taxes
from tillbridge.canonical.valued import ValuedLine, ValuedTax, ValuedTender
from tillbridge.orchestration.partners import Deal, Partners, Place
from tillbridge.orchestration.sales.share_state import SEP, Share, Shared
from tillbridge.orchestration.sales.state import SaleState


def sold_here(body: SaleRung, partners: Partners) -> Shared | None:
    """What a receipt sold for partners; None where no deal is for it. Lines that say which sale
    they return from count there.
    """
    place = Place(body.location, body.channel, body.entities.selling, body.business_date)
    only = body.links[0] if len(body.links) == 1 else ""
    lines = [line for line in with_receipt_taxes(body) if _own(line, only)]
    found: dict[str, Share] = {}
    _add(found, lines, place, partners)
    keeper = partners.keeper(place)
    if keeper is not None:
        share = found.setdefault(_name(keeper), Share(keeper))
        for tender in body.tenders:
            if tender.kind in KEPT_TENDERS:
                name = SEP.join((tender.tender, tender.kind))
                share.tenders[name] = share.tenders.get(name, 0) + tender.amount
    if not found:
        return None
    return Shared(place.location, place.channel, place.day, found)


def _own(line: SaleLine, only: str) -> bool:
    """Whether a line counts for the receipt it stands on."""
    back = line.link or only if line.direction == "return" else ""
    return not line.fulfil and not back.startswith("sale/")


def shares(state: SaleState, body: Fact, partners: Partners) -> tuple[Body, ...]:
    """SaleShared per deal for what differs from what is booked; state is brought up to it."""
    known = state.returns
    own = known.shared
    target: dict[str, Share] = {}
    if own is not None and not state.voided:
        target = {name: share.copied() for name, share in own.sold.items()}
    for one in known.back.values():
        for receipt in one.receipts.values():
            where = (own.location, own.channel, own.day) if own is not None else None
            location, channel, day = where or (receipt.location, "", body.business_date)
            place = Place(location, channel, body.entities.selling, day)
            _add(target, receipt.rung, place, partners)
    booked = known.booked
    facts: list[Body] = []
    for name in sorted(target.keys() | booked.keys()):
        deal = (target.get(name) or booked[name]).deal
        now = (target.get(name) or Share(deal)).with_commission()
        before = booked.get(name) or Share(deal)
        if now != before:
            number = known.tellings + len(facts) + 1
            facts.append(_fact(state, body, now.less(before), number))
            booked = {**booked, name: now}
    if facts:
        state.returns = msgspec.structs.replace(
            known, booked=booked, tellings=known.tellings + len(facts)
        )
    return tuple(facts)


def _add(
    found: dict[str, Share], lines: Iterable[SaleLine], place: Place, partners: Partners
) -> None:
    for line in lines:
        deal = partners.deal(place, line.department) if line.kind in SHARED_KINDS else None
        if deal is None:
            continue
        share = found.setdefault(_name(deal), Share(deal))
        name = SEP.join((line.kind, line.department, line.promotion))
        listed, discount = share.lines.get(name, (0, 0))
        share.lines[name] = (listed + line.list, discount + line.discount)
        for tax in line.taxes:
            share.taxes[tax.jurisdiction] = share.taxes.get(tax.jurisdiction, 0) + tax.amount


def _name(deal: Deal) -> str:
    return SEP.join((deal.partner, deal.mode, deal.collects, str(deal.rate_ppm)))


def _fact(state: SaleState, body: Fact, step: Share, number: int) -> SaleShared:
    deal = step.deal
    common: dict[str, Any] = {
        "key": state.key,
        "id": f"{state.key}/shared/{number}",
        "source": "hub",
        "mapping": "hub/1",
        "occurred_at": body.occurred_at,
        "business_date": body.business_date,
        "entities": body.entities,
    }
    return SaleShared(
        currency=state.currency or getattr(body, "currency", ""),
        order=state.key,
        location=state.location or getattr(body, "location", ""),
        partner=deal.partner,
        mode=deal.mode,
        collects=deal.collects,
        net=step.net,
        rate_ppm=deal.rate_ppm,
        commission=step.commission,
        policy=deal.policy,
        lines=tuple(
            ValuedLine(kind, listed, discount, department, promotion)
            for name, (listed, discount) in sorted(step.lines.items())
            for kind, department, promotion in (name.split(SEP),)
        ),
        taxes=tuple(ValuedTax(name, amount) for name, amount in sorted(step.taxes.items())),
        tenders=tuple(
            ValuedTender(tender, amount, kind)
            for name, amount in sorted(step.tenders.items())
            for tender, kind in (name.split(SEP),)
        ),
        **common,
    )
