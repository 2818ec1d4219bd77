"""Tax documents as people look at them."""

from __future__ import annotations

import psycopg

from tillbridge.watch.tax_documents import OPEN, papers


def test_papers_are_told_by_state_direction_and_entity(connection: psycopg.Connection) -> None:
    rows = [
        ("tax/order/web/1/refund-7", "refund-7", "refused", "us", "return", "no such place"),
        ("tax/order/web/1/sale-1", "sale-1", "committed", "us", "sale", ""),
        ("tax/order/eu/2/order", "order", "asked", "de", "sale", ""),
    ]
    for key, subject, state, entity, direction, words in rows:
        connection.execute(
            "insert into tax_document values (%s, 1, %s, %s, %s, 'avatax', %s, %s, 'USD', 1000, 80,"
            " %s, '')",
            (key, key.rpartition("/")[0][4:], subject, state, entity, direction, words),
        )
    assert len(papers(connection)) == 3
    (failed,) = papers(connection, state="refused", returns=True)
    assert (failed.subject, failed.words, failed.value) == (
        "refund-7",
        "no such place",
        "10.00 USD",
    )
    assert [one.subject for one in papers(connection, state=OPEN)] == ["order", "refund-7"]
    assert [one.entity for one in papers(connection, entities=("de",))] == ["de"]
    assert len(papers(connection, limit=1)) == 1
