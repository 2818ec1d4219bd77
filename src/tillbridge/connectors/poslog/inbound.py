"""From POSLog transactions to facts. Pure: same message and names, same facts.

Says what kind of thing a transaction is and who, where and when it was; `sales.py` tells receipts,
`tills.py` everything else a till does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import key_of
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.registry import Body
from tillbridge.connectors.poslog import drawer, fields, wire
from tillbridge.connectors.poslog.config import PoslogSettings
from tillbridge.connectors.poslog.fields import Element
from tillbridge.connectors.poslog.lines import retail_of
from tillbridge.connectors.poslog.sales import rung
from tillbridge.connectors.poslog.setting import Setting
from tillbridge.connectors.poslog.tills import cash_moved, closed, noted, voided
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection, Message, Translation
from tillbridge.contract.wire import WireError

# Raise it with every change of what the same bytes mean; facts carry it.
MAPPING = "poslog/1"
_CANCELLED = re.compile(r"^(voided|cancel+ed|suspendeddeleted|failed|aborted)$", re.IGNORECASE)
_SUSPENDED = re.compile(r"^suspend", re.IGNORECASE)
_POST_VOID = re.compile(r"post-?void|voidtransaction", re.IGNORECASE)
_VOIDS = re.compile(r"void", re.IGNORECASE)

Told = tuple[list[Body], list[PartyDetails]]


def translate(message: Message, connection: Connection, names: Names) -> Translation:
    """Facts of the transaction(s) of a message; raises NeedsDecision when it cannot be believed."""
    if message.topic != wire.TOPIC:
        raise NeedsDecision("topic_unknown", f"topic {message.topic!r} is not read")
    found = wire.transactions(fields.parse(message.body))
    if not found:
        raise WireError("the document holds no Transaction")
    facts: list[Body] = []
    parties: dict[str, PartyDetails] = {}
    for transaction in found:
        told, people = _told(transaction, connection, names)
        facts += told
        parties.update({each.party: each for each in people})
    return Translation(facts=tuple(facts), parties=tuple(parties.values()))


def _told(transaction: Element, connection: Connection, names: Names) -> Told:
    header = wire.header_of(transaction)
    setting = _setting(header, connection, names)
    if header.training:
        return [noted(setting, "training")], []
    if header.cancelled:
        return [noted(setting, "cancelled")], []
    kind, body = wire.body_of(transaction)
    if body is None:
        raise WireError("the transaction does not say what happened")
    teller = _TELLERS.get(kind)
    if teller is None:
        raise NeedsDecision(
            "kind_unsupported",
            f"transaction {header.sequence} of till {header.till} is a {kind}, which is not read:"
            " orders and deposits belong to an order system",
            owner="stores",
        )
    return teller(setting, body)


def _setting(header: wire.Header, connection: Connection, names: Names) -> Setting:
    """Where and when, in our words."""
    where = f"transaction {header.sequence} of till {header.till}"
    location = names.ours("location", header.store, where=where, hint=f"store {header.store}")
    zone = connection.location_zones.get(location, connection.timezone)
    settings = connection.settings
    return Setting(
        connection=connection,
        settings=settings if isinstance(settings, PoslogSettings) else PoslogSettings(),
        names=names,
        header=header,
        key=key_for(connection, header.store, header.till, header.day, header.sequence),
        location=location,
        occurred_at=_instant(header.moment, zone),
        entities=Entities(connection.location_entities.get(location, connection.entity)),
        mapping=MAPPING,
    )


def key_for(connection: Connection, store: str, till: str, day: date, sequence: str) -> str:
    """Aggregate key of a till transaction, in the till's own words."""
    return key_of("sale", connection.name, store, till, day.isoformat(), sequence)


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _instant(moment: datetime, zone: str) -> datetime:
    """UTC instant; a time without zone is local to the store."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=_zone(zone))
    return aware.astimezone(UTC)


def _retail(setting: Setting, body: Element) -> Told:
    """A receipt, or what became of one."""
    retail = retail_of(body)
    status = retail.status.rpartition(":")[2]
    code = setting.header.type_code
    if _CANCELLED.match(status):
        return [noted(setting, "cancelled")], []
    if _POST_VOID.search(status) or _POST_VOID.search(code) or _void_link(retail):
        return [voided(setting, _link_to_void(setting, retail)), noted(setting, "control")], []
    tenders = any(isinstance(line.part, wire.Tender) for line in retail.lines)
    if _SUSPENDED.match(status) and not tenders:
        return [noted(setting, "suspended")], []
    sale, parties = rung(setting, retail)
    if not (sale.lines or sale.tenders or sale.taxes or sale.total):
        return [noted(setting, "cancelled")], []
    return [sale], parties


def _void_link(retail: wire.Retail) -> bool:
    return any(_VOIDS.search(link.reason) for link in retail.links)


def _link_to_void(setting: Setting, retail: wire.Retail) -> str:
    """Key of the sale a post-void takes back; what its link leaves out is as in the void itself."""
    links = [link for link in retail.links if _VOIDS.search(link.reason)] or list(retail.links)
    sequences = {link.sequence for link in links if link.sequence}
    if len(sequences) != 1:
        raise NeedsDecision(
            "link_missing",
            f"transaction {setting.header.sequence} of till {setting.header.till} voids a sale"
            " afterwards, but does not say which one",
            owner="stores",
        )
    link = next(each for each in links if each.sequence)
    header = setting.header
    return key_for(
        setting.connection,
        link.store or header.store,
        link.till or header.till,
        link.day or header.day,
        link.sequence,
    )


def _control(setting: Setting, body: Element) -> Told:
    """Sign-on, no-sale, opening and closing."""
    action = drawer.action_of(body)
    if action.kind == "closed":
        return [closed(setting, action)], []
    if action.kind in drawer.CASH_KINDS:
        return list(cash_moved(setting, action)), []
    return [noted(setting, action.kind)], []


def _tender_control(setting: Setting, body: Element) -> Told:
    """Cash that moves; an unknown kind of it is never passed over."""
    action = drawer.action_of(body)
    if action.kind == "control" and drawer.has_amounts(body):
        raise NeedsDecision(
            "kind_unsupported",
            f"transaction {setting.header.sequence} of till {setting.header.till} moves money as"
            f" {action.name!r}, which is not known",
            owner="stores",
        )
    return _control(setting, body)


def _inventory(setting: Setting, body: Element) -> Told:
    del body
    return [noted(setting, "inventory")], []


_TELLERS: dict[str, Callable[[Setting, Element], Told]] = {
    "RetailTransaction": _retail,
    "ControlTransaction": _control,
    "TenderControlTransaction": _tender_control,
    "InventoryControlTransaction": _inventory,
    "InventoryTransaction": _inventory,
}
