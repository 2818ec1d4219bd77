"""tillbridge stock replenish, proposals, accept, reject, supplies: what places should be sent."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from tillbridge.app.cli.goods import entity_of, hand_of
from tillbridge.app.cli.terminal import fail, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.quantity import to_text
from tillbridge.canonical.supply import ProposedLine, ReplenishmentProposed

SHOWN_MOST = 500
_FIGURES = ("quantity", "on_hand", "reserved", "on_order", "in_transit", "demand", "least", "most")
_HEADERS = (
    "product", "propose", "on hand", "reserved", "on order", "in transit", "sold", "min", "max",
)  # fmt: skip
_Number = Annotated[str, typer.Argument(help="The proposal's number.")]
_Reason = Annotated[str, typer.Option(help="Why.")]


def replenish(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show; write nothing.")] = False,
) -> None:
    """Propose what lies below its minimum, by the rules of `rules/stock.toml`."""
    from tillbridge.app import replenishment

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        run = replenishment.run_of(hub.workspace, hub.ids, hub.clock.now())
        if dry_run:
            facts = replenishment.look(connection, hub.workspace, run)
        else:
            facts = replenishment.propose(connection, hub.workspace, run, here.who.name)
            connection.commit()
    found = [fact for fact in facts if isinstance(fact, ReplenishmentProposed)]
    pages = [
        f"{'' if dry_run else one.number + ': '}{_head(one.kind, one.comes_from, one.location)}\n"
        + _page(one.lines)
        for one in found
    ]
    here.show({"proposals": found, "written": not dry_run}, "\n\n".join(pages) or "nothing lacks")


def _head(kind: str, source: str, location: str) -> str:
    return f"{kind} from {source} to {location}"


def _page(lines: tuple[ProposedLine, ...]) -> str:
    rows = [(one.product, *(to_text(getattr(one, name)) for name in _FIGURES)) for one in lines]
    return table(_HEADERS, rows)


def proposals(
    context: typer.Context,
    whole: Annotated[bool, typer.Option("--all", help="Those decided on too.")] = False,
) -> None:
    """What replenishment proposed."""
    from tillbridge.app.replenishment import QUERIES
    from tillbridge.orchestration.proposals.state import ProposalState

    here = terminal(context)
    asked: dict[str, Any] = {"all": whole, "most": SHOWN_MOST, **here.reach.values()}
    with here.database() as connection:
        rows = connection.execute(QUERIES.list, asked).fetchall()
    data, pages = [], []
    for number, status, kind, source, location, due_at, remote, body, bought, *much in rows:
        state = msgspec.json.decode(bytes(body), type=ProposalState)
        told = {"number": number, "status": status, "remote": remote, "due_at": due_at}
        told |= {"purchase": bought, "ordered": much[0], "received": much[1]}
        data.append({**told, "proposal": state.told, "verdict": state.verdict})
        head = f"{number} ({status}): {_head(kind, source, location)}, due {due_at:%Y-%m-%d}"
        if bought:
            head += f"\npurchase {bought}: {to_text(much[1])} of {to_text(much[0])} came"
        pages.append(f"{head}\n{_page(state.told.lines if state.told else ())}")
    here.show({"proposals": data}, "\n\n".join(pages) or "no proposal waits")


def accept(context: typer.Context, number: _Number, reason: _Reason = "") -> None:
    """Have a proposal carried out: a transfer is ordered, the ERP is asked to buy."""
    _decide(context, number, reason, accept=True)


def reject(context: typer.Context, number: _Number, reason: _Reason = "") -> None:
    """Have a proposal dropped; the need is looked at again on the next day of review."""
    _decide(context, number, reason, accept=False)


def _decide(context: typer.Context, number: str, reason: str, *, accept: bool) -> None:
    from tillbridge.app import replenishment

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        row = connection.execute(replenishment.QUERIES.location, (number,)).fetchone()
        if row is None:
            fail(f"there is no proposal {number!r}")
        hand = hand_of(here, hub, entity_of(here, hub, str(row[0])))
        fact = replenishment.decide(connection, number, reason, hand, accept=accept)
    done = "accepted" if accept else "rejected"
    here.show({"key": fact.key, "accepted": accept}, f"proposal {number} is {done}")


def supplies(
    context: typer.Context,
    late: Annotated[bool, typer.Option("--late", help="Only what is overdue.")] = False,
) -> None:
    """What is expected of suppliers and has not come, by due date."""
    from tillbridge.app.replenishment import QUERIES

    here = terminal(context)
    now = SystemClock().now()
    asked: dict[str, Any] = {"now": now, "late": late, "most": SHOWN_MOST, **here.reach.values()}
    with here.database() as connection:
        rows = connection.execute(QUERIES.supplies, asked).fetchall()
    names = ("supply", "location", "product", "due_at", "expected", "received", "open", "late")
    shown = [
        (*row[:3], f"{row[3]:%Y-%m-%d}" if row[3] else "", *(to_text(much) for much in row[4:7]),
         "late" if row[7] else "")
        for row in rows
    ]  # fmt: skip
    data = [dict(zip(names, row, strict=True)) for row in rows]
    here.show({"supplies": data, "unit": "thousandths"}, table(names, shown))
