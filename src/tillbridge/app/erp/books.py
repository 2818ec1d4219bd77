"""What the reference ERP is filled with: legal entities, accounts, shops, places and products.

Pure data, so that a filled database can be cached under a key made of it. Codes are the hub's own
names; the ERP carries the same, so that no cross-reference is needed where none is configured.
"""

from __future__ import annotations

import hashlib
from datetime import date

import msgspec

from tillbridge.posting.money.chart import Chart

# Raise it whenever fill.py writes something else: cached databases of older fills are then unused.
FILL_VERSION = 2


class LegalEntity(msgspec.Struct, frozen=True):
    """A company with its own books: code, name on paper, functional currency."""

    code: str
    name: str
    currency: str


class LedgerAccount(msgspec.Struct, frozen=True):
    """An account every entity gets beside the ERP's own chart: code, title, kind.

    kind: as `type` in the hub's chart (asset, liability, income, expense, equity).
    """

    code: str
    title: str
    kind: str


class WebShop(msgspec.Struct, frozen=True):
    """A selling channel: its sales are unique by (shop, web id) in the ERP."""

    channel: str
    entity: str
    currency: str


class Place(msgspec.Struct, frozen=True):
    """A warehouse or store with stock of its own."""

    location: str
    title: str


class Item(msgspec.Struct, frozen=True):
    """A product: code, title; goods move stock, anything else is a service."""

    product: str
    title: str
    goods: bool = True


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the fill writes. The first entity's currency is the one rates refer to.

    first_day, last_day: fiscal years are opened for every calendar year they touch.
    rates: (currency, units per unit of the first entity's currency, as decimal text).
    """

    entities: tuple[LegalEntity, ...]
    first_day: date
    last_day: date
    accounts: tuple[LedgerAccount, ...] = ()
    shops: tuple[WebShop, ...] = ()
    places: tuple[Place, ...] = ()
    items: tuple[Item, ...] = ()
    rates: tuple[tuple[str, str], ...] = ()

    @property
    def years(self) -> range:
        """Calendar years touched."""
        return range(self.first_day.year, self.last_day.year + 1)

    @property
    def currencies(self) -> tuple[str, ...]:
        """Every currency in use, the first entity's first."""
        named = [e.currency for e in self.entities] + [s.currency for s in self.shops]
        return tuple(dict.fromkeys(named))

    def key(self) -> str:
        """Short hash of content and fill version, for the name of a cached database."""
        document = msgspec.json.encode((FILL_VERSION, self))
        return hashlib.sha256(document).hexdigest()[:12]


def accounts_of(chart: Chart) -> tuple[LedgerAccount, ...]:
    """The hub's chart as ERP accounts: `clearing/*` becomes one account `clearing`, on which the
    connector books every name below it.
    """
    found: dict[str, LedgerAccount] = {}
    for account in chart.accounts:
        code = account.account.split("/*", 1)[0]
        title = code.replace("-", " ").replace("/", ", ").capitalize()
        found.setdefault(code, LedgerAccount(code, title, account.type))
    return tuple(found[code] for code in sorted(found))
