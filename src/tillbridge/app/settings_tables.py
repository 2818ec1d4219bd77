"""The tables of `tillbridge.toml`: what a workspace may say, and what holds where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from tillbridge.durable.windows import Windows, windows_of
from tillbridge.publishing.availability.rules import PublishRules
from tillbridge.reconciliation.settlement.rules import SettleRules
from tillbridge.reconciliation.stock.rules import CompareRules
from tillbridge.reconciliation.tills.rules import DAYS, TillRules


class Secret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a secret is: a file below the workspace, or an environment variable."""

    file: str = ""
    env: str = ""


class EntitySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A legal entity. erp: connection name of its ERP, "" = none. gl: flow -> who owns the
    ledger, `documents` (the ERP books) or `journals` (the hub sends its entries). payments: what
    no document of the ERP books (deposits, refunds, settlement, cards) where gl = documents:
    `journals` (the hub sends its entries, invoices are paid from them) or `hub` (not told).
    tells_goods: the ERP keeps its stock by deliveries, customer returns and stock moves; its
    invoices move none.
    cost: who values its stock, the ERP (the hub tells it quantities alone) or the hub.
    """

    code: str
    name: str = ""
    currency: str
    erp: str = ""
    gl: Mapping[str, str] = {}
    payments: str = "hub"
    tells_goods: bool = False
    cost: Literal["erp", "hub"] = "erp"


class LocationSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A store or warehouse of ours. open_days: when a store trades (`mon` to `sun`).

    groups: names under which rules and channels mean several places. latitude, longitude: degrees.
    cost: of a parcel from there, minor units of its entity. capacity: orders it works on at once,
    0 = any number. ships: whether parcels leave from there. collects: whether buyers may collect.
    run_by: connection of those who pick there and are asked for what an order holds there, "" =
    nobody is asked. keeps_stock: false = a supplier that sends to our buyers what is his (supplies:
    products he has), of which nothing stands in our books.
    """

    code: str
    entity: str
    kind: str = "store"
    timezone: str = "UTC"
    name: str = ""
    open_days: tuple[str, ...] = DAYS
    groups: tuple[str, ...] = ()
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    cost: Annotated[int, msgspec.Meta(ge=0)] = 0
    capacity: Annotated[int, msgspec.Meta(ge=0)] = 0
    ships: bool = True
    collects: bool = True
    run_by: str = ""
    keeps_stock: bool = True
    supplies: tuple[str, ...] = ()


class ChannelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sales channel: its entity, its flow (`web` or `stores`), when the sales order goes to the
    ERP (`paid` or `placed`), and where it ships from.

    fulfil_from: locations, groups or kinds of them, in order of preference. nearest: what a
    kilometre to the buyer counts for beside a location's cost, minor units; then the cheapest is
    preferred. split_most: over how many locations an order may be spread. backorder: what is not
    there may be promised out of expected supply; preorder: products that may be in any case.
    receipts_repeat: receipt numbers of its tills come again within a business day.
    tax_places: countries (`DE`) and regions (`US-NY`) whose taxes are known for what is sent there;
    () = not said. brand: under which it sells; policies may be for one.
    tax_service: connection that works out tax that an order or a return does not name. tax_needed:
    how such a return is booked until it has answered: it waits (`wait`), or takes its part of the
    tax of the sale (`as_sold`) and books the difference. tax_records: we owe the tax of this
    channel, so what is earned and taken back is recorded and committed at the tax service.
    tells_channel: the shop an order came by is told what others did with its goods; its connector
    has to take documents.
    """

    code: str
    entity: str
    flow: str = "web"
    fulfil_from: tuple[str, ...] = ()
    order_point: str = "paid"
    nearest: Annotated[int, msgspec.Meta(ge=0)] | None = None
    split_most: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    backorder: bool = False
    preorder: tuple[str, ...] = ()
    receipts_repeat: bool = False
    tax_places: tuple[str, ...] = ()
    brand: str = ""
    tax_service: str = ""
    tax_needed: Literal["wait", "as_sold"] = "wait"
    tax_records: bool = False
    tells_channel: bool = False


class BudgetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls per second, burst and calls at once towards one account.

    A call costs a whole token: a burst below one would let nothing through, ever.
    """

    rate: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    burst: Annotated[float, msgspec.Meta(ge=1)] = 20.0
    conc: Annotated[int, msgspec.Meta(ge=1)] = 20


class ConnectionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A configured connection. secrets: name -> one secret or several live ones (rotation).
    settings: the connector's own table, validated by its config struct. tills: what is expected
    of the tills it brings. sweep_hours: rest between two sweeps, 0 = none. compare_stock:
    which of our locations its stock is compared for. allow_addresses: hosts, addresses and networks
    it may call although they are private (an ERP in the own network).
    account: the account at the vendor it shares with other connections, "" = its own; a budget is
    an account's. publish: how it shows our availability, None = it does not. settle: which money a
    provider's account settles, and where it goes. posting_windows: when invoices, credit notes and
    journals may be sent there (`mon-fri 20:00-06:00`, in its time zone), () = at any hour.
    """

    connector: str
    entity: str
    channel: str = ""
    timezone: str = "UTC"
    body_max: int = 1_048_576
    poll_seconds: int = 0
    secrets: Mapping[str, Secret | list[Secret]] = {}
    account: str = ""
    budget: BudgetSettings = BudgetSettings()
    sweep_hours: float = 0.0
    tills: TillRules = TillRules()
    compare_stock: CompareRules = CompareRules()
    allow_addresses: tuple[str, ...] = ()
    publish: PublishRules | None = None
    settle: SettleRules = SettleRules()
    posting_windows: tuple[str, ...] = ()
    settings: dict[str, Any] = {}

    @property
    def windows(self) -> Windows | None:
        """Its posting windows, None = none are said. Raises ValueError (never once validated)."""
        return windows_of(self.posting_windows, self.timezone)


class HubSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hub itself: whom it serves, where it listens, how many processes carry the flow and
    answer HTTP, how long raw bodies are kept, hours between two scheduled runs of `verify` and of
    replenishment (0 = never).
    api_rate: requests per second a key of the API may send for long, unless it has its own rate.
    backlog_most: with more records waiting for the flow, pollers and drop folders wait until it is
    half of that; 0 = never.
    """

    name: str = "Tillbridge"
    host: str = "127.0.0.1"
    port: int = 8765
    flow_processes: int = 2
    http_processes: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    keep_bodies_days: int = 90
    keep_records_days: int = 0
    keep_deliveries_days: int = 400
    verify_hours: float = 24.0
    replenish_hours: Annotated[float, msgspec.Meta(ge=0, le=8760)] = 24.0
    backlog_most: int = 50_000
    api_rate: Annotated[int, msgspec.Meta(gt=0)] = 100


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`tillbridge.toml` as a whole."""

    hub: HubSettings = HubSettings()
    entity: list[EntitySettings] = []
    location: list[LocationSettings] = []
    channel: list[ChannelSettings] = []
    connection: dict[str, ConnectionSettings] = {}
    tender_kinds: Mapping[str, str] = {}

    def entities(self) -> dict[str, EntitySettings]:
        """Entities by code."""
        return {entity.code: entity for entity in self.entity}

    def budget_of(self, name: str) -> BudgetSettings:
        """The budget of a connection's account; one of its connections states it, or several alike.

        Raises ValueError when they contradict each other.
        """
        account = self.connection[name].account or name
        sharing = [c for n, c in self.connection.items() if (c.account or n) == account]
        stated = {c.budget for c in sharing} - {BudgetSettings()}
        if len(stated) > 1:
            raise ValueError(f"the connections of account {account} state different budgets")
        return stated.pop() if stated else BudgetSettings()

    def channels(self) -> dict[str, ChannelSettings]:
        """Channels by code."""
        return {channel.code: channel for channel in self.channel}

    def places_of(self, names: Iterable[str]) -> tuple[str, ...]:
        """Codes of the locations that names mean: a code, else a group or kind; each once, in
        order.
        """
        known = {place.code for place in self.location}
        meant: dict[str, list[str]] = {}
        for place in self.location:
            for name in (place.kind, *place.groups):
                meant.setdefault(name, []).append(place.code)
        found = ((name,) if name in known else meant.get(name, ()) for name in names)
        return tuple(dict.fromkeys(code for codes in found for code in codes))

    def ships_from(self, channel: ChannelSettings) -> tuple[str, ...]:
        """Locations a channel's orders are served from, in order of preference."""
        shipping = {place.code for place in self.location if place.ships}
        return tuple(code for code in self.places_of(channel.fulfil_from) if code in shipping)
