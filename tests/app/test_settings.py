"""Mistakes in a workspace are told with file and line before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tillbridge.app.settings import FILE, SettingsRefused, load_workspace
from tillbridge.app.workspace import init
from tillbridge.atoms.ids import SeededIds

GOOD = """\
[hub]
name = "House"

[[entity]]
code = "us"
currency = "USD"
erp = "erp"
gl = { web = "documents" }

[[location]]
code = "wh"
entity = "us"
timezone = "America/New_York"

[[channel]]
code = "web"
entity = "us"
flow = "web"
fulfil_from = ["wh"]

[connection.web]
connector = "shopify"
entity = "us"
channel = "web"
timezone = "America/New_York"

[connection.erp]
connector = "sandbox"
entity = "us"
"""

# (what stands there, what is written instead, line, words)
MISTAKES = [
    ('name = "House"', 'name = "House', 2, "line 2"),
    ('name = "House"', "port = 'x'", 2, "Expected `int`, got `str`"),
    ('name = "House"', "colour = 1", 2, "unknown field `colour`"),
    ('currency = "USD"', 'currency = "XQQ"', 6, "'XQQ' is no ISO 4217 currency code"),
    ('erp = "erp"', 'erp = "erq"', 7, "entity us: no connection 'erq'"),
    ('gl = { web = "documents" }', 'gl = { wev = "documents" }', 8, "gl wev = 'documents'"),
    ('gl = { web = "documents" }', 'gl = { web = "both" }', 8, "gl web = 'both' is not known"),
    ('gl = { web = "documents" }', 'payments = "bank"', 8, "payments is one of"),
    ('timezone = "America/New_York"', 'timezone = "America/York"', 13, "no IANA time zone"),
    ('fulfil_from = ["wh"]', 'fulfil_from = ["wx"]', 19, "channel web: no location 'wx'"),
    ('fulfil_from = ["wh"]', "split_most = 0", 19, "Expected `int` >= 1"),
    ('fulfil_from = ["wh"]', "nearest = -1", 19, "Expected `int` >= 0"),
    ('timezone = "America/New_York"', "ships = false", 11, "location 'wh' does not ship"),
    ('timezone = "America/New_York"', 'run_by = "nobody"', 13, "location wh: no connection"),
    ('timezone = "America/New_York"', "keeps_stock = false", 11, "a supplier is asked over"),
    ('timezone = "America/New_York"', 'supplies = ["p"]', 11, "that keeps no stock of ours"),
    ('timezone = "America/New_York"', 'groups = ["wh"]', 11, "'wh' is a location, not a group"),
    ('timezone = "America/New_York"', "latitude = 40.7", 11, "longitude go together"),
    ('timezone = "America/New_York"', "latitude = 90.7", 13, "Expected `float` <= 90"),
    ('flow = "web"', 'flow = "wab"', 18, "channel web: flow is one of"),
    ('channel = "web"', 'channel = "wob"', 21, "connection web: no channel 'wob'"),
    ('code = "wh"', 'code = "w h"', 11, "'w h' is no code"),
    ('connector = "sandbox"', 'connector = "direct"', 27, "takes the orders of one channel"),
    (
        '[[location]]\ncode = "wh"\nentity = "us"',
        '[[location]]\ncode = "wh"\nentity = "uk"',
        12,
        "no entity 'uk'",
    ),
    ("[connection.erp]\n", "[connection.erp]\nbudget = { rat = 1 }\n", 28, "unknown field `rat`"),
    (
        "[connection.erp]\n",
        "[connection.erp]\nbudget = { burst = 0.5 }\n",
        28,
        "Expected `float` >= 1",
    ),
    ("[connection.erp]\n", "[connection.erp]\nbudget = { conc = 0 }\n", 28, "Expected `int` >= 1"),
    ("[connection.erp]\n", '[connection.erp]\nposting_windows = ["6-8"]\n', 28, "is no window"),
]


def _written(folder: Path, text: str) -> Path:
    path = folder / FILE
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_taken(tmp_path: Path) -> None:
    _written(tmp_path, GOOD)
    settings = load_workspace(tmp_path).settings
    assert settings.channels()["web"].fulfil_from == ("wh",)


@pytest.mark.parametrize(("there", "instead", "line", "words"), MISTAKES)
def test_a_mistake_names_file_and_line(
    tmp_path: Path, there: str, instead: str, line: int, words: str
) -> None:
    assert there in GOOD
    path = _written(tmp_path, GOOD.replace(there, instead, 1))
    with pytest.raises(SettingsRefused) as refused:
        load_workspace(tmp_path)
    assert words in refused.value.words
    if words != "line 2":  # the TOML parser's own words name the line
        assert refused.value.words.startswith(f"{path}:{line}: ")


def test_a_folder_without_a_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="make one with: tillbridge init"):
        load_workspace(tmp_path)


def test_a_secret_is_read_from_file_or_environment_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = GOOD + 'secrets.a = { file = "a" }\nsecrets.b = [{ env = "HOUSE_B" }, { file = "a" }]\n'
    _written(tmp_path, text)
    workspace = load_workspace(tmp_path)
    with pytest.raises(SettingsRefused, match="secret file a: No such file"):
        workspace.secrets("erp")
    (tmp_path / "a").write_text("one\n")
    with pytest.raises(SettingsRefused, match="environment variable HOUSE_B is empty"):
        workspace.secrets("erp")
    monkeypatch.setenv("HOUSE_B", "two")
    assert workspace.secrets("erp") == {"a": ("one",), "b": ("two", "one")}
    assert "two" not in repr(workspace)


def test_init_makes_a_workspace_that_loads_in_a_new_or_an_empty_folder(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder in (empty, tmp_path / "new" / "deep"):
        made = init(folder, SeededIds(1))
        assert FILE in made
        assert (folder / "secrets" / "erp-key").stat().st_mode & 0o777 == 0o600
        assert load_workspace(folder).secrets("erp")["api_key"][0]


def test_init_leaves_a_folder_alone_that_holds_anything(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("mine")
    with pytest.raises(SettingsRefused, match="is not empty"):
        init(tmp_path, SeededIds(1))
    with pytest.raises(SettingsRefused, match="is not empty"):
        init(tmp_path / "note", SeededIds(1))
    assert [path.name for path in tmp_path.iterdir()] == ["note"]
