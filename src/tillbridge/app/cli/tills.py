"""tillbridge tills: the close of a store's day, worked out again whenever it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.terminal import fail, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.money import to_text

if TYPE_CHECKING:
    from tillbridge.reconciliation.tills.closing import TillClose
    from tillbridge.reconciliation.tills.sequences import Gap

app = typer.Typer(no_args_is_help=True)


@app.callback()
def tills() -> None:
    """A group: more than one verb may come."""


@app.command("close-report")
def close_report(
    context: typer.Context,
    store: Annotated[str, typer.Argument(help="Our code of the store.")],
    day: Annotated[str, typer.Argument(help="Business day, 2026-03-02.")],
    look_only: Annotated[bool, typer.Option("--look", help="Show it and book nothing.")] = False,
) -> None:
    """Tenders expected and counted, the difference, what is missing; books what is new of it.

    It can be run as often as one likes: a second run books only what changed since the first.
    """
    from tillbridge.reconciliation.tills.closing import closes, tell
    from tillbridge.reconciliation.tills.sequences import gaps, look

    here = terminal(context)
    wanted = _day(day)
    with here.hub() as hub, hub.connect() as connection:
        places = {place.code: place for place in hub.workspace.settings.location}
        if store not in places:
            fail(f"the workspace has no location {store!r}")
        here.who.within(places[store].entity)
        now = hub.clock.now()
        look(connection, hub.expected, now)
        connection.commit()
        missing = [
            gap
            for gap in gaps(connection, now + timedelta(days=1))
            if gap.location == store and gap.business_date == wanted
        ]
        days = [(store, wanted)]
        found = closes(connection, days, hub.expected, hub.policies.kind_of)
        told = 0 if look_only else tell(connection, found, days)
    shown = {"tills": [_plain(one) for one in found], "missing": missing, "counts_told": told}
    here.show(shown, _page(found, missing, told))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"a day is written 2026-03-02, not {text!r}", code=2)


def _plain(close: TillClose) -> dict[str, object]:
    return {
        "till": close.till,
        "connection": close.source,
        "currency": close.currency,
        "sales": close.sales,
        "closes": close.closes,
        "closed_at": close.closed_at,
        "tenders": [
            {
                "tender": one.tender,
                "expected": one.expected,
                "counted": one.counted,
                "till_expected": one.stated,
                "difference": one.difference,
                "booked": one.booked,
            }
            for one in close.tenders
        ],
    }


def _page(found: Sequence[TillClose], missing: Sequence[Gap], told: int) -> str:
    if not found:
        return "nothing was heard of that day"
    headers = ("till", "tender", "expected", "counted", "till says", "difference", "booked before")
    lines = [table(headers, list(_rows(found)))]
    lines += [_state(close) for close in found]
    lines += [_gap(gap) for gap in missing]
    if told:
        lines.append(f"what is new of the differences of {told} till(s) is told to the books")
    return "\n".join(lines)


def _rows(found: Sequence[TillClose]) -> Iterator[tuple[object, ...]]:
    for close in found:
        for one in close.tenders:
            amounts = (one.expected, one.counted, one.stated, one.difference, one.booked or None)
            shown = ["" if sum_ is None else to_text(sum_, close.currency) for sum_ in amounts]
            yield (close.till, one.tender, *shown)


def _state(close: TillClose) -> str:
    if close.closed_at is None:
        return f"till {close.till}: {close.sales} sales, not closed yet"
    again = f" ({close.closes} closes, the newest counts)" if close.closes > 1 else ""
    return f"till {close.till}: {close.sales} sales, closed {close.closed_at:%H:%M} UTC{again}"


def _gap(gap: Gap) -> str:
    from tillbridge.reconciliation.tills.numbers import Run, shown

    rest = f", {gap.waiting} of them wait for a decision" if gap.waiting else ""
    return f"till {gap.till or 'all'}: number {shown(Run(gap.first, gap.last))} missing{rest}"
