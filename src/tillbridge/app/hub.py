"""The hub put together: a workspace's rooms, runner, dispatchers and intake over one database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Self

import msgspec
import structlog

from tillbridge.app import availability_rules, registry
from tillbridge.app.channel_policies import policies_of
from tillbridge.app.provider_accounts import accounts_of
from tillbridge.app.runner import FlowRunner, Pace
from tillbridge.app.settings import SettingsRefused, Workspace
from tillbridge.app.settings_tables import ConnectionSettings
from tillbridge.app.sources import source_of
from tillbridge.app.suspects import Suspects
from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import Ids, SystemIds
from tillbridge.contract.addresses import loopback_hosts
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import (
    Delivers,
    Lists,
    NamesFiles,
    Polls,
    PublishesAvailability,
    ReadsFiles,
    ReadsSettlements,
    Rereads,
    Taxes,
)
from tillbridge.contract.transport import Transport
from tillbridge.durable import accounts, audit, jobs
from tillbridge.durable.agreed_clock import AgreedClock
from tillbridge.durable.rooms import Connection, Room
from tillbridge.durable.session import connect
from tillbridge.durable.windows import ask_anew
from tillbridge.inbox.backpressure import Backpressure
from tillbridge.inbox.files import DropFolder
from tillbridge.inbox.polls import Poller
from tillbridge.mapping.names import NameTables
from tillbridge.mapping.room import MappingRoom, Translator
from tillbridge.mapping.settlement_pages import translates
from tillbridge.orchestration.policies import Policies
from tillbridge.orchestration.room import Orchestration
from tillbridge.posting.money import activation
from tillbridge.posting.money.activation import files_of
from tillbridge.posting.money.book import RuleBook
from tillbridge.posting.money.policy import Policy, Rates, parse_rates
from tillbridge.posting.money.room import MoneyRoom
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.posting.stock.room import StockBook
from tillbridge.publishing.dispatch import Dispatcher, Target
from tillbridge.publishing.room import Destinations, Publishing
from tillbridge.reconciliation.settlement.intake import SettlementFiles
from tillbridge.reconciliation.settlement.rules import Account
from tillbridge.reconciliation.sweeps.sweeper import Sweeper
from tillbridge.reconciliation.tills.rules import DAYS, Expected, StoreRules
from tillbridge.triage import policy

_log = structlog.get_logger("hub")


class Hub:
    """One workspace over one database. Makes database connections and owns none of them; owns the
    one way out over HTTP unless it was given one (`close`, or use it in a `with`).

    overrides: connection name -> settings laid over the file's (the address of a sandbox that was
    started a moment ago).
    """

    def __init__(
        self,
        workspace: Workspace,
        url: str,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        transport: Transport | None = None,
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.workspace = workspace
        self.url = url
        self.clock = clock or SystemClock()
        self.ids = ids or SystemIds()
        self._given_transport = transport
        self._own_transports: dict[tuple[str, ...], HttpTransport] = {}
        self._lent: Hub | None = None
        self._overrides = overrides or {}
        self.agreed_clock = AgreedClock(self.clock)
        self.leases = accounts.Leases()
        self.backpressure = Backpressure(self.clock, workspace.settings.hub.backlog_most)

    def reaching(self, overrides: Mapping[str, Mapping[str, Any]]) -> Hub:
        """The same hub with other settings laid over the file's; the ways out stay this one's."""
        reached = Hub(
            self.workspace,
            self.url,
            clock=self.clock,
            ids=self.ids,
            transport=self._given_transport,
            overrides=overrides,
        )
        reached._lent = self
        return reached

    def transport(self, name: str) -> Transport:
        """A connection's way out over HTTP: to public addresses and to what its settings allow.

        One for all connections that may call the same places, made at the first use.
        """
        if self._given_transport is not None:
            return self._given_transport
        settings = self._connections()[name]
        table = {**settings.settings, **self._overrides.get(name, {})}
        urls = [value for value in table.values() if isinstance(value, str)]
        return self.way_out((*settings.allow_addresses, *loopback_hosts(urls)))

    def way_out(self, allow: tuple[str, ...]) -> Transport:
        """The way out to public addresses and these places."""
        if self._lent is not None:
            return self._lent.way_out(allow)
        if allow not in self._own_transports:
            self._own_transports[allow] = HttpTransport(allow, clock=self.clock)
        return self._own_transports[allow]

    def close(self) -> None:
        """Close the hub's own connections to the outside."""
        for transport in self._own_transports.values():
            transport.close()
        self._own_transports = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what the workspace says ----------------------------------------------------------------

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Connections as translators see them: no secrets, connector settings validated."""
        return {name: self._source(name, c) for name, c in self._connections().items()}

    def _connections(self) -> Mapping[str, ConnectionSettings]:
        return self.workspace.settings.connection

    def _source(self, name: str, settings: ConnectionSettings) -> Source:
        table = {**settings.settings, **self._overrides.get(name, {})}
        try:
            connector = registry.connector(settings.connector)
            own = msgspec.convert(table, connector.config)
            if isinstance(own, NamesFiles):
                own = own.with_files(self._file)
        except (msgspec.ValidationError, Refused, ValueError, OSError) as problem:
            raise SettingsRefused(f"connection {name}: {problem}") from None
        return source_of(self.workspace.settings, name, own)

    def _file(self, name: str) -> str:
        """Text of a file below the workspace that a connector's settings name."""
        path = (self.workspace.folder / name).resolve()
        if not path.is_relative_to(self.workspace.folder.resolve()):
            raise SettingsRefused(f"{name} is outside of the workspace")
        return path.read_text(encoding="utf-8")

    @cached_property
    def policies(self) -> Policies:
        """Channel policies for the deciders."""
        return policies_of(self.workspace)

    @cached_property
    def money_policy(self) -> Policy:
        """Functional currencies and who owns the ledger."""
        entities = self.workspace.settings.entity
        return Policy(
            {e.code: e.currency for e in entities},
            {(e.code, flow): ledger for e in entities for flow, ledger in e.gl.items()},
            self._rates(), {e.code for e in entities if e.payments == "journals"},
        )  # fmt: skip

    def _rates(self) -> Rates:
        """Exchange rates of the workspace's `rates.csv`, if it has one."""
        path = self.workspace.folder / "rates.csv"
        if not path.is_file():
            return Rates()
        return parse_rates(path.read_text(encoding="utf-8", errors="replace"), str(path))

    def rule_files(self) -> dict[str, str]:
        """Texts of chart, rules and examples; the workspace's own where it has them."""
        folder = self.workspace.folder / "rules"
        return files_of(folder if folder.is_dir() else None)

    @cached_property
    def book(self) -> RuleBook:
        """Chart and posting rules as the files tell them, proven."""
        return activation.book_of(self.rule_files())

    def book_in_force(self, connection: Connection) -> RuleBook:
        """Chart and posting rules in force, proven. Edited files wait until they are activated,
        and are in force at once where the hub asks for no second person.
        """
        files = self.rule_files()
        found = activation.first(connection, files)
        if found.hash != activation.hash_of(files):
            if policy.read(connection).second_person:
                _log.warning("rules_wait", remedy="tillbridge rules activate")
            else:
                activation.activate(connection, files, audit.HUB, "edited, no second person asked")
                found = activation.first(connection, files)
        connection.commit()
        return found.book()

    @cached_property
    def availability_rules(self) -> RulesInForce:
        """The availability rules in force, as this process knows them."""
        return RulesInForce(availability_rules.labels(self.workspace.settings))

    @cached_property
    def expected(self) -> Expected:
        """What is expected of tills and stores."""
        settings = self.workspace.settings
        return Expected(
            connections={name: one.tills for name, one in settings.connection.items()},
            stores={
                place.code: StoreRules(
                    place.timezone, frozenset(DAYS.index(day) + 1 for day in place.open_days)
                )
                for place in settings.location
            },
        )

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        """Accounts at providers and banks whose settlements are read."""
        return accounts_of(self.workspace.settings)

    # -- what runs --------------------------------------------------------------------------------

    def connect(self, *, worker: bool = False) -> Connection:
        """A new database connection; the first one tells the time all workers agree on."""
        connection = connect(self.url, worker=worker)
        if not self.agreed_clock.known:
            self.agreed_clock.set(connection)
        return connection

    def destinations(self, connection: Connection) -> Destinations:
        """Rows of every connection the hub calls; those that take documents or are read again."""
        ids: dict[str, int] = {}
        for name, settings in self._connections().items():
            connector = registry.connector(settings.connector)
            if isinstance(connector, (Delivers, Rereads, Taxes, Polls, PublishesAvailability)):
                budget = self.workspace.settings.budget_of(name)
                pace = accounts.Budget(budget.rate, budget.burst, budget.conc)
                number = accounts.make_dest(
                    connection, name, pace, settings.account, self._settle_seconds(name)
                )
                if isinstance(connector, (Delivers, Rereads, Taxes)):
                    ids[name] = number
        connection.commit()
        return Destinations(self._erp_of(), ids)

    def _settle_seconds(self, name: str) -> float:
        """How long a connection's far side may be at work on a call that was cut off."""
        return float(getattr(self.sources[name].settings, "settle_seconds", 0.0))

    def destinations_known(self, connection: Connection) -> Destinations:
        """The destinations as they are in the database; writes nothing."""
        return Destinations(self._erp_of(), jobs.dests(connection))

    def _erp_of(self) -> dict[str, str]:
        return {e.code: e.erp for e in self.workspace.settings.entity if e.erp}

    def rooms(self, connection: Connection, names: NameTables | None = None) -> dict[str, Room]:
        """All flow rooms by name. names: others than the database's own."""
        translators = {
            name: Translator(translating, self.sources[name])
            for name, settings in self._connections().items()
            if (translating := translates(registry.connector(settings.connector)))
        }
        rooms: tuple[Room, ...] = (
            MappingRoom(translators, names or NameTables()),
            Orchestration(self.policies),
            Publishing(self.destinations(connection)),
            MoneyRoom(self.book_in_force(connection), self.money_policy),
            StockBook(
                self.availability_rules,
                frozenset(place.code for place in self.workspace.settings.location),
                {place.code: place.capacity for place in self.workspace.settings.location},
            ),
        )
        return {room.name: room for room in rooms}

    def runner(
        self, connection: Connection, pace: Pace | None = None, suspects: Suspects | None = None
    ) -> FlowRunner:
        """The flow runner on a connection of its own. suspects: see FlowRunner."""
        availability_rules.settle(connection, self.workspace)
        rooms = self.rooms(connection)
        return FlowRunner(connection, rooms, self.agreed_clock, pace, suspects=suspects)

    def targets(self, connection: Connection) -> list[Target]:
        """Every destination with its connector, secrets and transport. Keys that wait for a posting
        window as it was before the settings were changed are due.
        """
        ids = self.destinations(connection).ids
        now = self.agreed_clock.now()
        found = [
            Target(
                dest=number,
                connector=registry.connector(self._connections()[name].connector),
                far=self.sources[name],
                secrets=self.secrets(name),
                transport=self.transport(name),
                settle_seconds=self._settle_seconds(name),
                windows=self._connections()[name].windows,
            )
            for name, number in ids.items()
        ]
        for one in found:
            ask_anew(connection, one.dest, one.opening(now), now)
        connection.commit()
        return found

    def drop_folders(self) -> dict[str, DropFolder]:
        """Drop folder of every connection that reads files: `drop/NAME`, then `archive/NAME`."""
        workspace = self.workspace.folder
        found: dict[str, DropFolder] = {}
        for name, settings in self._connections().items():
            connector = registry.connector(settings.connector)
            if isinstance(connector, (ReadsFiles, ReadsSettlements)):
                found[name] = DropFolder(
                    connector,
                    self.sources[name],
                    workspace / "drop" / name,
                    workspace / "archive" / name,
                    clock=self.clock,
                    backpressure=self.backpressure,
                    settlements=self.settlement_files(name),
                )
        return found

    def settlement_files(self, name: str) -> SettlementFiles | None:
        """Who takes in the settlement files of a connection, None = it has none."""
        reader = registry.connector(self._connections()[name].connector)
        if isinstance(reader, ReadsSettlements):
            return SettlementFiles(reader, self.sources[name])
        return None

    def pollers(self) -> dict[str, Poller]:
        """A poller for every connection whose settings say how often (`poll_seconds`)."""
        found: dict[str, Poller] = {}
        for name, settings in self._connections().items():
            connector = registry.connector(settings.connector)
            if settings.poll_seconds > 0 and isinstance(connector, Polls):
                found[name] = Poller(
                    connector,
                    self.sources[name],
                    self.secrets(name),
                    self.transport(name),
                    clock=self.agreed_clock,
                    ids=self.ids,
                    every_seconds=settings.poll_seconds,
                    leases=self.leases,
                    settlements=self.settlement_files(name),
                )
        return found

    def sweepers(self) -> dict[str, Sweeper]:
        """A sweeper for every connection whose source can list what changed."""
        found: dict[str, Sweeper] = {}
        for name, settings in self._connections().items():
            if isinstance(connector := registry.connector(settings.connector), Lists):
                found[name] = Sweeper(
                    connector,
                    self.sources[name],
                    self.secrets(name),
                    self.transport(name),
                    clock=self.agreed_clock,
                    every_hours=settings.sweep_hours,
                    leases=self.leases,
                )
        return found

    def dispatcher(
        self, connection: Connection, target: Target, claimed: Callable[[], None] | None = None
    ) -> Dispatcher:
        """A dispatcher for one destination on a connection of its own. claimed: see there."""
        clock = self.agreed_clock
        return Dispatcher(connection, target, NameTables(), clock, self.ids, self.leases, claimed)

    def secrets(self, name: str) -> dict[str, str]:
        """A connection's newest secrets by name."""
        return {label: values[0] for label, values in self.workspace.secrets(name).items()}
