"""tillbridge story, status, verify: looking at the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.terminal import Terminal, fail, terminal
from tillbridge.app.text_table import table

if TYPE_CHECKING:
    from datetime import datetime

    from tillbridge.durable.pauses import Pause
    from tillbridge.watch.status import Status
    from tillbridge.watch.verify import Verdict

DAY_SECONDS = 86_400.0
_MINUTE = "%Y-%m-%d %H:%M UTC"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(story)
    app.command()(status)
    app.command()(verify)
    app.command()(schema)


def story(context: typer.Context, key: str) -> None:
    """One sale from delivery to ledger, ERP and bank line.

    KEY: an order number, a receipt, a number of the ERP, a line of a payout or a bank, an entry.
    """
    import msgspec

    from tillbridge.app.cli.policies import terms_page
    from tillbridge.app.order_terms import terms_told
    from tillbridge.posting.money.cards import ITEM
    from tillbridge.triage.reach import key_within
    from tillbridge.triage.rights import require
    from tillbridge.watch.story import find, page, tell

    here = terminal(context)
    with here.database() as connection:
        found = find(connection, key)
        if found.startswith(ITEM):
            require(here.who, "cards.read")
        key_within(connection, found, here.reach)
        told = tell(connection, found)
        terms = terms_told(connection, here.workspace(), found)
    written = [term for term in terms if term.place]
    text = page(told) + (f"\n\nterms\n{terms_page(written)}" if written else "")
    here.show({**msgspec.structs.asdict(told), "terms": terms}, text)


def status(context: typer.Context) -> None:
    """What was taken in, what is pending and since when, what waits for whom."""
    from tillbridge.watch.status import status as read

    here = terminal(context)
    with here.database() as connection:
        found = read(connection)
    rows: list[tuple[object, ...]] = [
        ("deliveries", found.messages, f"{found.duplicates} duplicates refused"),
        ("records", found.records, f"{found.pending_records} pending"),
        ("entries", found.entries, ""),
        ("parked keys", found.parked_keys, ""),
        ("orders pending ERP acknowledgement", found.orders_pending_acknowledgement, ""),
        ("till numbers missing", found.till_numbers_missing, ""),
        _verified(found),
    ]
    rows += [(f"orders {state}", count, "") for state, count in found.orders.items()]
    rows += [
        (f"{kind} documents {state}", count, "")
        for kind, states in found.documents.items()
        for state, count in states.items()
    ]
    rows += [(f"open cases: {reason}", count, "") for reason, count in found.open_cases.items()]
    rows += [
        (f"waiting for {d.name}", d.documents, "breaker open" if d.failures else "")
        for d in found.destinations
    ]
    rows += [
        (f"waiting for the posting window of {d.name}", d.for_window, f"opens {d.opens:{_MINUTE}}")
        for d in found.destinations
        if d.opens is not None
    ]
    rows += [
        (
            f"{one.stream} of {one.connection} complete through",
            f"{one.complete_through:%Y-%m-%d %H:%M}" if one.complete_through else "not known",
            f"{one.lacking} missing or behind" if one.lacking else "",
        )
        for one in found.streams
    ]
    rows += [
        (f"waiting at {w.account}: {w.class_}", w.count, f"for {_age(w.seconds)}")
        for w in found.waiting
    ]
    rows += [
        (f"figures waiting for {c.name}", c.waiting, f"{c.refused} refused" if c.refused else "")
        for c in found.publication
    ]
    rows += [(f"paused: {p.what}", p.documents, _paused(p, found.at)) for p in found.pauses]
    if found.held_back_since is not None:
        since = _age((found.at - found.held_back_since).total_seconds())
        rows.append(("polls and drop folders wait for the flow", found.pending_records, since))
    here.show(found, table(("what", "count", ""), rows))


def _verified(found: Status) -> tuple[object, ...]:
    newest = found.verification
    if newest is None:
        return ("broken invariants", None, "not checked by schedule yet")
    words = f"of {newest.checked} checked at {newest.at:%Y-%m-%d %H:%M}"
    return ("broken invariants", newest.broken, ": ".join((words, *newest.lies)))


def _age(seconds: float) -> str:
    """A span in the largest unit that still says something."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _paused(pause: Pause, now: datetime) -> str:
    """Since when, by whom and why."""
    age = (now - pause.since).total_seconds()
    late = "PAUSED FOR MORE THAN A DAY, " if age > DAY_SECONDS else ""
    why = f": {pause.reason}" if pause.reason else ""
    return f"{late}since {pause.since:%Y-%m-%d %H:%M} UTC by {pause.by}{why}"


def verify(
    context: typer.Context,
    quiesced: Annotated[
        bool, typer.Option(help="Also check what holds once nothing moves (after a drain).")
    ] = False,
    deep: Annotated[
        bool, typer.Option(help="Also read the whole log and fold every order again.")
    ] = False,
    explain: Annotated[
        str, typer.Option(help="Only say what an invariant means and what to do; or `all`.")
    ] = "",
) -> None:
    """Check every invariant on the live database; exit 1 if one is broken."""
    from tillbridge.watch.verify import verify as check

    here = terminal(context)
    if explain:
        _explain(here, explain)
        return
    with here.hub() as hub, hub.connect() as connection:
        chart = hub.book_in_force(connection).chart
        verdict = check(connection, quiesced=quiesced, deep=deep, chart=chart)
    here.show(verdict, _told(verdict))
    if not verdict.ok:
        raise typer.Exit(1)


def _explain(here: Terminal, name: str) -> None:
    from tillbridge.watch.invariants import INVARIANTS

    wanted = name.strip().replace(" ", "_")
    found = [one for one in INVARIANTS if wanted in {"all", one.name}]
    found = found or [one for one in INVARIANTS if wanted in one.name]
    if not found:
        fail(f"there is no invariant {name!r}; `tillbridge verify` lists them")
    rows = [
        {"name": one.sentence, "says": one.says, "do": one.do, "owner": one.owner} for one in found
    ]
    parts = [
        f"{one.sentence}\n  {one.says}\n  broken: {one.do}\n  owner: {one.owner}" for one in found
    ]
    here.show({"invariants": rows}, "\n\n".join(parts))


def _told(verdict: Verdict) -> str:
    """One line per invariant, then what is broken with its rows and what to do."""
    rows = [(i.name, i.lies, "BROKEN" if i.lies else "ok") for i in verdict.invariants]
    text = table(("invariant", "lies", ""), rows)
    for one in verdict.invariants:
        if one.lies:
            text += f"\n\nBROKEN: {one.name} ({one.lies})\n  {one.says}\n  {one.do}"
            text += "".join(f"\n    {', '.join(row)}" for row in one.rows)
            if one.lies > len(one.rows):
                text += f"\n    and {one.lies - len(one.rows)} more"
    text += f"\n\n{verdict.checked} invariants checked, {verdict.broken} broken"
    return f"{text} ({verdict.seconds:.1f} s, up to record {verdict.position})"


def schema(context: typer.Context) -> None:
    """JSON Schema of every canonical fact and command, with its version."""
    import msgspec

    from tillbridge.canonical.registry import schemas

    found = schemas()
    text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
    terminal(context).show(found, text)
