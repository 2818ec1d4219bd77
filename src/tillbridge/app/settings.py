"""The workspace: one folder with `tillbridge.toml`, its rules, feeds, secrets and drop folders.

Everything is read and validated before anything runs; a mistake names file and line. Secrets never
stand in the file itself: `{ file = "secrets/web-webhook" }` (sealed; a plain file is taken too, and
told) or `{ env = "WEB_WEBHOOK" }`.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from tillbridge.app.logs import hide
from tillbridge.app.sealed_secrets import FOLDER, SealedSecrets, is_sealed
from tillbridge.app.settings_tables import (
    ChannelSettings,
    ConnectionSettings,
    EntitySettings,
    LocationSettings,
    Secret,
    Settings,
)
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.money import MoneyError, exponent
from tillbridge.contract.addresses import Reach
from tillbridge.durable.windows import windows_of
from tillbridge.posting.money.policy import FLOWS as LEDGER_FLOWS
from tillbridge.reconciliation.tills.rules import DAYS

FILE = "tillbridge.toml"
FLOWS = ("web", "stores")
ORDER_POINTS = ("paid", "placed")
LEDGERS = ("documents", "journals")
PAYMENTS = ("hub", "journals")
DIRECT = "direct"
"""The connector of orders handed in at the API."""
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class SettingsRefused(Refused):
    """The workspace cannot be used as it stands; the words name file and line."""


class Workspace(msgspec.Struct, frozen=True):
    """A folder and its validated settings."""

    folder: Path
    settings: Settings

    def secret(self, secret: Secret) -> str:
        """The value of a secret; raises SettingsRefused when it is nowhere (never its value)."""
        if secret.env:
            value = os.environ.get(secret.env, "")
            if not value:
                raise SettingsRefused(f"environment variable {secret.env} is empty")
            return hide(value)
        path = self.folder / secret.file
        try:
            if not is_sealed(path):
                return hide(path.read_text(encoding="utf-8").strip())
        except OSError as problem:
            raise SettingsRefused(f"secret file {secret.file}: {problem.strerror}") from None
        if path.parent.resolve() != (self.folder / FOLDER).resolve():
            raise SettingsRefused(f"secret file {secret.file}: sealed ones stand in {FOLDER}/")
        return hide(SealedSecrets(self.folder).read(path.name))

    def plain_secrets(self) -> list[str]:
        """Files of this workspace that hold a secret the settings name, and are not sealed."""
        named = (
            one.file
            for connection in self.settings.connection.values()
            for found in connection.secrets.values()
            for one in (found if isinstance(found, list) else [found])
        )
        inside = (self.folder / file for file in named if file and not Path(file).is_absolute())
        return sorted({path.name for path in inside if path.is_file() and not is_sealed(path)})

    def secrets(self, name: str) -> dict[str, tuple[str, ...]]:
        """All live secrets of a connection: name -> values, newest first."""
        found = self.settings.connection[name].secrets
        return {
            label: tuple(self.secret(one) for one in (s if isinstance(s, list) else [s]))
            for label, s in found.items()
        }


def load_workspace(folder: Path) -> Workspace:
    """Read and validate a workspace; raises SettingsRefused naming file and line."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise SettingsRefused(
            f"{folder} is no workspace: it has no {FILE} (make one with: tillbridge init {folder})"
        ) from None
    except UnicodeDecodeError as problem:
        line = problem.object[: problem.start].count(b"\n") + 1
        raise SettingsRefused(f"{path}:{line}: this line is not UTF-8") from None
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise SettingsRefused(f"{path}: {problem}") from None
    try:
        settings = msgspec.convert(document, Settings)
    except msgspec.ValidationError as problem:
        line = _line_of(text, str(problem))
        raise SettingsRefused(f"{path}:{line}: {problem}") from None
    for words, needle in _problems(settings):
        raise SettingsRefused(f"{path}:{_line_containing(text, needle)}: {words}")
    return Workspace(folder, settings)


def _problems(settings: Settings) -> list[tuple[str, str]]:
    """What is wrong with the settings as a whole: (words, text to find the line by)."""
    found: list[tuple[str, str]] = []
    places = {location.code for location in settings.location}
    for code in [*settings.entities(), *places, *settings.channels(), *settings.connection]:
        if not _CODE.fullmatch(code):
            found.append((f"{code!r} is no code (letters, digits, dot, dash, underscore)", code))
    for entity in settings.entity:
        found += _entity_problems(entity, settings)
    for location in settings.location:
        found += _location_problems(location, settings, places)
    for channel in settings.channel:
        found += _channel_problems(channel, settings)
    for name, connection in settings.connection.items():
        found += _entity_known(f"connection {name}", connection.entity, settings)
        if connection.channel and connection.channel not in settings.channels():
            found.append((f"connection {name}: no channel {connection.channel!r}", f"{name}]"))
        found += _direct_problems(name, connection, settings)
        words = f"connection {name}: compare_stock: no location, group or kind"
        unknown = (p for p in connection.compare_stock.locations if not settings.places_of((p,)))
        found += [(f"{words} {place!r}", place) for place in unknown]
        found += _zone_problem(connection.timezone)
        found += _window_problems(name, connection)
        found += _address_problems(connection.allow_addresses)
        found += _budget_problems(name, connection, settings)
        if connection.publish and (wrong := connection.publish.problem(places)):
            found.append((f"connection {name}: {wrong}", f"{name}]"))
    return found


