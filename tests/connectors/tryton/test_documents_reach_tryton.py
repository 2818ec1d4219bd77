"""Documents on a real Tryton: exact amounts, one document per operation, words for every no."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from tests.connectors.tryton.live import (
    DAY,
    Live,
    charge,
    document_line,
    fresh,
    journal,
    order_line,
    sale,
)
from tillbridge.app.erp.beside import Erp
from tillbridge.atoms.errors import RetryLater
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.connectors.tryton.client import Session
from tillbridge.contract.promises import Assignment

# The first run on a machine installs Tryton and fills its database.
pytestmark = pytest.mark.timeout(900)


def test_a_sales_order_goes_through_its_workflow(live: Live) -> None:
    document = sale()
    (receipt,) = live.deliver(document)
    assert receipt.outcome == "accepted"
    (row,) = live.read(
        "sale.sale", [["web_id", "=", document.id]], "number", "state", "untaxed_amount"
    )
    assert (row["state"], row["number"]) == ("processing", receipt.number)
    assert row["untaxed_amount"] == Decimal("24.89")


def test_an_invoice_is_posted_with_exactly_the_tax_of_the_channel(live: Live) -> None:
    order = sale(order_line("1", 1000, quantity=3000), order_line("s", 490, kind="shipping"))
    invoice = charge(
        "invoice",
        order.id,
        document_line("1", 1000, tax=77, quantity=3000),
        document_line("s", 490, tax=1, kind="shipping", jurisdiction="US-NY"),
    )
    _, receipt = live.deliver(order, invoice)
    assert receipt.outcome == "accepted", receipt.words
    assert receipt.number.startswith("INV2026-")
    assert receipt.move_total == 1568
    booked = live.booked(receipt.move)
    assert booked.pop("1.2.1") == 1568
    assert booked == {
        "sales": -1000,
        "shipping-income": -490,
        "sales-tax": -77,
        "sales-tax/US-NY": -1,
    }


@pytest.mark.parametrize(
    ("quantity", "net"), [(7000, 1000), (999_000, 100_001), (650, 333), (0, 500), (3000, -1000)]
)
def test_amounts_that_no_unit_price_can_carry_stay_exact(
    live: Live, quantity: int, net: int
) -> None:
    order = sale(order_line("1", net, quantity=quantity), order_line("2", 200_000))
    lines = (document_line("1", net, quantity=quantity), document_line("2", 200_000))
    invoice = charge("invoice", order.id, *lines)
    _, receipt = live.deliver(order, invoice)
    assert receipt.outcome == "accepted", receipt.words
    assert live.booked(receipt.move)["sales"] == -net - 200_000
    (row,) = live.read("sale.sale", [["web_id", "=", order.id]], "untaxed_amount")
    assert row["untaxed_amount"] * 100 == net + 200_000


def test_a_sold_gift_card_is_a_liability_on_the_same_invoice(live: Live) -> None:
    order = sale()
    invoice = charge(
        "invoice",
        order.id,
        document_line("1", 1000, tax=80),
        document_line("g", 5000, kind="gift_card"),
    )
    _, receipt = live.deliver(order, invoice)
    assert receipt.move_total == 6080
    assert live.booked(receipt.move)["gift-card-liability"] == -5000


def test_a_credit_note_books_the_reverse_under_its_own_sequence(live: Live) -> None:
    order = sale()
    lines = (document_line("1", 1999, tax=165), document_line("g", 1000, kind="gift_card"))
    invoice = charge("invoice", order.id, *lines)
    note = charge("credit_note", order.id, *lines)
    _, first, second = live.deliver(order, invoice, note)
    assert second.outcome == "accepted", second.words
    assert second.number.startswith("CN2026-")
    assert second.move_total == first.move_total
    reverse = {account: -minor for account, minor in live.booked(first.move).items()}
    assert live.booked(second.move) == reverse


def test_an_invoice_that_sums_to_nothing_is_posted_too(live: Live) -> None:
    order = sale(order_line("1", 0, quantity=2000), order_line("2", 1000))
    free = charge("invoice", order.id, document_line("1", 0, quantity=2000))
    paid = charge("invoice", order.id, document_line("2", 1000, tax=80))
    elsewhere = charge(
        "invoice",
        order.id,
        document_line("2", 0, tax=-80, quantity=0),
        document_line("2", 0, tax=80, quantity=0, jurisdiction="US-NY"),
    )
    _, first, second, third = live.deliver(order, free, paid, elsewhere)
    assert (first.outcome, first.move_total) == ("accepted", 0), first.words
    assert second.outcome == "accepted", second.words
    assert (third.outcome, third.move_total) == ("accepted", 0), third.words
    booked = {account: sum_ for account, sum_ in live.booked(third.move).items() if sum_}
    assert booked == {"sales-tax": 80, "sales-tax/US-NY": -80}


def test_an_invoice_whose_lines_do_not_make_its_total_is_refused_with_both_figures(
    live: Live,
) -> None:
    order = sale()
    invoice = charge("invoice", order.id, document_line("1", 1999, tax=165), total=2165)
    _, receipt = live.deliver(order, invoice)
    assert receipt.outcome == "refused"
    assert "21.64 USD" in receipt.words
    assert "21.65 USD" in receipt.words


def test_a_draft_with_another_total_is_refused_with_both_figures_and_removed(live: Live) -> None:
    document = sale()
    live.deliver(sale(operation="unused"))
    other = sale(order_line("1", 5555), operation=document.id)
    # An attempt that died after creating: same operation, other amounts, still a draft.
    live.client.create("sale.sale", [_sale_row(live, other.id)], company=1)
    (receipt,) = live.deliver(document)
    assert receipt.outcome == "refused"
    assert "55.55" in receipt.words
    assert "24.89" in receipt.words
    assert live.read("sale.sale", [["web_id", "=", document.id]], "state") == []


def test_drafts_of_lost_attempts_become_one_posted_invoice(live: Live) -> None:
    order = sale()
    live.deliver(order)
    invoice = charge("invoice", order.id, document_line("1", 1999, tax=165))
    live.deliver(invoice)
    (row,) = live.read("account.invoice", [["reference", "=", invoice.id]], "state")
    twin = charge("invoice", order.id, document_line("1", 1999, tax=165))
    for _ in range(2):
        (copy,) = live.client.call(
            "model.account.invoice.copy",
            [row["id"]],
            {"reference": twin.id, "invoice_date": DAY, "accounting_date": DAY},
        )
        assert copy != row["id"]
    (receipt,) = live.deliver(twin)
    assert receipt.outcome == "accepted", receipt.words
    rows = live.read("account.invoice", [["reference", "=", twin.id]], "state", "number")
    assert [(one["state"], one["number"]) for one in rows] == [("posted", receipt.number)]


def test_a_refused_document_does_not_sink_the_batch(live: Live) -> None:
    good = [sale() for _ in range(5)]
    bad = sale(order_line("1", 100, product="nowhere"))
    receipts = live.deliver(*good[:3], bad, *good[3:])
    outcomes = [receipt.outcome for receipt in receipts]
    assert outcomes == ["accepted"] * 3 + ["refused"] + ["accepted"] * 2
    assert "nowhere" in receipts[3].words


def test_what_tryton_itself_refuses_is_found_by_halving(live: Live) -> None:
    order = sale()
    early = date(2019, 5, 1)
    lines = (document_line("1", 1999, tax=165),)
    batch = [charge("invoice", order.id, *lines) for _ in range(4)]
    batch[2] = charge("invoice", order.id, *lines, invoice_date=early)
    _, *receipts = live.deliver(order, *batch)
    assert [receipt.outcome for receipt in receipts] == [
        "accepted",
        "accepted",
        "refused",
        "accepted",
    ]
    assert "period" in receipts[2].words


def test_two_deliveries_at_once_leave_one_sale(erp: Erp) -> None:
    document = sale()
    both = [Live(erp), Live(erp), Live(erp)]
    with ThreadPoolExecutor(3) as pool:
        receipts = [found[0] for found in pool.map(lambda one: one.deliver(document), both)]
    (again,) = both[0].deliver(document)
    assert again.outcome == "accepted"
    assert {one.remote_id for one in receipts if one.outcome == "accepted"} <= {again.remote_id}
    assert len(both[0].read("sale.sale", [["web_id", "=", document.id]], "state")) == 1


def test_an_invoice_waits_for_its_sales_order(live: Live) -> None:
    invoice = charge("invoice", "sale/never", document_line("1", 1999))
    (receipt,) = live.deliver(invoice)
    assert receipt.outcome == "retry"
    assert "sale/never" in receipt.words


def test_a_journal_is_posted_once_in_the_books_of_its_entity(live: Live) -> None:
    document = journal(("clearing/card", 1250), ("customer-deposits", -1250), entity="eu")
    first, second = live.deliver(document)[0], live.deliver(document)[0]
    assert first.outcome == "accepted", first.words
    assert first == second
    assert live.booked(first.move) == {"clearing": 1250, "customer-deposits": -1250}
    (row,) = live.read("account.move", [["description", "=", document.id]], "company.party.code")
    assert row["company."]["party."]["code"] == "eu"


def test_a_journal_that_does_not_fit_is_refused_in_words(live: Live) -> None:
    unbalanced = journal(("clearing", 1000), ("customer-deposits", -999))
    unknown = journal(("clearing", 1000), ("loyalty", -1000))
    foreign = journal(currency="EUR")
    late = journal(journal_date=date(2031, 1, 1))
    entity = msgspec.structs.replace(journal(), entity="mars")
    receipts = live.deliver(unbalanced, unknown, foreign, late, entity)
    assert {receipt.outcome for receipt in receipts} == {"refused"}
    for receipt, word in zip(
        receipts, ["0.01", "loyalty", "EUR", "2031-01-01", "mars"], strict=True
    ):
        assert word in receipt.words


def test_the_second_entity_invoices_in_its_own_books_and_currency(live: Live) -> None:
    order = sale(order_line("1", 10000), entity="eu")
    invoice = charge(
        "invoice",
        order.id,
        document_line("1", 10000, tax=1900, jurisdiction="DE"),
        entity="eu",
    )
    _, receipt = live.deliver(order, invoice)
    assert receipt.outcome == "accepted", receipt.words
    assert receipt.move_total == 11900
    (row,) = live.read(
        "account.invoice", [["reference", "=", invoice.id]], "company.party.code", "currency.code"
    )
    assert row["company."]["party."]["code"] == "eu"
    assert row["currency."]["code"] == "EUR"


def test_goods_leave_the_place_each_invoice_names(erp: Erp) -> None:
    live = Live(erp, ship_with_invoice=True)
    order = sale(order_line("1", 3000, quantity=3000))
    one = charge("invoice", order.id, document_line("1", 1000, quantity=1000), location="store-1")
    two = charge("invoice", order.id, document_line("1", 2000, quantity=2000))
    live.deliver(order, one)
    (row,) = live.read("sale.sale", [["web_id", "=", order.id]], "shipment_state", "invoice_state")
    assert row["shipment_state"] == "partially shipped"
    live.deliver(two)
    live.deliver(two)
    (row,) = live.read("sale.sale", [["web_id", "=", order.id]], "shipment_state")
    assert row["shipment_state"] == "sent"
    moves = live.read(
        "stock.move",
        [
            ["shipment.reference", "=", f"{one.id}/goods", "stock.shipment.out"],
            ["state", "=", "done"],
        ],
        "quantity",
        "from_location.rec_name",
    )
    assert sorted(move["quantity"] for move in moves) == [1, 1]


def test_named_buyers_become_parties_and_bad_contacts_do_not_stop_a_sale(live: Live) -> None:
    party = fresh("p").replace("/", "-")
    details = PartyDetails(party, name="Ada B.", email="no e-mail", street="1 Main", city="X")
    document = sale(party=party)
    receipts = [live.deliver(document, parties={party: details})[0] for _ in range(2)]
    assert {receipt.outcome for receipt in receipts} == {"accepted"}
    (row,) = live.read("party.party", [["code", "=", party]], "name", "addresses.city")
    assert (row["name"], row["addresses."][0]["city"]) == ("Ada B.", "X")


def test_unnamed_buyers_share_the_party_of_their_channel(erp: Erp) -> None:
    live = Live(erp, named_buyers=False)
    document = sale(party="p-secret")
    live.deliver(document, parties={"p-secret": PartyDetails("p-secret", name="Ada B.")})
    (row,) = live.read("sale.sale", [["web_id", "=", document.id]], "party.code")
    assert row["party."]["code"] == "channel-web-us"
    assert live.read("party.party", [["code", "=", "p-secret"]], "name") == []


def test_missing_products_can_be_created(erp: Erp) -> None:
    live = Live(erp, create_products=True)
    code = fresh("new").replace("/", "-")
    order = sale(order_line("1", 1999, product=code))
    invoice = charge("invoice", order.id, document_line("1", 1999, product=code))
    receipts = live.deliver(order, invoice)
    assert [receipt.outcome for receipt in receipts] == ["accepted", "accepted"], receipts


def test_warnings_of_tryton_are_acknowledged(live: Live) -> None:
    order = sale()
    # Dated after Tryton's today: it asks before posting.
    invoice = charge("invoice", order.id, document_line("1", 1999), invoice_date=date(2026, 12, 31))
    _, receipt = live.deliver(order, invoice)
    assert receipt.outcome == "accepted", receipt.words


def test_a_late_invoice_keeps_its_ledger_date_and_takes_the_next_number(live: Live) -> None:
    order = sale()
    ahead, late = date(2026, 6, 2), date(2026, 6, 1)
    first = charge("invoice", order.id, document_line("1", 900), invoice_date=ahead)
    second = charge("invoice", order.id, document_line("1", 1099), invoice_date=late)
    live.deliver(order, first)
    (receipt,) = live.deliver(second)
    assert receipt.outcome == "accepted", receipt.words
    (move,) = live.read("account.move", [["id", "=", int(receipt.move)]], "date")
    assert move["date"] == late
    (row,) = live.read("account.invoice", [["reference", "=", second.id]], "invoice_date")
    assert row["invoice_date"] >= ahead


def test_the_ledger_tells_what_it_holds_for_each_operation(live: Live) -> None:
    order, entry = sale(), journal()
    invoice = charge("invoice", order.id, document_line("1", 1999, tax=165))
    _, billed, _ = live.deliver(order, invoice, entry)
    found = live.connector.ledger_moves(
        "us",
        [order.id, invoice.id, entry.id, "invoice/never"],
        live.connection,
        live.secrets,
        live.transport,
    )
    told = {move.operation: dict(move.lines) for move in found}
    assert told == {
        invoice.id: {"1.2.1": 2164, "sales": -1999, "sales-tax": -165},
        entry.id: {"clearing": 1000, "customer-deposits": -1000},
    }
    assert {move.booked_on for move in found} == {DAY}
    assert billed.move in {move.move for move in found}


def test_an_expired_session_is_opened_anew_once(live: Live, erp: Erp) -> None:
    other = Live(erp)
    other.client.resume(Session("bm9ib2R5OjE6eA==", 1, {}))
    assert other.read("res.user", [["login", "=", erp.user]], "name")
    assert other.client.session.token != "bm9ib2R5OjE6eA=="


def test_an_erp_that_is_away_is_a_wait_for_the_whole_batch(erp: Erp) -> None:
    live = Live(erp)
    settings = msgspec.structs.replace(live.connection.settings, url="http://127.0.0.1:9")
    connection = msgspec.structs.replace(live.connection, settings=settings)
    batch = [Assignment(document=sale())]
    with pytest.raises(RetryLater) as caught:
        live.connector.deliver(batch, connection, live.secrets, live.directory, live.transport)
    assert not caught.value.unknown


def test_a_wrong_password_refuses_no_document(erp: Erp) -> None:
    live = Live(erp)
    batch = [Assignment(document=sale())]
    wrong = {"password": "wrong"}
    with pytest.raises(RetryLater, match="password"):
        live.connector.deliver(batch, live.connection, wrong, live.directory, live.transport)


def test_the_check_names_the_series_and_the_user(live: Live) -> None:
    words = live.connector.check(live.connection, live.secrets, live.transport)
    assert "8.2" in words
    assert "tillbridge" in words


def _sale_row(live: Live, operation: str) -> dict[str, object]:
    """A draft over there as another attempt would have made it, with a price of its own."""
    (kept,) = live.read(
        "sale.sale", [["web_id", "=", "unused"]], "party", "shipment_address", "web_shop",
        "currency", "warehouse", "company",
    )  # fmt: skip
    line = {"type": "line", "unit_price": Decimal("55.55"), "description": "other"}
    return {
        **{name: kept[name] for name in ("party", "web_shop", "currency", "warehouse", "company")},
        "invoice_party": kept["party"],
        "shipment_party": kept["party"],
        "invoice_address": kept["shipment_address"],
        "shipment_address": kept["shipment_address"],
        "invoice_method": "manual",
        "shipment_method": "manual",
        "sale_date": DAY,
        "web_id": operation,
        "lines": [["create", [line | {"quantity": 1}]]],
    }
