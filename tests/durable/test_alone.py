"""Work that two sessions must not do together."""

from __future__ import annotations

from tillbridge.durable.alone import alone
from tillbridge.durable.session import connect


def test_one_session_has_it_until_it_gives_it_back_or_dies(database_url: str) -> None:
    with connect(database_url) as one, connect(database_url) as other:
        with alone(one, "poll", "web", "orders") as mine:
            assert mine
            with alone(other, "poll", "web", "orders") as theirs:
                assert not theirs
            with alone(other, "poll", "web", "refunds") as elsewhere:
                assert elsewhere
        with alone(other, "poll", "web", "orders") as theirs:
            assert theirs
        with alone(one, "poll", "web", "orders") as mine:
            assert mine
            one.close()
        with alone(other, "poll", "web", "orders") as theirs:
            assert theirs
