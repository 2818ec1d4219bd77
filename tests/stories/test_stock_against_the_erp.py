"""Stock against the ERP: what its papers have not told it yet is named, what is gone is a case."""

from __future__ import annotations

from pathlib import Path

from tests.stories.shop import House, house, line, paid_order, shipment
from tillbridge.app.stock_comparisons import comparisons
from tillbridge.reconciliation.stock.comparison import Compared
from tillbridge.triage.cases import list_cases, replay

EQUAL = (("wh-east", "P1", 20_000), ("wh-east", "P2", 10_000))


def furnish(folder: Path) -> None:
    """The ERP keeps the warehouse's stock, the tills' sales are its own business."""
    path = folder / "tillbridge.toml"
    text = path.read_text(encoding="utf-8")
    wanted = 'settings = { url = "auto" }\n'
    assert wanted in text
    compare = 'compare_stock = { locations = ["warehouse"] }\n'
    path.write_text(text.replace(wanted, wanted + compare), encoding="utf-8")


def compare(shop: House) -> Compared:
    shop.connection.rollback()
    (done,) = comparisons(shop.hub)["erp"].run(shop.connection)
    return done


def cases(shop: House) -> list[str]:
    """Words of open differences."""
    rows = shop.rows(
        "select words from exception_case where reason = 'stock_difference' and state = 'open'"
    )
    return [str(words) for (words,) in rows]


def test_every_difference_is_a_named_movement_or_a_case(tmp_path: Path, database_url: str) -> None:
    with house(tmp_path / "house", database_url, furnish=furnish) as shop:
        shop.erp.store.set_stock(EQUAL)
        assert compare(shop).differences == ()

        shop.web("orders/create", paid_order(1, [line(1)], "10.00"))
        shop.drain()  # the sales order is there
        shop.fault("refuse", count=1, words="period is closed")
        shop.web("fulfillments/create", shipment(9, 1, {1: 1}))
        shop.drain()
        (waiting,) = compare(shop).differences  # the goods are gone, the ERP has no invoice yet
        assert (waiting.product, waiting.ours, waiting.theirs) == ("P1", 19_000, 20_000)
        assert waiting.rest == 0
        (named,) = waiting.named
        assert named.quantity == -1000
        assert named.why == "certain"
        assert named.what.startswith("sale order/web/1 (invoice ")
        assert cases(shop) == []

        (refused,) = list_cases(shop.connection)
        replay(shop.connection, [refused.id], "pat")
        shop.connection.commit()
        shop.drain()
        assert compare(shop).differences == ()

        shop.erp.store.set_stock([("wh-east", "P2", 8_000)])
        (gone,) = compare(shop).differences
        assert (gone.rest, gone.named) == (2_000, ())
        (words,) = cases(shop)
        assert words.startswith("P2 at wh-east: 10 here, 8 at erp; 2 are explained by nothing")
        page = shop.verb("stock", "compare", "--last")
        assert "P2 at wh-east: 10 here, 8 at erp; 2 unexplained" in page

        shop.erp.store.set_stock(EQUAL[1:])
        assert compare(shop).differences == ()
        assert cases(shop) == []
