"""What an item becomes on its way to the store."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

import msgspec

from tillbridge.contract.promises import Item
from tillbridge.inbox import arrivals
from tillbridge.inbox.answers import problem
from tillbridge.inbox.arrivals import arrival

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_connections_name_stands_in_its_keys() -> None:
    item = Item(topic="t", delivery="d", body=b"1", key="order/{connection}/7")
    assert arrival("web", item, NOW).key == "order/web/7"


def test_long_texts_are_cut_and_long_identities_stay_apart() -> None:
    def made(end: str) -> tuple[str, str, str]:
        long = "x" * 5_000 + end
        item = Item(topic=long, delivery=long, body=b"1", key=long, place=long, problem=long)
        found = arrival("web", item, NOW)
        assert len(found.place) == len(found.problem) == arrivals.WORDS_MOST
        return found.topic, found.delivery, found.key

    one, two = made("1"), made("2")
    assert one[0] == two[0] == "x" * arrivals.TEXT_MOST
    assert one[1] != two[1]
    assert len(one[1]) < 100
    assert one[2] == ""


def test_an_item_without_an_id_is_known_by_its_bytes() -> None:
    one, same, other = (
        arrival("web", Item(topic="t", delivery="", body=body), NOW).delivery
        for body in (b"1", b"1", b"2")
    )
    assert one == same != other


def test_a_monstrous_piece_is_a_problem_without_its_bytes() -> None:
    found = arrival("web", Item(topic="t", delivery="d", body=bytes(arrivals.ITEM_MOST + 1)), NOW)
    assert found.body == b""
    assert "too large" in found.problem


def test_a_problem_answer_speaks_rfc_9457() -> None:
    told = problem(413, "Too much.", retry=False)
    assert (b"content-type", b"application/problem+json") in told.headers
    assert msgspec.json.decode(told.body) == {
        "type": "about:blank",
        "title": HTTPStatus(413).phrase,
        "status": 413,
        "detail": "Too much.",
        "retry": False,
    }
