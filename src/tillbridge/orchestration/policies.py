"""What the deciders may know of the workspace: per channel, as plain data."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tillbridge.canonical.orders import Order
from tillbridge.canonical.payments import TENDER_KINDS
from tillbridge.orchestration.partners import Partners
from tillbridge.orchestration.sourcing import Sourcing
from tillbridge.orchestration.terms import OrderTerms, TermsOfSale, whom

# between a tender and the card its money lies on
PURSE_SEP = "\x1f"


class ChannelPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel's orders are handled.

    entity: selling legal entity. fulfil_from: our location codes in order of preference.
    gl: who owns the ledger for this flow, `documents` or `journals`. pays_papers: the ERP is told
    what buyers paid, so its invoices are paid from there. erp: whether documents are
    sent at all. order_point: `paid` or `placed`, when the sales order goes to the ERP.
    nearest: minor units a kilometre to the buyer counts for, None = fulfil_from as it is written.
    split_most: over how many locations an order may be spread. backorder: what is not there may be
    promised out of expected supply; preorder: products that may be although others may not.
    receipts_repeat: the numbers on its tills' receipts come again within a day, and prove nothing.
    brand: under which the channel sells.
    tells_goods: the ERP keeps its stock by documents of goods, invoices move none.
    tax_service: connection that works out tax nobody told, "" = none. tax_needed: how a return is
    booked before it has answered, `wait` or `as_sold` (with its part of the sale's tax).
    tax_records: we owe the tax, so the service keeps what is earned and taken back.
    suppliers: places that keep no stock of ours and send to its buyers, in order of preference.
    tells_channel: the connection an order came by is told what became of its goods.
    """

    channel: str
    entity: str
    fulfil_from: tuple[str, ...] = ()
    gl: str = "documents"
    pays_papers: bool = False
    erp: bool = True
    order_point: str = "paid"
    nearest: int | None = None
    split_most: int = 1
    backorder: bool = False
    preorder: tuple[str, ...] = ()
    receipts_repeat: bool = False
    brand: str = ""
    tells_goods: bool = False
    tax_service: str = ""
    tax_needed: str = "wait"
    tax_records: bool = False
    suppliers: tuple[str, ...] = ()
    tells_channel: bool = False

    @property
    def waits_for_tax(self) -> bool:
        """Whether a return without tax is booked only once its tax is worked out."""
        return bool(self.tax_service) and self.tax_needed == "wait"


class Keeper(msgspec.Struct, frozen=True):
    """Whose goods stand at a location, where the ERP is told of their moves: entity, its ERP's
    connection and its functional currency.
    """

    entity: str
    erp: str
    currency: str


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """All channels' policies; a channel nobody configured gets the defaults of its entity.

    tender_kinds: our tender code -> kind (TENDER_KINDS). A code that reads like a kind is that
    kind (`gift-card` -> gift_card); any other is a card. sourcing: where locations are. sale: what
    the business wrote of windows, refunds and limits. keepers: location -> who keeps its goods in
    an ERP. run_by: location -> connection of those who pick there, where they are asked. suppliers:
    location that keeps no stock of ours -> products it sends to buyers. partners: whose goods a
    place sells, or who sells ours. owners: location -> entity whose goods stand there.
    """

    channels: Mapping[str, ChannelPolicy] = {}
    tender_kinds: Mapping[str, str] = {}
    sourcing: Sourcing = msgspec.field(default_factory=Sourcing)
    sale: TermsOfSale = msgspec.field(default_factory=TermsOfSale)
    keepers: Mapping[str, Keeper] = {}
    run_by: Mapping[str, str] = {}
    suppliers: Mapping[str, frozenset[str]] = {}
    partners: Partners = Partners()
    owners: Mapping[str, str] = {}

    def keeper(self, location: str) -> Keeper | None:
        """Who keeps a location's goods; None where no ERP is told of their moves."""
        return self.keepers.get(location)

    def kind_of(self, tender: str) -> str:
        """Kind of a tender of ours, also where a card's id follows it."""
        tender = tender.partition(PURSE_SEP)[0]
        named = self.tender_kinds.get(tender)
        if named is not None:
            return named
        plain = tender.replace("-", "_")
        return plain if plain in TENDER_KINDS else "card"

    def of(self, channel: str, entity: str) -> ChannelPolicy:
        """Policy of a channel."""
        found = self.channels.get(channel)
        return found if found is not None else ChannelPolicy(channel=channel, entity=entity)

    def terms(self, order: Order, entity: str) -> OrderTerms:
        """The terms of an order; entity: who sells it."""
        return self.sale.of(whom(order, entity, self.of(order.channel, entity).brand))
