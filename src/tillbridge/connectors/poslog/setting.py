"""Where, when and under which names a till transaction is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from tillbridge.canonical.fact import Entities
from tillbridge.connectors.poslog import wire
from tillbridge.connectors.poslog.coins import Coins
from tillbridge.connectors.poslog.config import PoslogSettings
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What all facts of one transaction share."""

    connection: Connection
    settings: PoslogSettings
    names: Names
    header: wire.Header
    key: str
    location: str
    occurred_at: datetime
    entities: Entities
    mapping: str

    @property
    def currency(self) -> str:
        """Currency of the transaction, else of the connection."""
        return self.header.currency or self.connection.currency

    def coins(self) -> Coins:
        """Minor units of the currency."""
        return Coins(self.currency)

    def in_currency(self, currency: str) -> Setting:
        """The same in another currency."""
        header = msgspec.structs.replace(self.header, currency=currency)
        return msgspec.structs.replace(self, header=header)

    def fact(self) -> dict[str, Any]:
        """Fields every fact of the transaction has; key and id are its own."""
        return {
            "key": self.key,
            "id": self.key,
            "source": self.connection.name,
            "mapping": self.mapping,
            "occurred_at": self.occurred_at,
            "business_date": self.header.day,
            "entities": self.entities,
            "location": self.location,
            "till": self.header.till,
            "sequence": self.header.sequence,
        }

    def tender(self, tender_type: str, tender_id: str, card_type: str, where: str) -> str:
        """Our code of a tender."""
        theirs = self.tender_name(tender_type, tender_id, card_type)
        return self.names.ours("tender", theirs, where=where, hint=tender_type)

    def tender_name(self, tender_type: str, tender_id: str, card_type: str) -> str:
        """Their name of a tender: its type, and its id or the type of card where told."""
        detail = (tender_id if self.settings.tender_ids else "") or card_type
        return f"{tender_type}:{detail}" if detail else tender_type
