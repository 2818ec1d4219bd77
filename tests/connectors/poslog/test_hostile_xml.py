"""XML of a hostile sender: nothing is expanded, nothing is fetched, nothing takes long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest

from tests.stories.till_files import goods, receipt, tender
from tillbridge.connectors.poslog import connector
from tillbridge.connectors.poslog.fields import parse
from tillbridge.contract.promises import Connection
from tillbridge.contract.wire import WireError
from tillbridge.durable.postgres.supervisor import choose_port

CANARY = "canary-in-a-file-of-ours"
SALE = receipt(1, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")
SOURCE = Connection(
    name="stores", entity="us", channel="tills", currency="USD", settings=connector.config()
)


@pytest.fixture
def fetched() -> Iterator[tuple[str, list[str]]]:
    """A server that counts what is asked of it."""
    asked: list[str] = []

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", choose_port("fetched")), Asked)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def hostile(address: str, file: Path) -> dict[str, str]:
    """Documents that do harm to a parser with its doors open; each holds a sale as well."""
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    include = f'<xi:include href="{file}" parse="text"/>'
    schema = f'x:noNamespaceSchemaLocation="{address}/s.xsd"'
    many = " ".join(f"a{n}='1'" for n in range(50_000))
    inside = f'<!DOCTYPE p [<!ENTITY a SYSTEM "file://{file}">]><RetailStoreID>&a;'

    def declared(what: str, used: str = "&a;") -> str:
        return f"<!DOCTYPE p [{what}]><POSLog>{used}{SALE}</POSLog>"

    return {
        "billion laughs": declared(f'<!ENTITY l0 "ha">{levels}', "&l9;"),
        "quadratic": declared(f'<!ENTITY a "{"x" * 100_000}">', "&a;" * 1000),
        "file": declared(f'<!ENTITY a SYSTEM "file://{file}">'),
        "http": declared(f'<!ENTITY a SYSTEM "{address}/e">'),
        "parameter": declared(f'<!ENTITY % a SYSTEM "{address}/p">%a;', ""),
        "dtd": f'<!DOCTYPE p SYSTEM "{address}/d.dtd"><POSLog>{SALE}</POSLog>',
        "include": f'<POSLog xmlns:xi="http://www.w3.org/2001/XInclude">{include}{SALE}</POSLog>',
        "inside": SALE.replace("<RetailStoreID>12", inside),
        "sheet": f'<?xml-stylesheet href="{address}/s.xsl"?><POSLog>{SALE}</POSLog>',
        "schema": f'<POSLog xmlns:x="urn:x" {schema}>{SALE}</POSLog>',
        "deep": "<a>" * 100_000 + SALE,
        "wide": f"<POSLog {many}>{SALE}</POSLog>",
    }


NAMES = [
    "billion laughs", "quadratic", "file", "http", "dtd", "parameter", "include", "inside",
    "sheet", "schema", "deep", "wide",
]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-7", "utf-32"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_expanded_or_fetched(
    name: str, encoding: str, fetched: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = fetched
    file = tmp_path / "secret"
    file.write_text(CANARY)
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + hostile(address, file)[name]
    content = text.encode(encoding)
    began = time.monotonic()
    items = list(connector.split(BytesIO(content), "day.xml", SOURCE))
    assert items
    assert sum(len(item.body) for item in items) < 2_000_000
    told = [_words(body) for body in (content, text.encode(), *(item.body for item in items))]
    assert CANARY not in "".join(told)
    assert time.monotonic() - began < 5
    assert [item for item in items if CANARY.encode() in item.body] == []
    assert asked == []


def _words(body: bytes) -> str:
    try:
        return "".join(map(str, parse(body).itertext()))
    except WireError as problem:
        return problem.words
