"""The translating room: stored messages become facts in our words; what has no name is a case.

Mapping logic is the connector's pure translator; each fact records its version. Personal data goes
to the vault, facts carry party ids. One case lists every missing name of a message at once.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.intake import Received, RereadObject
from tillbridge.canonical.registry import Body
from tillbridge.contract.names import MissingName
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import Message, Translates, Translation
from tillbridge.durable import messages
from tillbridge.durable.rooms import DONE, Connection, KeyedSession, Outcome, Record
from tillbridge.mapping.names import QUERIES, NameTables


class Translator(msgspec.Struct, frozen=True):
    """A configured connection and the connector that translates for it."""

    connector: Translates
    source: Source


class MappingRoom:
    """Room `mapping`."""

    name = "mapping"

    def __init__(self, translators: Mapping[str, Translator], names: NameTables) -> None:
        """translators: by connection name."""
        self._translators = translators
        self._names = names

    def open(self, connection: Connection, now: datetime) -> MappingSession:
        """A session on this transaction."""
        return MappingSession(connection, self._translators, self._names)


class MappingSession(KeyedSession):
    """Messages and names of one transaction."""

    room = MappingRoom.name

    def __init__(
        self, connection: Connection, translators: Mapping[str, Translator], names: NameTables
    ) -> None:
        """Names are brought up to date once."""
        self._connection = connection
        self._translators = translators
        self._names = names
        self._messages: dict[int, messages.StoredMessage] = {}
        self._parties: dict[str, tuple[str, PartyDetails]] = {}
        self._certain = False
        names.refresh(connection)

    def load(self, records: Sequence[Record]) -> None:
        """One query for all messages."""
        wanted = [r.body.message for r in records if isinstance(r.body, Received)]
        self._messages.update(messages.read(self._connection, wanted))

    def handle(self, record: Record) -> Outcome:
        """Translate one message."""
        body = record.body
        if not isinstance(body, Received):
            raise NeedsDecision("unexpected", f"mapping takes no {record.type}")
        stored = self._messages.get(body.message)
        if stored is None:
            raise NeedsDecision(
                "body_gone",
                f"the raw body of message {body.message} was dropped by retention or erased",
            )
        if stored.problem:
            place = f"{stored.place}: " if stored.place else ""
            told = f" (masked: {stored.masked})" if stored.masked else ""
            raise NeedsDecision("delivery_broken", f"{place}{stored.problem}{told}")
        translator = self._translators.get(stored.connection)
        if translator is None:
            raise NeedsDecision(
                "connection_unknown", f"the workspace has no connection {stored.connection!r}"
            )
        return self._translated(stored, translator)

    def _translated(self, stored: messages.StoredMessage, translator: Translator) -> Outcome:
        translation, missing = self._tried(stored, translator)
        if missing and not self._certain:  # a name may have been given since this batch began
            self._names.hold(self._connection)
            self._certain = True
            translation, missing = self._tried(stored, translator)
        if missing:
            raise _missing(stored, missing, translator.source)
        for party in translation.parties:
            self._parties[party.party] = (stored.connection, party)
        emits = _emits(stored, translation)
        if stored.masked:
            return Outcome(emits=emits, notices=(_masked(stored),))
        return Outcome(emits=emits) if emits else DONE

    def _tried(
        self, stored: messages.StoredMessage, translator: Translator
    ) -> tuple[Translation, Sequence[MissingName]]:
        names = self._names.of(stored.connection)
        message = Message(
            connection=stored.connection,
            topic=stored.topic,
            delivery=stored.delivery,
            body=stored.body,
            headers=stored.headers,
            place=stored.place,
            received_at=stored.received_at,
        )
        translation = translator.connector.translate(message, translator.source, names)
        return translation, names.missing

    def flush(self) -> None:
        """Write the vault as one set."""
        if not self._parties:
            return
        parties = sorted(self._parties)
        encode = msgspec.json.encode
        self._connection.execute(
            QUERIES.save_parties,
            (
                parties,
                [self._parties[party][0] for party in parties],
                [encode(self._parties[party][1]) for party in parties],
            ),
            binary=True,
        )


def _emits(stored: messages.StoredMessage, translation: Translation) -> tuple[Body, ...]:
    if translation.reread is None:
        return translation.facts
    topic, reference = translation.reread
    asked = RereadObject(
        key=f"reread/{stored.connection}/{reference}",
        id=f"reread/{stored.connection}/{topic}/{reference}/{stored.id}",
        connection=stored.connection,
        topic=topic,
        reference=reference,
    )
    return (*translation.facts, asked)


def _masked(stored: messages.StoredMessage) -> NeedsDecision:
    """The case for a sender that tells what nobody may keep; the delivery itself goes on."""
    return NeedsDecision(
        "card_number_masked",
        f"{stored.connection} sent {stored.masked}; it was masked before it was stored",
        details={"topic": stored.topic, "delivery": stored.delivery},
    )


def _missing(
    stored: messages.StoredMessage, missing: Sequence[MissingName], source: Source
) -> NeedsDecision:
    """One case for all names a message lacks, with the commands that give them."""
    unique = list({(gap.table, gap.theirs): gap for gap in missing}.values())
    first = unique[0]
    more = f" (and {len(unique) - 1} more)" if len(unique) > 1 else ""
    hint = f" ({first.hint})" if first.hint else ""
    words = (
        f"{stored.topic} {stored.delivery}: {first.where}: {first.table} "
        f"{first.theirs!r}{hint} has no name of ours{more}"
    )
    remedy = " && ".join(
        f"tillbridge xref set {source.name} {gap.table} {shlex.quote(gap.theirs)} OUR-NAME"
        for gap in unique[:5]
    )
    owner = "stores" if first.table in ("location", "department") else "ecommerce"
    if first.table in ("tender", "tax"):
        owner = "finance"
    details = {
        "connection": source.name,
        "missing": [
            {"table": gap.table, "theirs": gap.theirs, "where": gap.where, "hint": gap.hint}
            for gap in unique
        ],
    }
    return NeedsDecision("mapping_missing", words, owner=owner, remedy=remedy, details=details)
