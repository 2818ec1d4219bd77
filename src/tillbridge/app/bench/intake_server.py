"""The intake server of `bench intake`: the product's own application on a given socket.

`python -m tillbridge.app.bench.intake_server <socket descriptor>`, the database's address in the
environment.
"""

from __future__ import annotations

import os
import socket
import sys

from tillbridge.app import registry
from tillbridge.app.http import serve_on
from tillbridge.inbox.webhooks import IntakeConnection

CONNECTION = "web"
SECRET = "the bench's own secret"  # noqa: S105 - made up, known to the load generator beside it
URL_VARIABLE = "TILLBRIDGE_BENCH_URL"


def main() -> None:
    """Serve until asked to stop."""
    shop = IntakeConnection(
        name=CONNECTION, connector=registry.connector("shopify"), secrets=(SECRET,)
    )
    listener = socket.socket(fileno=int(sys.argv[1]))
    serve_on(listener, os.environ[URL_VARIABLE], {CONNECTION: shop})


if __name__ == "__main__":
    main()