def _direct_problems(
    name: str, connection: ConnectionSettings, settings: Settings
) -> list[tuple[str, str]]:
    """Orders of a channel are handed in at one connection."""
    if connection.connector != DIRECT:
        return []
    same = [n for n, c in settings.connection.items() if c.connector == DIRECT]
    rivals = [n for n in same if settings.connection[n].channel == connection.channel]
    if not connection.channel or len(rivals) > 1:
        words = f"connection {name}: it takes the orders of one channel that no other one takes"
        return [(words, f"{name}]")]
    return []


def _budget_problems(
    name: str, connection: ConnectionSettings, settings: Settings
) -> list[tuple[str, str]]:
    found = []
    if connection.account and not _CODE.fullmatch(connection.account):
        found.append((f"connection {name}: account is a code", connection.account))
    try:
        settings.budget_of(name)
    except ValueError as problem:
        found.append((f"connection {name}: {problem}", f"{name}]"))
    return found


def _entity_known(what: str, entity: str, settings: Settings) -> list[tuple[str, str]]:
    if entity in settings.entities():
        return []
    return [(f"{what}: no entity {entity!r}", entity or what)]


def _location_problems(
    location: LocationSettings, settings: Settings, places: set[str]
) -> list[tuple[str, str]]:
    found = _entity_known(f"location {location.code}", location.entity, settings)
    found += _zone_problem(location.timezone)
    for day in set(location.open_days) - set(DAYS):
        found.append((f"location {location.code}: open_days are of {DAYS}", day))
    for group in places.intersection(location.groups):
        found.append((f"location {location.code}: {group!r} is a location, not a group", group))
    if (location.latitude is None) != (location.longitude is None):
        words = f"location {location.code}: latitude and longitude go together"
        found.append((words, location.code))
    return found + _running_problems(location, settings)


def _running_problems(location: LocationSettings, settings: Settings) -> list[tuple[str, str]]:
    """Who picks there is a connection that takes documents; only a supplier has products named."""
    found = []
    what = f"location {location.code}"
    if location.run_by and location.run_by not in settings.connection:
        found.append((f"{what}: no connection {location.run_by!r}", location.run_by))
    if not location.keeps_stock and not location.run_by:
        found.append((f"{what}: a supplier is asked over a connection (run_by)", location.code))
    if location.supplies and location.keeps_stock:
        words = f"{what}: supplies is for a place that keeps no stock of ours"
        found.append((words, location.code))
    return found


def _channel_problems(channel: ChannelSettings, settings: Settings) -> list[tuple[str, str]]:
    found = _entity_known(f"channel {channel.code}", channel.entity, settings)
    if channel.flow not in FLOWS:
        found.append((f"channel {channel.code}: flow is one of {FLOWS}", channel.flow))
    if channel.order_point not in ORDER_POINTS:
        words = f"channel {channel.code}: order_point is one of {ORDER_POINTS}"
        found.append((words, channel.order_point))
    if channel.tax_service and channel.tax_service not in settings.connection:
        words = f"channel {channel.code}: no connection {channel.tax_service!r}"
        found.append((words, channel.tax_service))
    silent = {place.code for place in settings.location if not place.ships}
    for place in channel.fulfil_from:
        if not settings.places_of((place,)):
            found.append((f"channel {channel.code}: no location {place!r}", place))
        elif place in silent:
            found.append((f"channel {channel.code}: location {place!r} does not ship", place))
    return found


def _entity_problems(entity: EntitySettings, settings: Settings) -> list[tuple[str, str]]:
    found = []
    try:
        exponent(entity.currency)
    except MoneyError as problem:
        found.append((f"entity {entity.code}: {problem}", entity.currency))
    if entity.erp and entity.erp not in settings.connection:
        found.append((f"entity {entity.code}: no connection {entity.erp!r}", entity.erp))
    for flow, ledger in entity.gl.items():
        if flow not in LEDGER_FLOWS or ledger not in LEDGERS:
            wrong = ledger if flow in LEDGER_FLOWS else flow
            found.append((f"entity {entity.code}: gl {flow} = {ledger!r} is not known", wrong))
    if entity.payments not in PAYMENTS:
        words = f"entity {entity.code}: payments is one of {PAYMENTS}"
        found.append((words, entity.payments))
    return found


def _zone_problem(zone: str) -> list[tuple[str, str]]:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a name is looked up as a path
        return [(f"{zone!r} is no IANA time zone", zone)]
    return []


def _window_problems(name: str, connection: ConnectionSettings) -> list[tuple[str, str]]:
    found = []
    for words in connection.posting_windows:
        try:
            windows_of((words,), connection.timezone)
        except ValueError as problem:
            found.append((f"connection {name}: posting_windows: {problem}", words))
    return found


def _address_problems(allow: tuple[str, ...]) -> list[tuple[str, str]]:
    found = []
    for entry in allow:
        try:
            Reach((entry,))
        except ValueError as problem:
            found.append((f"allow_addresses: {problem}", entry))
    return found


def _line_containing(text: str, needle: str) -> int:
    """First line with the needle as a value of its own, else anywhere."""
    for wanted in (f'"{needle}"', needle):
        line = _line_with(text, wanted)
        if line:
            return line
    return 1


def _line_with(text: str, needle: str) -> int:
    for number, line in enumerate(text.splitlines(), start=1):
        if needle in line:
            return number
    return 0


def _line_of(text: str, problem: str) -> int:
    """Line of the field a msgspec message names (`$.connection[...].x` or an unknown field)."""
    for name in reversed(re.findall(r"`([A-Za-z_]+)`|\.([a-z_]+)", problem)):
        line = _line_containing(text, next(part for part in name if part))
        if line > 1:
            return line
    return 1
