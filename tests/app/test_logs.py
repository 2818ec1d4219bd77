"""Log lines are JSON for machines, and never hold more than was said."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from psycopg import Connection, errors

from tillbridge.app.cli.problems import words_of
from tillbridge.app.logs import fit_to_tell, hide, log_to


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_line_is_one_json_object_with_level_and_instant() -> None:
    stream = io.StringIO()
    log_to(stream)
    structlog.get_logger("room").warning("store_away", why="it\nis away")
    line = stream.getvalue()
    assert line.count("\n") == 1
    told = json.loads(line)
    assert told["event"] == "store_away"
    assert told["level"] == "warning"
    assert told["timestamp"].endswith("Z")


def test_what_a_library_warns_of_takes_the_same_way() -> None:
    stream = io.StringIO()
    log_to(stream)
    logging.getLogger("urllib3").warning("retrying with %s", hide("token-of-ours-4711"))
    logging.getLogger("urllib3").info("not told")
    told = json.loads(stream.getvalue())
    assert (told["level"], told["library"]) == ("warning", "urllib3")
    assert told["said"] == "retrying with [hidden]"


def test_a_traceback_is_told_without_the_values_of_its_variables() -> None:
    stream = io.StringIO()
    log_to(stream)
    secret = "s3cr3t-token"
    try:
        raise ValueError(len(secret))
    except ValueError:
        structlog.get_logger("room").exception("failed")
    assert "ValueError: 12" in stream.getvalue()
    assert secret not in stream.getvalue()


SECRET, CARD, BUYER = "whsec-canary-0815", "4111 1111 1111 1111", "Canaria Featherstone"


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO(), Screen()])
def test_no_secret_and_no_card_number_reaches_a_line_however_deep_it_stands(
    stream: io.StringIO,
) -> None:
    hide(SECRET)
    log_to(stream)
    log = structlog.get_logger("x")
    log.info(SECRET, a=SECRET, b=[{SECRET: {"c": (f"x{SECRET}", CARD)}}], d=ValueError(SECRET))
    log.bind(key=CARD).warning("bound", raw=SECRET.encode())
    try:
        raise ValueError(f"{SECRET} and {CARD}")
    except ValueError:
        log.exception("failed")
    told = stream.getvalue()
    assert told.count("[hidden]") >= 6
    assert SECRET not in told
    assert CARD not in told
    assert "**** **** **** 1111" in told


def test_a_row_that_the_database_quotes_is_left_out(connection: Connection) -> None:
    stream = io.StringIO()
    log_to(stream)
    insert = "insert into exception_case (reason, owner, room, key, fingerprint, words, state)"
    with pytest.raises(errors.CheckViolation) as caught:
        connection.execute(
            f"{insert} values ('r', 'o', 'm', 'k', 'f', %s, 'lost')".encode(),
            (f"{BUYER}\n{BUYER}",),
        )
    assert BUYER in str(caught.value)
    try:
        raise caught.value
    except errors.CheckViolation as problem:
        structlog.get_logger("x").exception("store", why=str(problem))
    told = stream.getvalue()
    assert "exception_case_state_check" in told
    assert BUYER not in told


def test_what_a_stranger_wrote_begins_no_line_of_its_own() -> None:
    stream = Screen()
    log_to(stream)
    structlog.get_logger("x").info("file", name="a\n2026-01-01 [error] forged\r\x1b[2J")
    told = stream.getvalue()
    assert told.count("\n") == 1
    assert "\r" not in told
    assert "\x1b[2J" not in told


def test_a_defects_traceback_file_is_only_its_owners_and_holds_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TILLBRIDGE_DEBUG", raising=False)
    hide(SECRET)
    words = words_of(RuntimeError(f"{SECRET} {CARD}")) or ""
    path = Path(words.rsplit(" ", 1)[-1])
    try:
        assert path.stat().st_mode & 0o777 == 0o600
        told = words + path.read_text()
    finally:
        path.unlink()
    assert "RuntimeError" in told
    assert SECRET not in told
    assert CARD not in told
    assert os.sep in words


def test_short_and_ordinary_texts_are_told_as_they_are() -> None:
    hide("abc")
    assert fit_to_tell("abc order 1001 of 10.00 USD") == "abc order 1001 of 10.00 USD"
