"""The command line as a person or a script uses it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import structlog
import typer
from typer.main import get_command

from tests.connectors.shopify.payloads import line
from tests.one_person import works_alone
from tests.stories.shop import paid_order
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.app.cli import main
from tillbridge.app.cli.main import app

BIN = Path(sys.executable).parent
KEY = "TILLBRIDGE_MASTER_KEY"
JSON_VERBS = [
    ["status"],
    ["verify"],
    ["cases", "list"],
    ["xref", "list"],
    ["ledger", "balance"],
    ["ledger", "journal"],
    ["stock", "show"],
    ["stores"],
    ["stores", "--gaps"],
    ["rules", "test"],
    ["rules", "list"],
]


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Line:
    """A command line on one workspace and one database.

    own_process: as a person runs it; else inside of this one, which is the same but quicker.
    """

    def __init__(self, folder: Path, url: str, *, own_process: bool) -> None:
        self.folder = folder
        self.environment = {
            **{k: v for k, v in os.environ.items() if k == KEY or not k.startswith("TILLBRIDGE_")},
            "TILLBRIDGE_DATABASE_URL": url,
        }
        self._run = self._outside if own_process else self._inside

    def run(self, *words: str, code: int = 0) -> Done:
        """Run a command; fails when it ends otherwise than it should."""
        done = self._run(words)
        assert done.code == code, (words, done)
        assert "Traceback" not in done.err, done.err
        return done

    def _outside(self, words: Sequence[str]) -> Done:
        done = subprocess.run(
            [str(BIN / "tillbridge"), *words],
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.folder.parent,
            timeout=100,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def _inside(self, words: Sequence[str]) -> Done:
        out, err = io.StringIO(), io.StringIO()
        code: Any = 0
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", ["tillbridge", *words])
            patch.setattr(os, "environ", self.environment)
            try:
                main()
            except SystemExit as ended:
                code = ended.code or 0
            finally:
                structlog.reset_defaults()
        return Done(int(code), out.getvalue(), err.getvalue())

    def here(self, *words: str, code: int = 0) -> str:
        """The same with the workspace given; its output."""
        return self.run("--workspace", str(self.folder), *words, code=code).out

    def json(self, *words: str, code: int = 0) -> Any:
        """The one JSON object a command prints."""
        text = self.here("--json", *words, code=code)
        assert text.count("\n") == 1
        found = msgspec.json.decode(text)
        assert isinstance(found, dict), words
        return found


@pytest.fixture
def shell(tmp_path: Path, database_url: str) -> Line:
    return Line(tmp_path / "house", database_url, own_process=False)


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*path, name))


def test_every_command_and_option_says_what_it_does() -> None:
    silent = []
    for path, command in _commands(get_command(app)):
        if not (command.help or "").strip():
            silent.append(" ".join(path))
        for parameter in command.params:
            if parameter.param_type_name == "option" and not parameter.help:
                silent.append(f"{' '.join(path)} {parameter.name}")
    assert silent == []
    assert isinstance(app, typer.Typer)


def test_the_day_of_a_newcomer(tmp_path: Path, database_url: str) -> None:
    shell = Line(tmp_path / "house", database_url, own_process=True)
    assert "next: tillbridge" in shell.run("init", str(shell.folder)).out
    order, day = tmp_path / "order.json", tmp_path / "day.xml"
    order.write_bytes(msgspec.json.encode(paid_order(4711, [line(1, quantity=2)], "20.00")))
    sold = [goods("A2", "10.00", "0.80"), tender("10.80")]
    day.write_bytes(poslog(receipt(1, sold, "10.80", "0.80")))
    (tmp_path / "stock.csv").write_bytes(
        b"product,location,quantity,counted\nSKU-1,wh-east,20,2026-03-01T00:00:00Z\n"
    )
    topic = ("--connection", "web", "--topic", "orders/create")
    tables = []
    for number, words in enumerate(
        [
            [str(order), *topic],
            [str(day), "--connection", "stores"],
            [str(tmp_path / "stock.csv"), "--connection", "feed"],
        ]
    ):
        tables.append(tmp_path / f"names{number}.csv")
        shell.here("xref", "propose", *words, "--out", str(tables[-1]))
    assert "new or changed" in shell.here("xref", "import", *map(str, tables))
    shell.here("ingest", str(tmp_path / "stock.csv"), "--connection", "feed")
    shell.here("ingest", str(order), *topic)
    report = shell.json("ingest", str(day), "--connection", "stores")
    assert shell.json("cases", "list")["cases"] == []
    assert (report["new"], report["open_cases"], report["entries"]) == (1, 0, 1)
    again = shell.json("ingest", str(day), "--connection", "stores")
    assert (again["new"], again["duplicates"]) == (0, 1)
    drained = shell.json("drain")
    assert drained["drained"] is True
    assert drained["documents"] == {"journal": {"accepted": 2}, "sales_order": {"accepted": 1}}
    told = shell.here("story", "4711")
    assert told.startswith("order #4711 · paid · 20.00 USD\n")
    assert "sales_order  accepted  SO-000001" in told
    assert shell.json("story", "#4711")["key"] == "order/web/4711"
    assert ", 0 broken" in shell.here("verify", "--quiesced")
    book = tmp_path / "us.beancount"
    book.write_text(shell.here("ledger", "export", "--entity", "us"), encoding="utf-8")
    checked = subprocess.run(
        [str(BIN / "bean-check"), str(book)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("words", JSON_VERBS, ids=" ".join)
def test_a_command_prints_one_json_object_and_a_table_without(
    shell: Line, words: list[str]
) -> None:
    shell.run("init", str(shell.folder))
    shell.json(*words)
    assert not shell.here(*words).startswith("{")


def test_what_goes_wrong_is_said_in_words_and_in_the_exit_code(shell: Line) -> None:
    missing = shell.run("--workspace", str(shell.folder), "status", code=1)
    assert "tillbridge: " in missing.err
    assert "is no workspace" in missing.err
    assert missing.out == ""
    shell.run("init", str(shell.folder))
    assert "is not empty" in shell.run("init", str(shell.folder), code=1).err
    shell.run("--workspace", str(shell.folder), "stat", code=2)
    shell.here("ledger", "export", "--format", "xml", code=2)
    shell.here("cases", "replay", code=2)
    shell.here("cases", "show", "7", code=1)
    shell.here("story", "4711", code=1)
    shell.here("xref", "set", "nowhere", "product", "a", "b", code=1)
    shell.here("ingest", "nothing.json", "--connection", "web", code=1)


def test_trying_cases_again_shows_first_and_asks(shell: Line) -> None:
    shell.run("init", str(shell.folder))
    order = {"id": 1, "name": "#1", "currency": "USD"}
    (shell.folder / "order.json").write_bytes(msgspec.json.encode(order))
    file = str(shell.folder / "order.json")
    shell.here("ingest", "--connection", "web", "--topic", "orders/create", file)
    shown = shell.here("cases", "replay", "--all", "--dry-run")
    assert "0 of 1 parked records would go through" in shown
    asked = shell.run("--workspace", str(shell.folder), "cases", "replay", "1", code=2)
    assert "would go through" in asked.err
    assert "run the same with --yes" in asked.err
    assert '"plans":[]' in shell.here("--json", "cases", "plans")
    assert "plan 1: 1 cases, 1 are tried now" in shell.here("cases", "replay", "1", "--yes")
    shell.here("drain")
    assert "1 failed again" in shell.here("cases", "plan", "1")
    shell.here("cases", "cancel", "1", code=1)
    assert "no open case" in shell.here("cases", "replay", "--reason", "nothing")


def test_a_replay_of_the_log_ends_with_one_when_the_state_is_another(
    shell: Line, database_url: str
) -> None:
    from tillbridge.durable.session import connect

    shell.run("init", str(shell.folder))
    shell.here("xref", "set", "web", "product", "A", "P1")
    assert "both are the same" in shell.here("db", "replay-log")
    with connect(database_url, autocommit=True) as connection:
        works_alone(connection)
        connection.execute("update xref set ours = 'P2'")
    found = shell.run("--workspace", str(shell.folder), "db", "replay-log", code=1)
    assert "xref web product A: reads otherwise" in found.out


def test_verify_ends_with_one_when_the_tables_lie(shell: Line, database_url: str) -> None:
    from tillbridge.durable.session import connect

    shell.run("init", str(shell.folder))
    with connect(database_url) as connection:
        connection.execute("insert into stock (location, product, on_hand) values ('a', 'b', 7)")
        connection.commit()
    verdict = shell.json("verify", code=1)
    assert (verdict["ok"], verdict["broken"]) == (False, 1)
    assert "BROKEN" in shell.here("verify", code=1)


def test_verify_explains_an_invariant_by_name_or_a_part_of_it(shell: Line) -> None:
    told = shell.here("verify", "--explain", "every_entry_balances")
    assert told.startswith("every entry balances\n  The lines of every entry sum to zero")
    assert "owner: finance" in told
    (one,) = shell.json("verify", "--explain", "is the fold")["invariants"]
    assert one["name"] == "order state is the fold of its facts"
    assert len(shell.json("verify", "--explain", "all")["invariants"]) > 80
    shell.here("verify", "--explain", "nonsense", code=1)


def test_a_drain_whose_time_is_up_says_so(shell: Line, tmp_path: Path) -> None:
    shell.run("init", str(shell.folder))
    settings = shell.folder / "tillbridge.toml"
    away = settings.read_text().replace('url = "auto"', 'url = "http://127.0.0.1:9"')
    settings.write_text(away)
    shell.here("xref", "set", "web", "product", "SKU-1", "P1")
    shell.here("xref", "set", "web", "tender", "shopify_payments", "card")
    order = tmp_path / "order.json"
    order.write_bytes(msgspec.json.encode(paid_order(4711, [line(1)], "10.00")))
    shell.here("ingest", str(order), "--connection", "web", "--topic", "orders/create")
    left = shell.json("drain", "--timeout", "0.2", code=1)
    assert left["drained"] is False
    assert left["pending"]["documents"] == 2  # the sales order, and what was paid for it
