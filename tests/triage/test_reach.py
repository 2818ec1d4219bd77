"""What an operator of some entities sees of cases and keys."""

from __future__ import annotations

import pytest
from psycopg import Connection

from tillbridge.atoms.errors import Refused
from tillbridge.triage.reach import cases_within, key_within, keys_within, only_within
from tillbridge.triage.rights import EVERYTHING, Reach

US = Reach(False, ("us",), ("web", "stores"), ("store-nyc",))
KEYS = {
    "order/web/1": True,
    "order/web-ca/1": False,
    "sale/stores/12/4/2026-03-02/1": True,
    "sale/stores/77/4/2026-03-02/1": False,  # rung in a store of the other entity
    "sale/stores/99/4/2026-03-02/1": True,  # nothing is known of it but its connection
    "journal/us/stores/store-nyc/2026-03-02": True,
    "journal/ca/stores/store-tor/2026-03-02": False,
    "stock/store-nyc/P1": True,
    "stock/store-tor/P1": False,
    "product/web/1": True,
    "delivery/web-ca/7": False,
    "hub/names": False,
    "": False,
}


@pytest.fixture
def sold(connection: Connection) -> Connection:
    connection.execute(
        "insert into sale_state (key, type, source, location) values"
        " ('sale/stores/12/4/2026-03-02/1', 'SaleRung', 'stores', 'store-nyc'),"
        " ('sale/stores/77/4/2026-03-02/1', 'SaleRung', 'stores', 'store-tor')"
    )
    return connection


@pytest.mark.parametrize(("key", "mine"), KEYS.items(), ids=str)
def test_a_key_is_seen_by_those_whose_it_is(sold: Connection, key: str, mine: bool) -> None:
    assert (key in keys_within(sold, [key], US)) == mine
    assert key in keys_within(sold, [key], EVERYTHING)
    if mine:
        key_within(sold, key, US)
    else:
        with pytest.raises(Refused, match="nothing is known"):
            key_within(sold, key, US)


def test_a_case_is_seen_by_the_entity_it_names_before_its_key(connection: Connection) -> None:
    rows = [("order/web/1", "{}"), ("order/web/2", '{"entity": "ca"}'), ("hub/x", "{}")]
    for number, (key, details) in enumerate(rows):
        connection.execute(
            "insert into exception_case (reason, owner, room, key, fingerprint, words, details)"
            " values ('r', 'o', 'x', %s, %s, 'w', %s)",
            (key, str(number), details),
        )
    assert cases_within(connection, [1, 2, 3], US) == {1}
    assert cases_within(connection, [1, 2, 3], EVERYTHING) == {1, 2, 3}
    only_within(connection, [1], US)
    with pytest.raises(Refused, match="there is no case 2"):
        only_within(connection, [1, 2], US)
