"""Small open items are given up whole, by two persons, as long as they are what they were."""

from __future__ import annotations

import msgspec
import pytest
from psycopg import Connection, errors

from tests.one_person import waived
from tests.posting.money_facts import DAY, NOW, deposit, refund, sale, take
from tillbridge.atoms.errors import Refused
from tillbridge.canonical.valued import OpenItemWrittenOff
from tillbridge.orchestration.terms import parse_terms
from tillbridge.posting.money.activation import files_of, first
from tillbridge.reconciliation.write_offs import (
    open_item,
    small,
    standing,
    within_policy,
    write_off,
)
from tillbridge.triage import operators
from tillbridge.triage.approvals import Wish, approve, carry_out
from tillbridge.triage.operators import Grant
from tillbridge.triage.rights import Who

ITEM = "order/web/1"
CHANGE = {
    "entity": "DE",
    "account": "customer-deposits",
    "item": ITEM,
    "amount": 3,
    "currency": "EUR",
}
WISH = Wish("items.write_off", ITEM, CHANGE, "three cents", "DE", 3)
ANN, BOB = Who("ann", ("admin",)), Who("bob", ("accountant",))


@pytest.fixture
def books(connection: Connection) -> Connection:
    """An order paid three cents too much and earned; one that is not earned yet; two who may."""
    operators.of_account(connection, "ann", "ann")
    operators.put(connection, Grant("bob", list(BOB.roles)), "ann", "")
    first(connection, files_of(None))
    take(connection, [deposit(amount=5848), sale(), deposit("order/web/2")])
    return connection


def booked(connection: Connection) -> OpenItemWrittenOff:
    rows = connection.execute(
        "select body from record where type = 'OpenItemWrittenOff' order by id"
    ).fetchall()
    fact = msgspec.json.decode(rows[-1][0], type=OpenItemWrittenOff)
    take(connection, [fact])
    return fact


def test_three_cents_are_given_up_when_a_second_person_agrees(books: Connection) -> None:
    (one,) = small(books, "DE", "customer-deposits", 100)
    assert (one.item, one.amount, one.since) == (ITEM, 3, DAY)
    number = carry_out(books, BOB, WISH, NOW)
    assert number is not None
    books.commit()
    with pytest.raises(Refused, match="another person"):
        approve(books, BOB, number, NOW)
    assert approve(books, ANN, number, NOW) == "applied"
    books.commit()
    fact = booked(books)
    assert (fact.key, fact.amount, fact.kind, fact.by) == (ITEM, 3, "deposit", "bob")
    assert "approved by ann" in fact.words
    assert small(books, "DE", "customer-deposits", 100) == []
    rows = books.execute(
        "select account, sum(amount)::int from entry_line where account = 'small-differences'"
        " group by account"
    ).fetchall()
    assert rows == [("small-differences", -3)]
    with pytest.raises(Refused, match="nothing open"):
        open_item(books, "DE", "customer-deposits", ITEM)


def test_what_changed_meanwhile_is_not_written_off(books: Connection) -> None:
    number = carry_out(books, BOB, WISH, NOW)
    assert number is not None
    books.commit()
    take(books, [refund(amount=1)])
    assert approve(books, ANN, number, NOW) == "void"
    books.commit()
    assert standing(books, CHANGE) == [["EUR", -2]]
    with waived(books), pytest.raises(Refused, match="another amount"):
        write_off(books, CHANGE, "ann", "", NOW)


def test_the_database_itself_asks_for_the_second_person(books: Connection) -> None:
    with pytest.raises(errors.IntegrityConstraintViolation, match="writing off order/web/1 needs"):
        write_off(books, CHANGE, "ann", "alone", NOW)
    books.rollback()
    with waived(books):
        write_off(books, CHANGE, "ann", "alone", NOW)
    books.commit()
    with pytest.raises(errors.IntegrityConstraintViolation, match="stays so"):
        books.execute("update item_written_off set amount = 9")
    books.rollback()


def test_a_second_write_off_of_an_item_is_another_fact(books: Connection) -> None:
    with waived(books):
        write_off(books, CHANGE, "ann", "", NOW)
        books.commit()
        first_id = booked(books).id
        take(books, [refund(amount=2)])
        write_off(books, {**CHANGE, "amount": -2}, "ann", "", NOW)
    books.commit()
    fact = booked(books)
    assert fact.id != first_id
    assert small(books, "DE", "customer-deposits", 100) == []


def test_only_some_accounts_and_only_what_the_policy_calls_small(books: Connection) -> None:
    with pytest.raises(Refused, match="not written off"):
        open_item(books, "DE", "sales/shoes", ITEM)
    with pytest.raises(Refused, match="no items"):
        small(books, "DE", "sales/shoes", 5)
    one = open_item(books, "DE", "customer-deposits", "order/web/2")
    within_policy(parse_terms(""), one, DAY)
    sale_terms = parse_terms('[[policy]]\nwrite_off_most = { EUR = "5.00" }\n')
    with pytest.raises(Refused, match=r"58.45 EUR of order/web/2 is more .*policies.toml:1"):
        within_policy(sale_terms, one, DAY)
    within_policy(sale_terms, open_item(books, "DE", "customer-deposits", ITEM), DAY)
