"""A preview in words for a terminal, and as plain data for --json."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tillbridge.app.replay.preview import Effect, Preview
from tillbridge.atoms.money import to_text
from tillbridge.atoms.quantity import to_text as quantity_text

CASES_SHOWN = 20


def page(found: Preview) -> str:
    """The first cases one by one, then all in total."""
    lines: list[str] = []
    for number, effect in list(found.cases.items())[:CASES_SHOWN]:
        lines += [f"case {number}: {_went(effect)}", *_told(effect)]
    if len(found.cases) > CASES_SHOWN:
        lines.append(f"... and {len(found.cases) - CASES_SHOWN} cases more")
    if len(found.cases) > 1 or not found.whole:
        lines += ["", f"in total: {_went(found.total)}", *_told(found.total)]
    if not found.whole:
        times = found.parked / found.previewed if found.previewed else 0
        lines.append(
            f"previewed are the first {found.previewed:,} of {found.parked:,} parked records; by"
            f" count alone, all {found.matched:,} cases come to about {times:.1f} times as much"
        )
    return "\n".join(lines)


def _went(effect: Effect) -> str:
    if not effect.records:
        return "a document is looked up over there and sent again"
    words = f"{effect.goes} of {effect.records} parked records would go through"
    if effect.behind:
        words += f", {effect.behind} wait behind one that would not"
    return words


def _told(effect: Effect) -> list[str]:
    lines = []
    if effect.emitted:
        told = ", ".join(f"{name} {count}" for name, count in sorted(effect.emitted.items()))
        lines.append(f"  follows: {told}")
    for (kind, destination), count in sorted(effect.documents.items()):
        lines.append(f"  document: {count} {kind} to {destination}")
    if effect.entries:
        lines.append(f"  entries: {effect.entries}")
    for (entity, account, currency), amount in sorted(effect.sums.items()):
        if amount:
            text = to_text(amount, currency)
            lines.append(f"    {entity:<6} {account:<36} {text:>14} {currency}")
    lines += _stock("moves", effect.moved) + _stock("holds", effect.reserved)
    return lines + _stays(effect)


def _stays(effect: Effect) -> list[str]:
    """By reason: how many, and the first in its words."""
    first = dict(reversed(list(effect.stays)))
    counts = Counter[str]()
    for (reason, _), count in effect.stays.items():
        counts[reason] += count
    return [f"  stays: {n} {reason}: {first[reason]}" for reason, n in counts.most_common()]


def _stock(verb: str, counted: Counter[tuple[str, str]]) -> list[str]:
    return [
        f"  stock {verb}: {quantity_text(quantity)} {product} at {location}"
        for (location, product), quantity in sorted(counted.items())
        if quantity
    ]


def plain(found: Preview) -> dict[str, Any]:
    """The preview without keys of several parts, as JSON has none."""
    return {
        "matched": found.matched,
        "parked": found.parked,
        "previewed": found.previewed,
        "whole": found.whole,
        "total": _plain(found.total),
        "cases": {str(number): _plain(effect) for number, effect in found.cases.items()},
    }


def _plain(effect: Effect) -> dict[str, Any]:
    return {
        "records": effect.records,
        "goes_through": effect.goes,
        "waits_behind": effect.behind,
        "follows": dict(effect.emitted),
        "documents": [
            {"kind": k, "destination": d, "count": c, "total": effect.totals[(k, d)]}
            for (k, d), c in effect.documents.items()
        ],
        "entries": effect.entries,
        "sums": [
            {"entity": e, "account": a, "currency": c, "amount": amount}
            for (e, a, c), amount in effect.sums.items()
        ],
        "stock_moves": _places(effect.moved),
        "stock_holds": _places(effect.reserved),
        "stays": [
            {"reason": reason, "words": words, "count": count}
            for (reason, words), count in effect.stays.items()
        ],
    }


def _places(counted: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"location": location, "product": product, "quantity": quantity}
        for (location, product), quantity in counted.items()
    ]
