"""What a connector promises: small protocols; signing one (by having its methods) is the opt-in.

Nothing is declared twice: `signed.promises_of(connector)` looks. A connector knows no room and no
database; it is handed bytes, names and a transport, and gives back facts, items or receipts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Protocol, runtime_checkable

import msgspec

from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.canonical.registry import Body
from tillbridge.canonical.returns import RefundPayment
from tillbridge.canonical.settlement import Told
from tillbridge.canonical.taxes import LineTaxes
from tillbridge.contract.levels import StockPage
from tillbridge.contract.names import Names
from tillbridge.contract.offers import Offer, Shown
from tillbridge.contract.taxes import TaxDirectory, TaxService
from tillbridge.contract.transport import Transport


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A raw delivery as it was stored. received_at: UTC. place: where it stood in its file."""

    connection: str
    topic: str
    delivery: str
    body: bytes
    headers: Mapping[str, str] = {}
    place: str = ""
    received_at: datetime


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One configured connection as a translator may see it: no secrets.

    name: connection name. entity: selling legal entity. channel: our channel code.
    currency: functional currency of the entity. timezone: IANA zone of the source (stores,
    business days). location_zones: our location code -> IANA zone where it differs.
    location_entities: our location code -> entity where it differs. settings: the connector's own
    config struct (decoded from the workspace, validated at load).
    """

    name: str
    entity: str
    channel: str
    currency: str
    timezone: str = "UTC"
    location_zones: Mapping[str, str] = {}
    location_entities: Mapping[str, str] = {}
    settings: Any = None


class Translation(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says in our words.

    facts: in the order they are told. parties: personal data for the vault (facts name party ids).
    ignored: reason when the message rightly means nothing here (a topic without business effect).
    reread: (topic, reference) when the object must be read again from the vendor.
    """

    facts: tuple[Body, ...] = ()
    parties: tuple[PartyDetails, ...] = ()
    ignored: str = ""
    reread: tuple[str, str] | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery inside a file, an envelope or a page.

    delivery: identity of the delivery (same id with other bytes is a case). key: aggregate key
    when a shallow look tells, else "". place: where it stood (`file.csv:12:1`). problem: set when
    the piece is broken; its bytes are kept and become a case with these words.
    """

    topic: str
    delivery: str
    body: bytes
    key: str = ""
    place: str = ""
    problem: str = ""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """What the headers of a webhook tell: topic, delivery id, aggregate key ("" = unknown)."""

    topic: str
    delivery: str
    key: str = ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a poll. complete_through: until when (UTC) the source is completely read."""

    items: tuple[Item, ...]
    cursor: str
    more: bool = False
    complete_through: datetime | None = None


class Window(msgspec.Struct, frozen=True):
    """A span of changes at the source: since <= changed < until (UTC)."""

    since: datetime
    until: datetime


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One object of a listing, as the source has it now.

    key: aggregate key. topic, reference: what `Rereads` takes. version: sortable text, as the
    object's facts carry it. amount, refunded: minor units of the currency.
    """

    key: str
    topic: str
    reference: str
    version: str
    currency: str
    amount: int
    refunded: int = 0


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a listing. count: of the window by the source itself, None = not exactly."""

    objects: tuple[Listed, ...]
    cursor: str = ""
    more: bool = False
    count: int | None = None


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """One document to deliver. unknown: an earlier attempt may have been applied: look up first.

    parties: party id -> personal data, read from the vault for this call only.
    """

    document: SubmitDocument
    unknown: bool = False
    parties: Mapping[str, PartyDetails] = {}


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """How one assignment ended.

    outcome: `accepted`, `refused` (words say why, for good), `retry` (not applied for certain;
    after_seconds when the other side asks for it), `unknown` (may have been applied: look up).
    move, move_total: the ERP's own ledger move for the document, if any (minor units). taxes: what
    a tax service worked out. remedy: of a refusal, the command that mends its cause, if one does.
    answer: of those who were asked for something and took the question, one of documents.ANSWERS;
    words are then theirs. payments: by what transactions a refund is given back.
    """

    operation: str
    outcome: str
    remote_id: str = ""
    number: str = ""
    words: str = ""
    remedy: str = ""
    after_seconds: float | None = None
    move: str = ""
    move_total: int | None = None
    taxes: tuple[LineTaxes, ...] = ()
    answer: str = ""
    payments: tuple[RefundPayment, ...] = ()


class Directory(Protocol):
    """Our names to theirs for one outgoing connection."""

    def theirs(self, table: str, ours: str) -> str | None:
        """Their name for ours, or None when there is no cross-reference."""


@runtime_checkable
class Connector(Protocol):
    """Every connector: its name is its folder's name; `config` is its settings struct (msgspec)."""

    name: str
    config: type[msgspec.Struct]


