"""The id of a gift card or credit is money: no answer of the hub shows more than its last four."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from tests.app.api.caller import Caller, client_key
from tests.stories.checkout import checkout
from tests.stories.shop import House, house
from tests.stories.test_gift_card_and_voucher_end_at_zero import CARD as GIFT
from tests.stories.test_gift_card_and_voucher_end_at_zero import HEAD, ISSUED, furnish
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.table import ROUTES
from tillbridge.app.card_masks import told_json, told_text
from tillbridge.app.channel_policies import policies_of
from tillbridge.app.cli.verbs import VERBS
from tillbridge.app.logs import log_to
from tillbridge.app.worker import chores
from tillbridge.inbox.group_commit import IntakeWriter
from tillbridge.triage import operators
from tillbridge.triage.operators import KeyTerms

CREDIT, OVERDRAWN = 'SC 88"40-\\5555 é1', "GC/9900/1111"
CARDS = (GIFT, CREDIT, OVERDRAWN)


@pytest.mark.parametrize("card", [*CARDS, "G-1", "7", "0123456789012345"])
def test_a_document_keeps_its_form_and_loses_its_cards(card: str) -> None:
    told = {
        "card": card,
        "tenders": [{"tender": "gift-card", "card": card, "amount": 5}],
        "key": f"card/{card}",
        "fact": "card/ledger/C1/issued",
        "account": "clearing/card",
        "by_tender": {"card": "12.00", "cash": "1.00"},
        "raw": msgspec.json.encode({"card": card, "n": [1]}).decode(),
        "kind": "card",
    }
    raw = msgspec.json.encode(told)
    shown = json.loads(told_json(raw))
    for name in ("fact", "account", "by_tender", "kind"):
        assert shown[name] == told[name]
    assert card not in (shown["card"], shown["key"], shown["tenders"][0]["card"])
    assert json.loads(shown["raw"])["card"] != card
    assert shown["card"][-1:] in (card[-1], "*")
    assert told_json(told_json(raw)) == told_json(raw)
    page = told_text(f"card {card} paid\nkey card/{card} of card/ledger/C1/issued", raw)
    assert len(card) < 6 or card not in page
    assert "of card/ledger/C1/issued" in page


def test_what_names_no_card_is_left_as_it_is() -> None:
    raw = b'{"tender":"card","order":"order/web/1"}'
    assert told_json(raw) == raw
    raw = b'{"n":1}'
    assert told_json(raw) is raw


def test_a_log_line_shows_no_card() -> None:
    stream = io.StringIO()
    log_to(stream)
    structlog.get_logger("x").info("told", key=f"card/{GIFT}", body={"card": CREDIT}, card=GIFT)
    structlog.reset_defaults()
    assert not [card for card in CARDS if card in stream.getvalue()]
    assert json.loads(stream.getvalue())["key"] == "card/*************5678"


SCOPES = ("orders:write", "returns:write", "payments:write")


@pytest.fixture
def keys() -> dict[str, str]:
    """The key of a service desk, made before there is a person who would have to approve it."""
    return {}


@pytest.fixture
def shop(tmp_path: Path, database_url: str, keys: dict[str, str]) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=furnish) as found:
        found.names([("cards", "tender", "gift_card", "gift-card")])
        keys["desk"] = client_key(found.connection, *SCOPES, name="desk", channel="phone")
        with checkout(found) as web:
            _traded(found, web)
        yield found


def _traded(shop: House, web: Any) -> None:
    """Cards sold, used, refunded to, overdrawn; one that waits behind a case."""
    line = {"line": "1", "kind": "gift_card", "quantity": "1", "list": "25.00", "ships": False}
    web.order("S-1", "25.00", lines=[line])
    web.payment("S-1", "captured", "ch_s", "25.00")
    shop.file("cards", (HEAD + ISSUED).encode(), "issued.csv")
    for number, card in (("V-1", GIFT), ("V-2", OVERDRAWN)):
        web.order(number, "20.00")
        web.payment(number, "captured", f"p-{number}", "20.00", tender="gift-card", card=card)
    web.payment("V-1", "refunded", "r-1", "20.00", tender="store-credit", card=CREDIT)
    web.payment("V-9", "captured", "p-9", "5.00", tender="gift-card", card=GIFT)
    chores(shop.hub)["cards"](shop.connection, shop.hub.clock.now())
    shop.connection.commit()
    shop.drain()
    assert "card_overdrawn" in shop.cases()


# how each verb that looks is asked; those with a reason instead reach no card
LOOKS: dict[str, list[list[str]] | str] = {
    "approvals list": [[]],
    "approvals show": "shows one proposal",
    "audit digest": "digests",
    "audit export": "an auditor's file, exact to be proven",
    "audit list": [[]],
    "audit verify": [[]],
    "cards show": [[card] for card in CARDS],
    "cards tie": [[]],
    "cases list": [[], ["--state", "all"]],
    "cases plan": "one plan",
    "cases plans": [[]],
    "cases show": [["1"]],
    "close": [["us", "2026-03"]],
    "ledger open": [["us", "customer-deposits"]],
    "costs show": "what products cost",
    "invoices list": [[]],
    "invoices show": "one invoice",
    "items show": "products",
    "keys list": [[]],
    "ledger balance": [[]],
    "ledger behind": "one document of the ERP",
    "ledger export": [["--format", "csv"], ["--format", "beancount", "--entity", "us"]],
    "ledger journal": [[], ["--key", f"card/{GIFT}"]],
    "ledger margin": "amounts by channel and category",
    "ledger tie": "documents and amounts by account",
    "operators list": [[]],
    "partners statement": "sums by sale of a partner",
    "people export": "one person",
    "people find": "one person",
    "people list": [[]],
    "periods list": [[]],
    "policies show": [["V-1"]],
    "purchases list": [[]],
    "purchases show": "one purchase",
    "reconcile show": "one payout",
    "reconcile status": [[]],
    "returns tax-failed": [[]],
    "rules diff": "amounts by account",
    "secrets list": [[]],
    "status": [[]],
    "stock available": "products",
    "stock proposals": [[]],
    "stock supplies": [[]],
    "stock rules show": [[]],
    "stock publication": [[]],
    "stock show": [[]],
    "stores": [[]],
    "story": [["V-1"], ["V-2"], ["S-1"], ["order/callcentre/V-9"], [f"card/{GIFT}"]],
    "taxes list": [[]],
    "transfers list": [[]],
    "transfers show": "one transfer",
    "verify": [["--quiesced", "--deep"]],
    "xref list": [[]],
}


def whole(text: str) -> list[str]:
    """Cards that a text shows whole, also as JSON writes them."""
    forms = {card: (card, msgspec.json.encode(card).decode()[1:-1]) for card in CARDS}
    return [card for card, ways in forms.items() if any(way in text for way in ways)]


def test_no_verb_shows_a_whole_card(shop: House) -> None:
    looking = {verb for verb, action in VERBS.items() if action.startswith(("look", "cards."))}
    looking |= {verb for verb, action in VERBS.items() if action == "people.read"}
    assert looking == LOOKS.keys(), "say how it is asked, or why it reaches no card"
    # a card's whole balance is lost to no one who has its id
    assert "*************5678: 5.00 USD" in shop.verb("cards", "show", GIFT)
    # the tables are exact
    rows = shop.rows("select distinct item from entry_line where item like 'card/%'")
    assert {row[0] for row in rows} == {f"card/{card}" for card in CARDS}
    for verb, ways in LOOKS.items():
        for more in ways if isinstance(ways, list) else []:
            words = [*verb.split(), *more]
            for told in (shop.verb(*words), shop.verb("--json", *words)):
                assert whole(told) == [], words
    found = [
        verb
        for verb in ("story", "ledger journal")
        if "5678" not in shop.verb("--json", *verb.split(), *(["V-1"] if verb == "story" else []))
    ]
    assert found == []


def test_who_may_not_look_at_cards_sees_none_by_its_id(shop: House) -> None:
    row = "update operator set roles = %s where name = 'me'"
    shop.connection.execute(row, (["viewer"],))
    shop.connection.commit()
    for words in (["cards", "show", GIFT], ["story", f"card/{GIFT}"]):
        with pytest.raises(AssertionError, match="may not see what is on a gift card"):
            shop.verb(*words)


def test_no_route_shows_a_whole_card(shop: House, keys: dict[str, str]) -> None:
    writer = IntakeWriter(shop.hub.url)
    workspace = shop.hub.workspace
    resources = Resources(shop.hub.url, workspace.settings, writer, policies=policies_of(workspace))
    for part in (writer, resources):
        part.start()
    try:
        caller = Caller(Api(resources))
        terms = KeyTerms(5, (), 0)
        me = operators.make_key(
            shop.connection, "me", "ann", terms, now=shop.hub.clock.now(), ids=shop.hub.ids
        )
        shop.connection.commit()
        looked = {"/v1/status": me, "/v1/cases": me, "/v1/orders/V-1": keys["desk"]}
        told = [caller.ask(path, key) for path, key in looked.items()]
        asked = {"location": "store-nyc", "order": "V-1"}
        heads = {b"idempotency-key": b"r-1"}
        told.append(caller.ask("/v1/returns/authorizations", keys["desk"], body=asked, heads=heads))
        wrong = {"order": "V-1", "kind": "captured", "card": GIFT}
        told.append(caller.ask("/v1/payments", keys["desk"], body=wrong, heads={**heads}))
    finally:
        for part in (resources, writer):
            part.stop()
    assert [one.status for one in told] == [200, 200, 200, 200, 400]
    for one in told:
        assert whole(msgspec.json.encode(one.body).decode()) == []
        assert int(one.headers[b"content-length"]) > 0
    assert "card_overdrawn" in str(told[1].body)
    assert {route.path for route in ROUTES} >= looked.keys() - {"/v1/orders/V-1"}
