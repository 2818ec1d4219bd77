"""What a person tells of goods goes through the log, and is refused in words before that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.test_command_line import Line
from tests.stories.shop import House, house
from tillbridge.app.stock_by_hand import Hand, read_items
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.errors import Refused

HEAD = "product,version,title,unit,step,category,sellable,packs,components\n"
ITEMS = HEAD + "P1,1,Cup,EA,1,kitchen,,CS=12;PAL=480,\nP3,1,Set,,,,no,,P1=4\n"
HAND = Hand("pat", SystemClock().now(), "1", "us")


@pytest.fixture
def shell(tmp_path: Path, database_url: str) -> Line:
    line = Line(tmp_path / "house", database_url, own_process=False)
    line.run("init", str(line.folder))
    return line


def test_items_and_corrections_are_told_audited_and_booked(shell: Line, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(ITEMS)
    assert "2 items told" in shell.here("items", "import", str(tmp_path / "items.csv"))
    shell.here("drain")
    assert "CS=12;PAL=480" in shell.here("items", "show", "P1")
    said = shell.here("stock", "adjust", "P1", "wh-east", "2", "--reason", "found", "--unit", "CS")
    assert said.startswith("2 CS of P1 at wh-east told as ")
    shell.here("stock", "adjust", "P3", "wh-east", "-1", "--reason", "sample")
    shell.here("drain")
    shell.here("stock", "move", "P1", "3", "wh-east", "wh-east:damaged", "--reason", "damage")
    shell.here("stock", "move", "P1", "5", "wh-east", "store-nyc")
    shell.here("drain")
    page = shell.here("stock", "available", "P3", "--channel", "web").splitlines()
    assert page[-1].split()[0] == "wh-east"
    assert shell.here("stock", "available", "P9", "--channel", "web", code=1) == ""
    told = {
        (row["location"], row["product"], row["condition"]): row["on_hand"]
        for row in shell.json("stock", "show")["stock"]
        if row["on_hand"]
    }
    assert told == {
        ("wh-east", "P1", "sellable"): 12_000,
        ("wh-east", "P1", "damaged"): 3000,
        ("store-nyc", "P1", "sellable"): 5000,
    }
    acts = [row["action"] for row in shell.json("audit", "list")["acts"]]
    assert {"items.import", "stock.adjust", "stock.move"} <= set(acts)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("adjust", "P1", "moon", "1"), "no location"),
        (("adjust", "P9", "wh-east", "1"), "nobody ever told"),
        (("adjust", "P1", "wh-east", "0.5"), "no multiple"),
        (("adjust", "P1", "wh-east", "1", "--unit", "BOX"), "its units are"),
        (("adjust", "P1", "wh-east:odd", "1"), "the conditions are"),
        (("adjust", "P1", "wh-east", "one"), "is no quantity"),
        (("move", "P1", "1", "wh-east", "wh-east"), "already"),
        (("move", "P1", "0", "wh-east", "store-nyc"), "moves nothing"),
        (("move", "P1", "5", "wh-east", "store-nyc"), "wh-east has 0 of P1 sellable, not 5"),
    ],
)
def test_what_the_book_would_refuse_is_refused_in_words(
    shell: Line, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    (tmp_path / "items.csv").write_text(ITEMS)
    shell.here("items", "import", str(tmp_path / "items.csv"))
    shell.here("drain")
    done = shell._run(("--workspace", str(shell.folder), "stock", *words, "--reason", "found"))
    assert done.code != 0
    assert why in done.err


def test_an_item_nobody_described_is_no_empty_list(shell: Line) -> None:
    assert shell.here("items", "show").startswith("product")
    assert shell.here("items", "show", "NOPE", code=1) == ""


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("P1,,Cup,EA,1,,,,", "product and version"),
        ("P1,1,Cup,EA,one,,,,", "no quantity"),
        ("P1,1,Cup,EA,1,,maybe,,", "yes or no"),
        ("P1,1,Cup,EA,1,,,CS=0,", "holds nothing"),
        ("P1,1,Cup,EA,1,,,CS,", "no quantity"),
    ],
)
def test_a_wrong_item_is_told_with_file_and_line(tmp_path: Path, row: str, why: str) -> None:
    path = tmp_path / "items.csv"
    path.write_text(f"{HEAD}P2,1,Good,EA,1,,,,\n{row}\n")
    with pytest.raises(Refused) as told:
        read_items(path, HAND)
    assert str(told.value).startswith(f"{path}:3: ")
    assert why in str(told.value)


def test_goods_moved_by_hand_leave_no_lie(tmp_path: Path, database_url: str) -> None:
    with house(tmp_path / "house", database_url) as shop:
        _move_some(shop)
        assert shop.lies() == []


def _move_some(shop: House) -> None:
    from tillbridge.app import stock_by_hand as by_hand
    from tillbridge.canonical.stock import StockLine

    hand = Hand("pat", shop.hub.clock.now(), "7", "us", frozenset({"wh-east", "store-nyc"}))
    start, end = by_hand.where_of("wh-east"), by_hand.where_of("store-nyc:quarantine")
    by_hand.move(shop.connection, start, end, StockLine("1", "P1", 2000), "", hand)
    shop.drain()
    rows = shop.connection.execute(
        "select location, condition, on_hand from stock where product = 'P1' and on_hand <> 0"
    ).fetchall()
    assert ("store-nyc", "quarantine", 2000) in rows
    assert ("wh-east", "sellable", 18_000) in rows