@runtime_checkable
class NamesFiles(Protocol):
    """Settings that name files of the workspace; a connector itself never opens a file."""

    def with_files(self, read: Callable[[str], str]) -> Any:
        """These settings with the files' texts in them, checked. Raises ValueError with words."""


@runtime_checkable
class Translates(Protocol):
    """Turns stored messages into facts. Pure: same message and names, same translation."""

    def translate(self, message: Message, connection: Connection, names: Names) -> Translation:
        """Facts of a message. Raises NeedsDecision when it cannot be believed."""


@runtime_checkable
class ReceivesWebhooks(Protocol):
    """Takes deliveries over HTTP."""

    def verify(self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
        """Whether the raw bytes were signed with one of the live secrets (constant time)."""

    def address(self, path: str, headers: Mapping[str, str], body: bytes) -> Address:
        """Topic, delivery id and key hint. Must never raise and never trust the body's shape."""


@runtime_checkable
class ReadsFiles(Protocol):
    """Cuts a file into deliveries, streaming; broken pieces become items with a `problem`."""

    def split(
        self, stream: BinaryIO, name: str, connection: Connection, topic: str = ""
    ) -> Iterator[Item]:
        """Items of a file (or of an API answer saved as a file), in the file's order."""


@runtime_checkable
class ReadsSettlements(Protocol):
    """Reads settlements and bank statements; what each piece means: `contract.settlement`."""

    def settles(self, name: str, head: bytes, connection: Connection) -> bool:
        """Whether this is such a file there, by its name and first 4 KiB; never raises."""

    def settlement(self, stream: BinaryIO, name: str, connection: Connection) -> Iterator[Told]:
        """What the file says, streaming. Raises NeedsDecision when it cannot be read at all."""


@runtime_checkable
class Polls(Protocol):
    """Reads a stream of its vendor page by page with an overlapping cursor."""

    streams: tuple[str, ...]

    def poll(
        self,
        stream: str,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> Page:
        """Next page after the cursor ("" = from the configured beginning). Raises RetryLater."""


@runtime_checkable
class Lists(Protocol):
    """Lists what changed in a window with its amounts: what a sweep holds against the hub."""

    listed: tuple[str, ...]

    def list_objects(
        self,
        stream: str,
        window: Window,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> Listing:
        """The page after the cursor ("" = the first). Raises RetryLater, Refused, NeedsDecision."""


@runtime_checkable
class Subscribes(Protocol):
    """Keeps its webhook subscriptions alive where the vendor deletes them after failures."""

    def subscribe(
        self, connection: Connection, secrets: Mapping[str, str], transport: Transport
    ) -> tuple[str, ...]:
        """Make the wanted subscriptions that are gone; gives their topics, () when none are wanted.
        Raises RetryLater, or Refused when the token may not.
        """


@runtime_checkable
class Rereads(Protocol):
    """Reads one object again from its vendor."""

    def reread(
        self,
        topic: str,
        reference: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> Item:
        """The object's present state as a delivery. Raises RetryLater or Refused."""


@runtime_checkable
class Delivers(Protocol):
    """Brings documents to its system, idempotent by operation id."""

    batch_max: int

    def deliver(
        self,
        assignments: Sequence[Assignment],
        connection: Connection,
        secrets: Mapping[str, str],
        directory: Directory,
        transport: Transport,
    ) -> list[Receipt]:
        """One receipt per assignment, in order; raises only RetryLater, when it is all away."""


@runtime_checkable
class Taxes(Protocol):
    """Works out tax, and keeps tax documents if it does."""

    def tax_service(
        self,
        connection: Connection,
        secrets: Mapping[str, str],
        directory: TaxDirectory,
        transport: Transport,
    ) -> TaxService:
        """The service behind a connection; calls nothing yet."""


@runtime_checkable
class PublishesAvailability(Protocol):
    """Shows our availability at its channel, by compare-and-set.

    offers_max: so many offers per call of the method. offer_step: smallest difference the channel
    can show, thousandths of a unit.
    """

    offers_max: int
    offer_step: int

    def publish(
        self,
        offers: Sequence[Offer],
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> list[Shown]:
        """One receipt per offer, in order. Raises RetryLater when the channel is away as a whole,
        and Refused when it refuses the connection; never raises for a single offer.
        """


@runtime_checkable
class TellsStock(Protocol):
    """Tells what it has at one of its places, for a comparison with the book. stock_basis:
    `on_hand`, or `available` (what the hub let it show, less what it sold).
    """

    stock_basis: str

    def stock(
        self,
        place: str,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> StockPage:
        """The page after the cursor ("" = the first); place: what the source calls it. Raises
        RetryLater, Refused (also for a place it does not know) and NeedsDecision.
        """


@runtime_checkable
class ChecksConnection(Protocol):
    """Can say whether the far side answers and accepts the credentials."""

    def check(
        self, connection: Connection, secrets: Mapping[str, str], transport: Transport
    ) -> str:
        """A sentence about the far side; raises RetryLater or Refused."""
