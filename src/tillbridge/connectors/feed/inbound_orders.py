"""Orders of a shop, marketplace or call centre: the rows of one order become OrderPlaced. Pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from tillbridge.atoms.ids import party_id
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.orders import Order, OrderLine, OrderPlaced, Place
from tillbridge.connectors.feed.delivery import Delivery, differ
from tillbridge.connectors.feed.fields import Reading, unreadable
from tillbridge.contract.promises import Translation

_PERSONAL = tuple(name for name in PartyDetails.__struct_fields__ if name != "party")


def order(delivery: Delivery) -> Translation:
    """One OrderPlaced with the order's version, and the buyer for the vault. What a later version
    changes is booked on the day of that version.
    """
    head = delivery.head()
    currency = delivery.currency_of(head)
    head = delivery.head(currency=currency)
    location = delivery.name("location", head, "location")
    zone = delivery.zone(location)
    placed = _instant(head, "placed_at", zone)
    told = head.instant("version", zone) or placed
    version = _version(told)
    lines = tuple(_line(delivery, line) for line in delivery.parts("line", currency))
    if not lines:
        raise unreadable(delivery.places[0], "the order has no line")
    key = delivery.key("order", *delivery.identity())
    parties = _buyer(delivery, head)
    tender = delivery.name("tender", head, "tender")
    fact = OrderPlaced(
        **delivery.carried(
            key, f"{key}@{version}", told, told.astimezone(ZoneInfo(zone)).date(), location
        ),
        order=Order(
            number=head.text("number"),
            channel=delivery.name("channel", head, "channel") or delivery.connection.channel,
            currency=currency,
            version=version,
            placed_at=placed,
            total=_proven_total(head, lines, currency),
            lines=lines,
            party=parties[0].party if parties else "",
            ship_to=Place(head.text("country"), head.text("region"), head.text("postcode_area")),
            paid_stated=head.amount("paid"),
            tenders=(tender,) if tender else (),
            location=location,
            collect_at=delivery.name("location", head, "collect_at"),
            replaces=delivery.key("order", head.text("replaces")) if head.text("replaces") else "",
            cancelled_at=head.instant("cancelled_at", zone),
            test=head.flag("test"),
            payment_days=_payment_days(head),
        ),
    )
    return Translation(facts=(fact,), parties=parties)


def _line(delivery: Delivery, line: Reading) -> OrderLine:
    kind = line.choice("kind", "goods")
    quantity = line.quantity("quantity") or 0
    amounts = delivery.amounts(line)
    product = delivery.name("product", line, "product", line.text("title"))
    if kind == "goods" and not line.has("product"):
        raise unreadable(line.where("product"), "goods without a product")
    return OrderLine(
        line=line.text("line") or str(line.number),
        kind=kind,
        product=product,
        quantity=quantity,
        list=amounts.list,
        discount=amounts.discount,
        taxes=amounts.taxes,
        unit=line.text("unit") or "EA",
        department=delivery.name("department", line, "department"),
        promotion=line.text("promotion"),
        title=line.text("title"),
        ships=line.flag("ships", otherwise=kind == "goods"),
    )


def _payment_days(head: Reading) -> int | None:
    """How many days after an invoice it is due; None where the order is paid as it is placed."""
    days = head.quantity("payment_days")
    if days is None:
        return None
    if days < 0 or days % 1000:
        raise unreadable(head.where("payment_days"), "payment_days is no whole number of days")
    return days // 1000


def _buyer(delivery: Delivery, head: Reading) -> tuple[PartyDetails, ...]:
    """The buyer's personal data for the vault; facts only carry the opaque id."""
    person = next(delivery.parts("person"), None)
    details = {field: person.text(field) for field in _PERSONAL} if person else {}
    known_as = head.text("party") or details.get("email", "").lower()
    if not known_as and not any(details.values()):
        return ()
    identifier = known_as or "order/" + "/".join(delivery.identity())
    party = party_id(delivery.connection.name, identifier)
    return (PartyDetails(party=party, **details),)


def _proven_total(head: Reading, lines: tuple[OrderLine, ...], currency: str) -> int:
    """What the buyer owes in minor units: the sum of the lines, which a stated total must meet."""
    found = sum(line.gross for line in lines)
    stated = head.amount("total")
    if stated is not None and stated != found:
        words = f"{head.where('total')}: the lines are"
        raise differ(words, found, "the order says", stated, currency, "ecommerce")
    return found


def _instant(head: Reading, field: str, zone: str) -> datetime:
    found = head.instant(field, zone)
    if found is None:
        raise unreadable(head.where(field), f"{field} is empty")
    return found


def _version(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
