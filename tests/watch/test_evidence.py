"""The evidence of a month: whatever is altered in the file is found, without the hub."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.stories.shop import House, house, line, paid_order, refund, shipment
from tests.stories.till_files import goods, poslog, post_void, receipt, tender
from tillbridge.durable.postgres.databases import create_database, drop_database
from tillbridge.watch.evidence.proof import prove

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory, server_url: str, template_database: str) -> Any:
    """The lines of an exported month; made once, every test alters a copy."""
    name = "tillbridge_evidence"
    url = create_database(server_url, name, template=template_database)
    folder = tmp_path_factory.mktemp("evidence")
    try:
        with house(folder / "house", url) as shop:
            yield _exported(shop, folder / "us.jsonl")
    finally:
        drop_database(server_url, name)


def _exported(shop: House, file: Path) -> list[bytes]:
    for number in (1, 2, 3):
        shop.web("orders/create", paid_order(number, [line(1)], "10.00"))
        shop.web("fulfillments/create", shipment(number, number, {1: 1}))
    shop.web("refunds/create", refund(3, 1, [], "5.00"))
    sale = [
        receipt(n, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60") for n in (1, 2)
    ]
    shop.file("stores", poslog(*sale, post_void(3, 2)))
    shop.drain()
    page = shop.verb("audit", "export", "us", "2026-03", str(file))
    found = file.read_bytes().splitlines(keepends=True)
    digest = hashlib.sha256(b"".join(found[:-1])).hexdigest()
    assert f"sha-256 {digest}" in page
    assert shop.verb("audit", "verify", str(file), "--digest", digest)
    (act,) = shop.rows("select after from audit where action = 'audit.export'")
    assert digest in act[0]
    assert file.stat().st_mode & 0o777 == 0o600
    return found


def sealed(rows: Rows) -> list[bytes]:
    """The rows with an end that fits them: somebody knew how the file is made."""
    body = [msgspec.json.encode(row) + b"\n" for row in rows if row["type"] != "end"]
    counts: dict[str, int] = {}
    for row in rows:
        if row["type"] != "end":
            counts[row["type"]] = counts.get(row["type"], 0) + 1
    end = {"type": "end", "counts": counts, "sha256": hashlib.sha256(b"".join(body)).hexdigest()}
    return [*body, msgspec.json.encode(end) + b"\n"]


def parsed(lines: list[bytes]) -> Rows:
    return [json.loads(line) for line in lines]


def of(rows: Rows, kind: str) -> Rows:
    return [row for row in rows if row["type"] == kind]


def test_a_month_holds_everything_and_proves_itself(lines: list[bytes]) -> None:
    proof = prove(lines)
    assert proof.problems == []
    assert (proof.entity, proof.period, proof.facts_gone) == ("us", "2026-03", 0)
    kinds = ("rule_book", "rule", "act", "entry", "document", "closing")
    assert all(proof.counts[kind] for kind in kinds)
    rows = parsed(lines)
    assert {row["fact_type"] for row in of(rows, "entry")} == {
        "DepositReceived", "SaleRecognised", "SaleReversed", "RefundPaid", "SaleRung", "SaleVoided"
    }  # fmt: skip
    assert sealed(rows) == lines  # the forger below writes just as the hub does


def _byte(dice: random.Random, lines: list[bytes]) -> list[bytes]:
    whole = bytearray(b"".join(lines))
    at = dice.randrange(len(whole))
    whole[at] ^= 1 << dice.randrange(8)
    return bytes(whole).splitlines(keepends=True)


def _gone(dice: random.Random, lines: list[bytes]) -> list[bytes]:
    at = dice.randrange(len(lines))
    return lines[:at] + lines[at + 1 :]


def _twice(dice: random.Random, lines: list[bytes]) -> list[bytes]:
    at = dice.randrange(len(lines))
    return lines[: at + 1] + lines[at:]


def _moved(dice: random.Random, lines: list[bytes]) -> list[bytes]:
    one, other = sorted(dice.sample(range(len(lines)), 2))
    changed = list(lines)
    changed[one], changed[other] = changed[other], changed[one]
    return changed


def _cut(dice: random.Random, lines: list[bytes]) -> list[bytes]:
    whole = b"".join(lines)
    return whole[: dice.randrange(1, len(whole))].splitlines(keepends=True)


BLUNT: dict[str, Callable[[random.Random, list[bytes]], list[bytes]]] = {
    "a byte": _byte, "a row gone": _gone, "a row twice": _twice, "rows moved": _moved, "cut": _cut
}  # fmt: skip


@pytest.mark.parametrize("kind", BLUNT)
def test_whatever_is_altered_shows(lines: list[bytes], kind: str) -> None:
    dice = random.Random(f"evidence {kind}")  # noqa: S311 - a seed, no secret
    for _ in range(100):
        altered = BLUNT[kind](dice, lines)
        if altered != lines:
            assert prove(altered).problems, kind


def _amount(dice: random.Random, rows: Rows) -> None:
    chosen = dice.choice(of(rows, "entry"))
    dice.choice(chosen["lines"])[2] += dice.choice((-1, 1)) * dice.randrange(1, 10_000)


def _both_sides(dice: random.Random, rows: Rows) -> None:
    chosen = dice.choice(of(rows, "entry"))
    for one in chosen["lines"]:
        one[2] *= 2


def _other_account(dice: random.Random, rows: Rows) -> None:
    dice.choice(dice.choice(of(rows, "entry"))["lines"])[1] = "sales/elsewhere"


def _without(kind: str) -> Callable[[random.Random, Rows], None]:
    def drop(dice: random.Random, rows: Rows) -> None:
        found = of(rows, kind)
        rows.remove(dice.choice(found[1:-1] if kind == "act" else found))

    return drop


def _fact(dice: random.Random, rows: Rows) -> None:
    chosen = dice.choice(of(rows, "entry"))["fact"]
    chosen["body"] = chosen["body"].replace('"occurred_at":"2026', '"occurred_at":"2025')


def _rule(dice: random.Random, rows: Rows) -> None:
    chosen = dice.choice(of(rows, "rule"))
    chosen["meaning"] = chosen["meaning"].replace("credit", "debit").replace("1", "2")


def _book(dice: random.Random, rows: Rows) -> None:
    dice.choice(of(rows, "rule_book"))["files"]["rules.toml"] += "\n# another word\n"


def _act(dice: random.Random, rows: Rows) -> None:
    dice.choice(of(rows, "act"))["actor"] = "nobody"


def _balance(dice: random.Random, rows: Rows) -> None:
    dice.choice(of(rows, "closing"))["amount"] += 1


def _day(dice: random.Random, rows: Rows) -> None:
    dice.choice(of(rows, "entry"))["posted_date"] = "2026-04-01"


FORGED: dict[str, Callable[[random.Random, Rows], None]] = {
    "an amount": _amount,
    "both sides": _both_sides,
    "an account": _other_account,
    "an entry gone": _without("entry"),
    "a rule gone": _without("rule"),
    "an act gone": _without("act"),
    "a journal gone": lambda dice, rows: rows.remove(
        next(row for row in of(rows, "document") if row["kind"] == "journal")
    ),
    "a fact": _fact,
    "a rule": _rule,
    "a rule book": _book,
    "an act": _act,
    "a balance": _balance,
    "a day": _day,
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forger_who_makes_the_end_anew_is_found_out(lines: list[bytes], kind: str) -> None:
    dice = random.Random(f"forged {kind}")  # noqa: S311 - a seed, no secret
    for _ in range(20):
        rows = parsed(lines)
        FORGED[kind](dice, rows)
        proof = prove(sealed(rows))
        assert proof.problems, kind
        assert not any("bytes" in words or "the end" in words for words in proof.problems)


def test_an_entry_that_does_not_balance_is_named(lines: list[bytes]) -> None:
    rows = parsed(lines)
    entry = of(rows, "entry")[0]
    entry["lines"][0][2] += 1
    assert any(
        f"entry {entry['id']} does not balance" in words for words in prove(sealed(rows)).problems
    )


def test_a_file_made_up_whole_has_another_digest_than_the_one_kept(lines: list[bytes]) -> None:
    rows = parsed(lines)
    of(rows, "head")[0]["made_by"] = "somebody"
    forged = sealed(rows)
    kept = json.loads(lines[-1])["sha256"]
    assert prove(forged).problems == []
    assert prove(forged, kept).problems == ["the digest is not the one that was kept"]


def test_an_entry_without_its_fact_is_counted_and_a_strange_file_refused(
    lines: list[bytes],
) -> None:
    rows = parsed(lines)
    of(rows, "entry")[0]["fact"] = None
    assert prove(sealed(rows)).facts_gone == 1
    assert prove([b"not json\n"]).problems
    assert prove([]).problems == ["the file has no end: something was cut off"]
