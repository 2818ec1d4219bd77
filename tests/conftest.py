"""One real PostgreSQL for each process, and a fresh copy of the migrated schema for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from psycopg import Connection

from tests.places import quick_place
from tillbridge.durable.migrate import migrate
from tillbridge.durable.postgres import database
from tillbridge.durable.postgres.databases import create_database, drop_database
from tillbridge.durable.session import connect

# Workspaces of tests seal their secrets with this, and nothing is left in anybody's home folder.
os.environ.setdefault("TILLBRIDGE_MASTER_KEY", "7e57" * 16)

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first, so that no processor waits for another at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/fire/simulation/"))


@pytest.fixture(autouse=True)
def logs_outlive_the_command() -> Iterator[None]:
    """A command run in this process leaves its log lines with a stream that is closed by now."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The address of the run's server (TILLBRIDGE_DATABASE_URL, else an embedded one)."""
    workspace = Path(tempfile.mkdtemp(prefix="tillbridge-tests-", dir=quick_place()))
    workspace.chmod(0o711)  # so that the server's account can enter when root runs the tests
    try:
        with database(workspace) as url:
            yield url
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


@pytest.fixture(scope="session")
def template_database(server_url: str) -> Iterator[str]:
    """The name of a database with every migration applied and nothing in it; copy it."""
    name = f"tillbridge_template_{os.getpid()}"
    with connect(create_database(server_url, name), autocommit=True) as connection:
        migrate(connection)
    yield name
    drop_database(server_url, name)


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """A database of the test's own without any table."""
    name = f"tillbridge_test_{os.getpid()}_{next(_numbers)}"
    yield create_database(server_url, name)
    drop_database(server_url, name)


@pytest.fixture
def database_url(server_url: str, template_database: str) -> Iterator[str]:
    """A database of the test's own with the whole schema."""
    name = f"tillbridge_test_{os.getpid()}_{next(_numbers)}"
    yield create_database(server_url, name, template=template_database, strategy="file_copy")
    drop_database(server_url, name)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection to the test's own database, with the hub's session settings."""
    with connect(database_url) as connection:
        yield connection
