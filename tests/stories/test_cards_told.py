"""A card number told in an order's note or by a till is carried on masked and stands nowhere."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from tests.stories.shop import House, house, line, paid_order
from tests.stories.till_files import goods, poslog, receipt, tender

CARD, CODE = "4111111111111111", "7319"
MASKED = "************1111"


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def rows_of(connection: Connection[Any]) -> Iterator[tuple[str, bytes]]:
    """Every row of every table, with its bytes as they stand."""
    tables = connection.execute("select tablename from pg_tables where schemaname = 'public'")
    for (table,) in tables.fetchall():
        for row in connection.execute(f"select * from {table}".encode()).fetchall():
            texts = (v if isinstance(v, bytes) else str(v).encode() for v in row)
            yield table, b"\n".join(texts)
    connection.rollback()


def nowhere(shop: House, *secrets: str) -> None:
    """No table holds any of these."""
    found = [
        (table, secret)
        for table, row in rows_of(shop.connection)
        for secret in secrets
        if secret.encode() in row
    ]
    assert found == []


def noted_order(**fields: Any) -> dict[str, Any]:
    """An order whose buyer wrote a card number where none belongs."""
    told = {"note": f"take it from {CARD}", "attributes": {"cvv": CODE, "card_number": CARD}}
    return paid_order(1001, [line(1)], "10.00", **told, **fields)


def test_an_order_with_a_card_number_goes_on_and_the_number_stands_nowhere(shop: House) -> None:
    assert shop.web("orders/create", noted_order(), "event-a") == "new"
    assert shop.web("orders/create", noted_order(), "event-a") == "duplicate"
    shop.drain()
    assert shop.documents() != {}
    assert shop.cases() == ["card_number_masked"]
    ((words, owner, parked),) = shop.rows(
        "select words, owner, (select count(*) from parked) from exception_case"
    )
    assert "visa ending 1111 in card_number" in words
    assert "a security code in cvv" in words
    assert (owner, parked) == ("integration", 0)
    nowhere(shop, CARD, CODE)
    assert shop.lies() == []


def test_a_stored_body_that_is_changed_afterwards_is_still_seen(shop: House) -> None:
    shop.web("orders/create", noted_order(), "event-a")
    changed = shop.connection.execute(
        "update message set body = replace(encode(body, 'escape'), '1111', '2222')::bytea"
        " where masked is not null"
    )
    assert changed.rowcount == 1
    shop.connection.commit()
    (lie,) = shop.lies()
    assert lie.startswith("every body is as it came")


def dropped(shop: House, content: bytes) -> bytes:
    """A file through the drop folder of the stores; gives its copy in the archive."""
    folder = shop.hub.drop_folders()["stores"]
    place = shop.hub.workspace.folder
    path = place / "drop" / "stores" / "day.xml"
    path.write_bytes(content)
    for _ in range(50):
        if folder.look(shop.connection).files:
            break
        time.sleep(0.1)
    shop.flow()
    archived = sorted((place / "archive" / "stores").glob("*-day.xml*"), key=os.path.getctime)
    return archived[-1].read_bytes()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_till_log_with_a_card_number_is_archived_without_it(shop: House, encoding: str) -> None:
    paid = tender("21.60", "CreditDebit").replace(
        "</Tender>", f"<Card><PAN>{CARD}</PAN><CVV>{CODE}</CVV></Card></Tender>"
    )
    sale = receipt(1, [goods("A1", "20.00", "1.60"), paid], "21.60", "1.60")
    text = poslog(sale).decode().replace("utf-8", encoding).replace("UTF-8", encoding)
    content = text.encode(encoding)
    for _ in range(2):  # the same file again is masked again
        kept = dropped(shop, content)
        assert len(kept) == len(content)
        assert kept.decode(encoding) == text.replace(CARD, MASKED).replace(CODE, "****")
    assert shop.cases() == ["card_number_masked"]
    assert shop.rows("select count(*) from sale_state") == [(1,)]
    nowhere(shop, CARD, CODE)
    assert shop.lies() == []
