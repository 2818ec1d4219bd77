"""What the workspace says to the deciders: each channel's policy, and where locations are."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from tillbridge.app import registry
from tillbridge.app.settings import SettingsRefused, Workspace
from tillbridge.app.settings_tables import LocationSettings, Settings
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.toml_tables import NoTables, parsed, tables_of
from tillbridge.contract.promises import Delivers
from tillbridge.orchestration.partners import Partners, read_partners
from tillbridge.orchestration.policies import ChannelPolicy, Keeper, Policies
from tillbridge.orchestration.sourcing import Site, Sourcing, parse_areas
from tillbridge.orchestration.terms import FILE, PARTNER, TermsOfSale, TermsRefused, parse_terms

AREAS = "postcodes.csv"


def policies_of(workspace: Workspace) -> Policies:
    """Policies of all channels. Raises SettingsRefused when `postcodes.csv` cannot be read, and for
    a channel that would be told in vain.
    """
    settings = workspace.settings
    for channel in settings.channel:
        if channel.tells_channel and not _can_be_told(channel.code, settings):
            raise SettingsRefused(
                f"channel {channel.code}: tells_channel, but no connection of it takes documents"
            )
    entities = settings.entities()
    suppliers = {p.code: frozenset(p.supplies) for p in settings.location if not p.keeps_stock}
    return Policies(
        channels={
            channel.code: ChannelPolicy(
                channel=channel.code,
                entity=channel.entity,
                fulfil_from=tuple(
                    code for code in settings.ships_from(channel) if code not in suppliers
                ),
                suppliers=tuple(code for code in settings.ships_from(channel) if code in suppliers),
                # an order is booked as one wherever it was sold: at a till too (posting, shapes)
                gl=entities[channel.entity].gl.get("web", "documents"),
                pays_papers=entities[channel.entity].payments == "journals",
                erp=bool(entities[channel.entity].erp),
                order_point=channel.order_point,
                nearest=channel.nearest,
                split_most=channel.split_most,
                backorder=channel.backorder,
                preorder=channel.preorder,
                receipts_repeat=channel.receipts_repeat,
                brand=channel.brand,
                tells_goods=entities[channel.entity].tells_goods,
                tax_service=channel.tax_service,
                tax_needed=channel.tax_needed,
                tax_records=channel.tax_records,
                tells_channel=channel.tells_channel,
            )
            for channel in settings.channel
        },
        tender_kinds=settings.tender_kinds,
        sourcing=sourcing_of(workspace),
        sale=terms_of(workspace),
        keepers={
            place.code: Keeper(owner.code, owner.erp, owner.currency)
            for place in settings.location
            if (owner := entities[place.entity]).tells_goods and owner.erp and place.keeps_stock
        },
        run_by={place.code: place.run_by for place in settings.location if place.run_by},
        suppliers=suppliers,
        partners=partners_of(workspace),
        owners={place.code: place.entity for place in settings.location if place.keeps_stock},
    )


def _can_be_told(channel: str, settings: Settings) -> bool:
    return any(
        isinstance(registry.connector(one.connector), Delivers)
        for one in settings.connection.values()
        if one.channel == channel
    )


def terms_of(workspace: Workspace) -> TermsOfSale:
    """The policies of the workspace's file, none where it has none; raises SettingsRefused."""
    path = workspace.folder / "rules" / FILE
    if not path.is_file():
        return TermsOfSale()
    try:
        terms = parse_terms(path.read_text(encoding="utf-8"), f"rules/{FILE}")
    except (OSError, UnicodeDecodeError, TermsRefused) as problem:
        raise SettingsRefused(str(problem)) from None
    unknown = terms.unknown(workspace.settings.channels().keys(), _entities(workspace))
    if unknown:
        raise SettingsRefused("\n".join(unknown))
    return terms


def partners_of(workspace: Workspace) -> Partners:
    """Deals with partners out of the same file; raises SettingsRefused."""
    path = workspace.folder / "rules" / FILE
    if not path.is_file():
        return Partners()
    name = f"rules/{FILE}"
    try:
        text = path.read_text(encoding="utf-8")
        tables = tables_of(parsed(text, name), text, name, PARTNER, "partners")
    except (OSError, UnicodeDecodeError, NoTables) as problem:
        raise SettingsRefused(str(problem)) from None
    found, problems = read_partners(tables)
    settings = workspace.settings
    known = {
        "location": {place.code for place in settings.location},
        "channel": set(settings.channels()),
        "entity": set(settings.entities()),
    }
    for one in found.policies:
        for what, codes in known.items():
            place = one.deal.policy.split(" ", 1)[1]
            problems += [
                f"{place}: no {what} {code!r}" for code in getattr(one, what) if code not in codes
            ]
    if problems:
        raise SettingsRefused("\n".join(problems))
    return found


def _entities(workspace: Workspace) -> AbstractSet[str]:
    return workspace.settings.entities().keys()


def sourcing_of(workspace: Workspace) -> Sourcing:
    """Sites of the locations, and the postcode areas of the workspace's table if it has one."""
    sites = {place.code: _site(place) for place in workspace.settings.location}
    path = workspace.folder / AREAS
    if not path.is_file():
        return Sourcing(sites)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        return Sourcing(sites, parse_areas(text, str(path)))
    except (OSError, Refused) as problem:
        raise SettingsRefused(str(problem)) from None


def _site(place: LocationSettings) -> Site:
    at = None
    if place.latitude is not None and place.longitude is not None:
        at = (place.latitude, place.longitude)
    return Site(at=at, cost=place.cost, collects=place.collects)
